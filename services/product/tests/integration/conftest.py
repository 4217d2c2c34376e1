"""A migrated database of this run's own, Redis, and the applications over them."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from cloudcommerce_product.database.migrate import migrate
from cloudcommerce_product.identity import KeySet
from cloudcommerce_product.service import Service
from cloudcommerce_product.settings import DatabaseSettings, Settings
from cloudcommerce_product.web.apps import BODY_LIMIT, internal_app, public_app
from cloudcommerce_product.web.middleware import wrap
from tests.tokens import Issuer

INTERNAL_TOKEN = "internal-token-of-the-tests-0123456789"


def _required(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        pytest.fail(f"{variable} is not set: these tests need a real server", pytrace=False)
    return value


@pytest.fixture(scope="session")
def redis_url() -> str:
    return _required("TEST_REDIS_URL")


@pytest.fixture(scope="session")
def server_url() -> str:
    return _required("TEST_POSTGRES_URL")


@pytest.fixture(scope="session")
def new_database(server_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases that go away with the run."""
    made: list[str] = []

    def admin(statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(server_url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())

    def make() -> str:
        name = f"product_{uuid.uuid4().hex}"
        admin(f"create database {name}")
        made.append(name)
        return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))

    yield make
    for name in made:
        admin(f"drop database if exists {name} with (force)")


@pytest.fixture(scope="session")
def database_url(new_database: Callable[[], str]) -> str:
    url = new_database()
    asyncio.run(migrate(DatabaseSettings.model_validate({"database_url": url})))
    return url


@dataclass
class Shop:
    """A running service with what its tests do over and over."""

    service: Service
    issuer: Issuer
    public: httpx.AsyncClient
    internal: httpx.AsyncClient
    admin: dict[str, str] = field(default_factory=dict)

    async def product(self, on_hand: int = 0, **changes: Any) -> dict[str, Any]:
        body = {
            "sku": f"SKU-{uuid.uuid4().hex[:12]}",
            "name": "Walnut desk",
            "price_minor": 12_900,
            "currency": "USD",
        }
        answer = await self.public.post("/api/v1/products", json=body | changes, headers=self.admin)
        assert answer.status_code == 201, answer.text
        product: dict[str, Any] = answer.json()
        if on_hand:
            await self.count(product["id"], on_hand)
        return product

    async def category(self, parent: str | None = None, **changes: Any) -> dict[str, Any]:
        body = {"slug": f"c-{uuid.uuid4().hex[:12]}", "name": "Desks", "parent_id": parent}
        answer = await self.public.post("/api/v1/categories", json=body | changes, headers=self.admin)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def count(self, product_id: str, on_hand: int) -> None:
        answer = await self.public.put(
            f"/api/v1/products/{product_id}/stock",
            json={"on_hand": on_hand, "reason": "count"},
            headers=self.admin,
        )
        assert answer.status_code == 200, answer.text

    async def stock(self, product_id: str) -> tuple[int, int]:
        level = (await self.public.get(f"/api/v1/products/{product_id}/stock", headers=self.admin)).json()
        return level["on_hand"], level["reserved"]

    async def reserve(
        self, *items: tuple[str, int], order_id: str | None = None, ttl_seconds: int = 60
    ) -> httpx.Response:
        return await self.internal.post(
            "/internal/v1/reservations",
            json={
                "order_id": order_id or str(uuid.uuid4()),
                "items": [{"product_id": product, "quantity": quantity} for product, quantity in items],
                "ttl_seconds": ttl_seconds,
            },
        )

    async def close_order(self, order_id: str, how: str) -> httpx.Response:
        return await self.internal.post(f"/internal/v1/reservations/{order_id}/{how}")

    async def names(self, **query: Any) -> list[str]:
        answer = await self.public.get("/api/v1/products", params=query)
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]


@pytest.fixture(scope="session")
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "internal_api_token": INTERNAL_TOKEN,
            "cursor_secret": "cursor-secret-of-the-tests-0123456789",
            "jwks_url": "http://users.invalid/jwks",
            "database_pool_size": 10,
            "shutdown_delay": 0,
            # The machine of the tests may be busy; what they count is stock, not speed.
            "database_pool_timeout": 60,
            "database_statement_timeout": 60,
        }
    )


OpenShop = Callable[..., Any]


@asynccontextmanager
async def _opening(settings: Settings) -> AsyncIterator[OpenShop]:
    opened: list[Shop] = []

    def open_one(**changes: Any) -> Shop:
        opened.append(_shop(Settings.model_validate(settings.model_dump() | changes)))
        return opened[-1]

    yield open_one
    for shop in opened:
        await shop.service.close()


def _shop(settings: Settings) -> Shop:
    issuer = Issuer()
    service = Service.build(settings, KeySet(str(settings.jwks_url), issuer.client()))

    def client(app: Any, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(wrap(app, body_limit=BODY_LIMIT))
        return httpx.AsyncClient(transport=transport, base_url="http://product", headers=headers, timeout=30)

    internal = client(internal_app(service), {"authorization": f"Bearer {INTERNAL_TOKEN}"})
    return Shop(service, issuer, client(public_app(service)), internal, issuer.headers("admin"))


@pytest_asyncio.fixture
async def open_shop(settings: Settings) -> AsyncIterator[OpenShop]:
    """Opens shops with settings of their own over the run's database."""
    async with _opening(settings) as open_one:
        yield open_one


@pytest_asyncio.fixture(scope="session")
async def shop(settings: Settings, redis_url: str) -> AsyncIterator[Shop]:
    """The shop of all tests that need no other, begun with an empty cache."""
    redis = Redis.from_url(redis_url)
    async for key in redis.scan_iter("product:*"):
        await redis.delete(key)
    await redis.aclose()
    async with _opening(settings) as open_one:
        yield open_one()
