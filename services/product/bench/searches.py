"""Search from the cache and from PostgreSQL, over a catalog of its own."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.comparisons import Comparison, Plan, Rate
from bench.programs import alternately, fetch, pgbench, pinned, service_environment, serving
from cloudcommerce_product.catalog.search import parse, prepare
from cloudcommerce_product.database.migrate import migrate
from cloudcommerce_product.settings import DatabaseSettings
from tests.catalog import fill

PRODUCTS = 100_000
_CLIENTS = 32
# Of the service's pool, and of pgbench.
_DATABASE_CONNECTIONS = 8
_PORT, _FLOOR_PORT = 28_010, 28_020
_NO_REDIS = "redis://127.0.0.1:1/0"
_RANKED = "q=model17+item"
_WALKED = "sort=price"


def from_cache(database_url: str, redis_url: str, plan: Plan) -> Iterator[Comparison]:
    """The service with Redis, against the same framework and middleware with the bytes in memory."""
    with contextlib.ExitStack() as stack:
        environment = service_environment(database_url, redis_url, _PORT)
        service = stack.enter_context(serving(["-m", "cloudcommerce_product", "serve"], _PORT, environment))
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "body.json"
        file.write_bytes(fetch(f"{service.url}?{_RANKED}"))
        arguments = ["-m", "bench.floor", str(file), str(_FLOOR_PORT)]
        floor = stack.enter_context(serving(arguments, _FLOOR_PORT, {}))
        rates = [Rate(running, _RANKED, _CLIENTS, plan.seconds) for running in (service, floor)]
        for rate in rates:
            rate.warm_up()
        measured, least = alternately(plan.runs, *rates)
        yield Comparison("search from cache", measured, "the same bytes from memory", least, 0.7)
        ours, theirs = (rate.per_cpu_second for rate in rates)
        yield Comparison("  per second of processor time", ours, "floor", theirs)


def from_postgres(server_url: str, database_url: str, plan: Plan) -> Iterator[Comparison]:
    """The service without Redis, against pgbench sending the very statement that the service prepares."""
    with pinned(_postmaster(server_url)) as fixed, contextlib.ExitStack() as stack:
        if not fixed:
            print(
                "PostgreSQL cannot be pinned from here: it shares the processors with its clients",
                file=sys.stderr,
            )
        environment = service_environment(database_url, _NO_REDIS, _PORT)
        environment["DATABASE_POOL_SIZE"] = str(_DATABASE_CONNECTIONS)
        service = stack.enter_context(serving(["-m", "cloudcommerce_product", "serve"], _PORT, environment))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for query, name, goal in (
            (_RANKED, "ranked search from PostgreSQL", 0.5),
            (_WALKED, "first page by price from PostgreSQL", None),
        ):
            script, variables = _script(query, directory)
            rate = Rate(service, query, _CLIENTS, plan.seconds)
            rate.warm_up()

            def floor(script: Path = script, variables: dict[str, str] = variables) -> float:
                return pgbench(database_url, script, variables, _DATABASE_CONNECTIONS, plan.seconds)

            measured, least = alternately(plan.runs, rate, floor)
            yield Comparison(name, measured, "pgbench", least, goal)
            yield Comparison(
                "  per second of the service's processor time", rate.per_cpu_second, "pgbench", least
            )


def _postmaster(server_url: str) -> int:
    """The process id of the server's first process, as the server's machine counts."""

    async def ask() -> int:
        connection = await asyncpg.connect(server_url)
        try:
            # Its first line; only a superuser may read it.
            found = await connection.fetchval("select pg_read_file('postmaster.pid')")
        finally:
            await connection.close()
        return int(str(found).split()[0])

    return asyncio.run(ask())


def _script(query_string: str, directory: Path) -> tuple[Path, dict[str, str]]:
    """A pgbench script of a search; its parameters are variables, so that pgbench binds them as we do."""
    query, _ = parse(query_string.encode(), "USD")
    sql, values = prepare(query, None)
    variables = {f"p{number}": str(value) for number, value in enumerate(values, 1)}
    for number in range(len(values), 0, -1):
        sql = sql.replace(f"${number}", f":p{number}")
    script = directory / "search.sql"
    script.write_text(sql.replace("\n", " ") + ";\n")
    return script, variables


@contextlib.contextmanager
def catalog(server_url: str) -> Iterator[str]:
    """A database of its own with the products."""
    name = "product_bench"
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))

    async def admin(*statements: str) -> None:
        connection = await asyncpg.connect(server_url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    drop = f"drop database if exists {name} with (force)"
    asyncio.run(admin(drop, f"create database {name}"))
    try:
        asyncio.run(migrate(DatabaseSettings.model_validate({"database_url": url})))
        asyncio.run(fill(url, PRODUCTS))
        yield url
    finally:
        asyncio.run(admin(drop))
