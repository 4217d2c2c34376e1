"""The service's parts, wired once and closed together."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cloudcommerce_product import metrics
from cloudcommerce_product.cache.store import Cache, CachePolicy
from cloudcommerce_product.catalog.categories import Categories
from cloudcommerce_product.catalog.cursors import Cursors
from cloudcommerce_product.catalog.products import Products
from cloudcommerce_product.database.engine import Database
from cloudcommerce_product.identity import Authenticator, KeySet
from cloudcommerce_product.settings import Settings
from cloudcommerce_product.stock.levels import StockLevels
from cloudcommerce_product.stock.reservations import Reservations, sweep_forever

LISTS = "lists"
CATEGORIES = "categories"
_PRODUCT_SCOPES = 1024


@dataclass
class Service:
    """Everything that requests need.

    Attributes:
        draining: Set once the process is to end; readiness then fails.
    """

    settings: Settings
    database: Database
    cache: Cache
    keys: KeySet
    authenticator: Authenticator
    products: Products
    categories: Categories
    levels: StockLevels
    reservations: Reservations
    draining: bool = False
    _sweeper: asyncio.Task[None] | None = field(default=None, repr=False)

    @classmethod
    def build(cls, settings: Settings, keys: KeySet | None = None) -> "Service":
        """Wire the parts; nothing connects before its first use.

        Args:
            settings: All of them.
            keys: Overrides where public keys come from in tests.
        """
        database = Database.open(settings)
        for name, engine in (("primary", database.primary), ("replica", database.replica)):
            metrics.POOL.labels(name).set_function(engine.pool.checkedout)  # type: ignore[attr-defined] # all pools have it but the null pool
        keys = keys or KeySet(str(settings.jwks_url))
        policy = CachePolicy(
            fresh=settings.cache_fresh,
            stale=settings.cache_stale,
            replica_lag=settings.replica_lag_window,
            held_bytes=settings.cache_held_bytes,
        )
        return cls(
            settings=settings,
            database=database,
            cache=Cache(_redis(settings), policy),
            keys=keys,
            authenticator=Authenticator(keys, settings.jwt_issuer, settings.jwt_audience),
            products=Products(database, Cursors(settings.cursor_secret.get_secret_value())),
            categories=Categories(database),
            levels=StockLevels(database),
            reservations=Reservations(database, settings.reservation_max_ttl),
        )

    async def lists_changed(self) -> None:
        """Invalidate all pages of search."""
        await self.cache.invalidate(LISTS)

    def start(self) -> None:
        """Start what runs beside requests."""
        self._sweeper = asyncio.create_task(
            sweep_forever(self.reservations, self.settings.sweep_interval, self.lists_changed)
        )

    async def close(self) -> None:
        """Stop it and close all connections."""
        if self._sweeper:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await self.cache.close()
        await self.keys.close()
        await self.database.close()


def product_scope(product_id: Any) -> str:
    """The cache scope of a product: one of a fixed number, so that no caller can make keys without end."""
    return f"product:{product_id.int % _PRODUCT_SCOPES}"


def _redis(settings: Settings) -> Redis:
    pool = BlockingConnectionPool.from_url(
        settings.redis_url.get_secret_value(),
        max_connections=settings.redis_pool_size,
        timeout=settings.redis_timeout,
        socket_timeout=settings.redis_timeout,
        socket_connect_timeout=settings.redis_timeout,
        retry=Retry(NoBackoff(), 1),
        client_name="product",
    )
    return Redis(connection_pool=pool)
