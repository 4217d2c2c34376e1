import asyncio
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from cloudcommerce_product.catalog import search
from cloudcommerce_product.catalog.cursors import Position
from cloudcommerce_product.database.engine import Database, make_engine
from cloudcommerce_product.database.migrate import maintain, migrate
from cloudcommerce_product.database.partitions import ensure_partitions
from cloudcommerce_product.database.tables import Base
from cloudcommerce_product.settings import DatabaseSettings, Settings
from tests.catalog import fill
from tests.integration.conftest import OpenShop, Shop

pytestmark = pytest.mark.mission_M61

_FULL = os.environ.get("CLOUDCOMMERCE_TEST_FULL") == "1"
_ROWS = 100_000 if _FULL else 20_000


def _of(url: str) -> DatabaseSettings:
    return DatabaseSettings.model_validate({"database_url": url})


async def _sync(url: str, work: Callable[[Connection], Any]) -> Any:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def test_migrations_may_run_twice_and_side_by_side(new_database: Callable[[], str]) -> None:
    url = new_database()

    async def both() -> None:
        await asyncio.gather(migrate(_of(url)), migrate(_of(url)), migrate(_of(url)))
        await migrate(_of(url))

    asyncio.run(both())


def test_a_service_goes_on_selling_while_the_migration_runs_again(shop_url: str) -> None:
    """Nothing that a repeated migration does waits for traffic, nor traffic for it."""

    async def run() -> None:
        connection = await asyncpg.connect(shop_url)
        async with connection.transaction():
            await connection.execute("lock stock_levels, products, stock_movements in row exclusive mode")
            await asyncio.wait_for(migrate(_of(shop_url)), 10)
        await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def shop_url(database_url: str) -> str:
    return database_url


async def test_tables_in_code_and_database_are_the_same(database_url: str) -> None:
    def ours(_: Any, name: str | None, kind: str, *__: Any) -> bool:
        return not (kind == "table" and str(name).startswith("stock_movements_"))

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    assert await _sync(database_url, differences) == []


async def test_movements_land_in_their_month_and_late_partitions_take_theirs_over(database_url: str) -> None:
    far, product = datetime(2040, 2, 10, tzinfo=UTC), uuid.uuid4()
    connection = await asyncpg.connect(database_url)
    insert = (
        "insert into stock_movements (occurred_at, product_id, kind, on_hand_delta, reserved_delta) "
        "values ($1, $2, 'adjusted', 1, 0)"
    )
    where = "select tableoid::regclass::text from stock_movements where product_id = $1"
    await connection.execute(insert, far, product)
    assert await connection.fetchval(where, product) == "stock_movements_default"
    made = await _sync(database_url, lambda sync: ensure_partitions(sync, 1, far))
    assert made == ["stock_movements_2040_02", "stock_movements_2040_03"]
    assert await connection.fetchval(where, product) == "stock_movements_2040_02"
    assert await _sync(database_url, lambda sync: ensure_partitions(sync, 1, far)) == []
    await connection.execute(insert, datetime.now(UTC), product)
    current = f"stock_movements_{datetime.now(UTC):%Y_%m}"
    assert {row[0] for row in await connection.fetch(where, product)} == {"stock_movements_2040_02", current}
    await connection.close()
    assert await maintain(_of(database_url)) == []


async def test_partitions_reach_over_the_year_without_gaps(database_url: str) -> None:
    december = datetime(2041, 12, 31, 23, 59, tzinfo=UTC)
    made = await _sync(database_url, lambda sync: ensure_partitions(sync, 2, december))
    assert made == ["stock_movements_2041_12", "stock_movements_2042_01", "stock_movements_2042_02"]


async def test_readers_go_to_the_replica_and_staff_to_the_primary(
    open_shop: OpenShop, new_database_async: str
) -> None:
    """The replica here is another database, which never catches up: who reads where is plain to see."""
    shop: Shop = open_shop(database_replica_url=new_database_async, replica_lag_window=0.001)
    product = await shop.product()
    await asyncio.sleep(0.05)
    seen = await shop.public.get("/api/v1/products", params={"q": product["sku"]}, headers=shop.admin)
    assert [item["id"] for item in seen.json()["items"]] == [product["id"]]
    assert await shop.names(q=product["sku"]) == []


@pytest.fixture(scope="session")
def new_database_async(new_database: Callable[[], str]) -> str:
    url = new_database()
    asyncio.run(migrate(_of(url)))
    return url


async def test_without_the_replica_reads_go_to_the_primary(open_shop: OpenShop) -> None:
    shop: Shop = open_shop(
        database_replica_url="postgresql://nobody@127.0.0.1:1/none", replica_lag_window=0.001
    )
    product = await shop.product()
    await asyncio.sleep(0.05)
    assert await shop.names(q=product["sku"]) == [product["name"]]


async def test_prepared_statements_can_be_off_for_a_transaction_pooler(
    open_shop: OpenShop,
) -> None:
    shop: Shop = open_shop(database_prepared_statements=False)
    product = await shop.product(5)
    for _ in range(5):
        assert (await shop.reserve((product["id"], 1))).status_code == 201

    async def named(connection: Any) -> Any:
        return (
            await connection.exec_driver_sql("select count(*) from pg_prepared_statements where name <> ''")
        ).scalar()

    assert await shop.service.database.read(named) == 0


async def test_the_pool_never_opens_more_than_its_size(open_shop: OpenShop) -> None:
    shop: Shop = open_shop(database_pool_size=3, redis_url="redis://127.0.0.1:1")
    product = await shop.product(100)
    peak = 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, shop.service.database.primary.pool.checkedout())  # type: ignore[attr-defined]
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    answers = await asyncio.gather(*(shop.reserve((product["id"], 1)) for _ in range(60)))
    watching.cancel()
    assert {answer.status_code for answer in answers} == {201}
    assert 0 < peak <= 3


@pytest.fixture(scope="session")
def large_catalog(new_database: Callable[[], str]) -> str:
    """Products as a shop has them: some words rare, prices spread, a tree of 100 categories."""
    url = new_database()
    asyncio.run(migrate(_of(url)))
    asyncio.run(fill(url, _ROWS))
    return url


async def _explain(url: str, query: search.SearchQuery, after: Position | None) -> str:
    """The plan of a search as the service sends it, parameters and all."""
    sql, parameters = search.prepare(query, after)
    engine = make_engine(url)
    async with engine.connect() as connection:
        rows = (await connection.exec_driver_sql(f"explain (analyze, buffers) {sql}", parameters)).all()
    await engine.dispose()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("query", "index", "sorts"),
    [
        ("q=model17", "products_search_idx", True),
        ("q=mod&prefix=true&currency=USD&attribute=color:c1", "products_attributes_idx", True),
        ("", "products_newest_idx", False),
        ("sort=price", "products_price_idx", False),
        ("sort=-price", "products_price_idx", False),
        ("sort=price&min_price_minor=50000&max_price_minor=50100", "products_price_idx", False),
        ("sort=name", "products_name_idx", False),
        ("in_stock=true&sort=price", "products_price_idx", False),
        ("attribute=color:c7&sort=name", "products_attributes_idx", True),
        ("sort=newest&category_id=CATEGORY", "products_", None),
    ],
)
@pytest.mark.parametrize("page", ["first", "deep"])
async def test_every_search_is_answered_by_an_index(
    large_catalog: str, query: str, index: str, sorts: bool | None, page: str
) -> None:
    connection = await asyncpg.connect(large_catalog)
    category = await connection.fetchval("select id from categories where slug = 'c3'")
    parsed, _ = search.parse(query.replace("CATEGORY", str(category)).encode(), "USD")
    middle = await connection.fetchrow(
        "select id, price_minor, name_sort from products "
        "where price_minor > 50050 order by price_minor limit 1"
    )
    value = {"price": middle["price_minor"], "-price": middle["price_minor"], "name": middle["name_sort"]}
    after = Position(value.get(parsed.order, 0.5), uuid.UUID(str(middle["id"]))) if page == "deep" else None
    await connection.close()
    plan = await _explain(large_catalog, parsed, after)
    assert index in plan, plan
    assert "Seq Scan on products" not in plan, plan
    if sorts is not None:
        assert ("Sort Key" in plan) is sorts, plan
    if after is not None and sorts is False:
        assert (
            ("Index Cond: " in plan and "ROW(" in plan)
            or "Index Cond: (id <" in plan
            or "price_minor" in plan
        ), plan


async def test_the_hot_statements_of_stock_use_their_indexes(large_catalog: str) -> None:
    connection = await asyncpg.connect(large_catalog)
    await connection.execute("set enable_seqscan = off")  # these tables are all but empty here
    for statement, index in (
        (
            "select 1 from reservations where status = 'reserved' and expires_at <= now()",
            "reservations_expiry_idx",
        ),
        (
            "select 1 from stock_movements where product_id = gen_random_uuid() and occurred_at > now()",
            "product_id_occurred_at_idx",
        ),
        (f"select id from categories where path @> array['{uuid.uuid4()}'::uuid]", "categories_path_idx"),
    ):
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}"))
        assert index in plan, plan
    await connection.close()


def test_the_replica_pool_is_its_own_only_with_a_replica(settings: Settings) -> None:
    database = Database.open(settings)
    assert database.replica is database.primary
