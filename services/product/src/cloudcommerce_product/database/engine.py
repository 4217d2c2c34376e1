"""Connections to the primary and its replica."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cloudcommerce_product.settings import Settings

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_log = logging.getLogger(__name__)
_REPLICA_REST_SECONDS = 5.0
_UNREACHABLE = (OSError, OperationalError, InterfaceError, TimeoutError)


def make_engine(
    url: str,
    *,
    pool_size: int = 1,
    pool_timeout: float = 30,
    prepared_statements: bool = True,
    **session: str,
) -> AsyncEngine:
    """Make a pool of asyncpg connections.

    Args:
        url: As libpq reads it; asyncpg parses it, so that `sslmode` and `sslrootcert` mean what they say.
        pool_size: The most connections it opens; without overflow, so that the sum over all pods is known.
        pool_timeout: How long a caller waits for a free one, in seconds.
        prepared_statements: Whether statements stay prepared on their connection.
        session: Server settings of each connection.
    """

    async def connect(*_: Any, **__: Any) -> Any:
        return await asyncpg.connect(
            url.replace("postgres://", "postgresql://", 1),
            timeout=5,
            statement_cache_size=0,
            server_settings={"application_name": "product", **session},
        )

    arguments: dict[str, Any] = {"async_creator_fn": connect, "prepared_statement_cache_size": 200}
    if not prepared_statements:
        arguments |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
    return create_async_engine(
        "postgresql+asyncpg://",
        connect_args=arguments,
        json_deserializer=orjson.loads,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_recycle=1800,
        pool_use_lifo=True,
    )


@dataclass
class Database:
    """Sends writes to the primary and reads to the replica while that one answers."""

    primary: AsyncEngine
    replica: AsyncEngine
    _replica_rests_until: float = field(default=0.0, init=False)

    @classmethod
    def open(cls, settings: Settings) -> "Database":
        """Make both pools; nothing connects before the first use."""
        timeout = str(int(settings.database_statement_timeout * 1000))
        session = {
            "statement_timeout": timeout,
            "lock_timeout": timeout,
            "idle_in_transaction_session_timeout": "10000",
        }

        def engine(url: str, pool_size: int) -> AsyncEngine:
            return make_engine(
                url,
                pool_size=pool_size,
                pool_timeout=settings.database_pool_timeout,
                prepared_statements=settings.database_prepared_statements,
                **session,
            )

        primary = engine(settings.database_url.get_secret_value(), settings.database_pool_size)
        if settings.database_replica_url is None:
            return cls(primary, primary)
        replica_url = settings.database_replica_url.get_secret_value()
        return cls(primary, engine(replica_url, settings.database_replica_pool_size))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction on the primary: committed at the end, rolled back by an error."""
        async with self.primary.begin() as connection:
            yield connection

    async def read(self, work: Work[T], *, from_primary: bool = False) -> T:
        """Run read-only work in autocommit, which spares the two round trips of a transaction.

        Work that finds the replica unreachable runs once more on the primary, and for the next seconds
        nothing tries the replica.

        Args:
            work: What to read; it may run twice.
            from_primary: For those who must see what they have just written.
        """
        has_replica = self.replica is not self.primary
        if not from_primary and has_replica and time.monotonic() >= self._replica_rests_until:
            try:
                return await _autocommit(self.replica, work)
            except _UNREACHABLE as error:
                if isinstance(error, DBAPIError) and not is_disconnect(error):
                    raise
                self._replica_rests_until = time.monotonic() + _REPLICA_REST_SECONDS
                _log.warning(
                    "the replica does not answer; reads go to the primary",
                    extra={"cause": type(error).__name__},
                )
        return await _autocommit(self.primary, work)

    async def ping(self) -> None:
        """Raise unless the primary answers."""
        await _autocommit(self.primary, lambda connection: connection.execute(text("select 1")))

    async def close(self) -> None:
        """Close both pools."""
        await self.primary.dispose()
        if self.replica is not self.primary:
            await self.replica.dispose()


def is_disconnect(error: DBAPIError) -> bool:
    """Whether the server went away, in contrast to a statement that it refused."""
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state[:2] in {"08", "57"}


async def _autocommit(engine: AsyncEngine, work: Work[T]) -> T:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return await work(connection)
