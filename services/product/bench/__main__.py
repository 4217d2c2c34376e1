"""`python -m bench`: search from cache and from PostgreSQL beside their floors.

TEST_POSTGRES_URL names a server where databases may be created, TEST_REDIS_URL a Redis whose `product:` keys
may go.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from redis import Redis

from bench.programs import (
    Running,
    alternately,
    fetch,
    pgbench,
    pinned,
    service_environment,
    serving,
    wrk,
)
from cloudcommerce_product.catalog.search import parse, prepare
from cloudcommerce_product.database.migrate import migrate
from cloudcommerce_product.settings import DatabaseSettings
from tests.catalog import fill

_PRODUCTS = 100_000
_RUNS = 5
_SECONDS = 4
_WARM_UP_SECONDS = 2
_CLIENTS = 32
# Of the service's pool, and of pgbench.
_DATABASE_CONNECTIONS = 8
_PORT, _FLOOR_PORT = 28_010, 28_020
_NO_REDIS = "redis://127.0.0.1:1/0"
_RANKED = "q=model17+item"
_WALKED = "sort=price"


@dataclass(frozen=True)
class Comparison:
    """One figure beside its floor, in requests a second, run by run."""

    name: str
    measured: list[float]
    floor_name: str
    floor: list[float]
    goal: float | None = None

    def __str__(self) -> str:
        """One line."""
        share = median(one / other for one, other in zip(self.measured, self.floor, strict=True))
        verdict = ""
        if self.goal is not None:
            verdict = f" (goal {self.goal:.0%}: {'met' if share >= self.goal else 'MISSED'})"
        return (
            f"{self.name}: {median(self.measured):.0f}/s (from {min(self.measured):.0f} to "
            f"{max(self.measured):.0f}); {self.floor_name}: {median(self.floor):.0f}/s; {share:.0%}{verdict}"
        )


@dataclass
class Rate:
    """Measures a server: wall-clock rate as the result, rate per second of processor time beside it."""

    running: Running
    query: str
    connections: int

    def __post_init__(self) -> None:
        self.per_cpu_second: list[float] = []

    def __call__(self) -> float:
        """One run."""
        before = self.running.cpu_seconds()
        rate = wrk(f"{self.running.url}?{self.query}", self.connections, _SECONDS)
        self.per_cpu_second.append(rate * _SECONDS / (self.running.cpu_seconds() - before))
        return rate

    def warm_up(self) -> None:
        """Reach the state that is to be measured."""
        wrk(f"{self.running.url}?{self.query}", self.connections, _WARM_UP_SECONDS)


def from_cache(database_url: str, redis_url: str) -> Iterator[Comparison]:
    """The service with Redis, against the same framework and middleware with the bytes in memory."""
    with contextlib.ExitStack() as stack:
        environment = service_environment(database_url, redis_url, _PORT)
        service = stack.enter_context(serving(["-m", "cloudcommerce_product", "serve"], _PORT, environment))
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "body.json"
        file.write_bytes(fetch(f"{service.url}?{_RANKED}"))
        arguments = ["-m", "bench.floor", str(file), str(_FLOOR_PORT)]
        floor = stack.enter_context(serving(arguments, _FLOOR_PORT, {}))
        rates = [Rate(running, _RANKED, _CLIENTS) for running in (service, floor)]
        for rate in rates:
            rate.warm_up()
        measured, least = alternately(_RUNS, *rates)
        yield Comparison("search from cache", measured, "the same bytes from memory", least, 0.7)
        ours, theirs = (rate.per_cpu_second for rate in rates)
        yield Comparison("  per second of processor time", ours, "floor", theirs)


def from_postgres(server_url: str, database_url: str) -> Iterator[Comparison]:
    """The service without Redis, against pgbench sending the very statement that the service prepares."""
    with pinned(_postmaster(server_url)) as fixed, contextlib.ExitStack() as stack:
        if not fixed:
            print("PostgreSQL cannot be pinned from here: it shares the processors with its clients")
        environment = service_environment(database_url, _NO_REDIS, _PORT)
        environment["DATABASE_POOL_SIZE"] = str(_DATABASE_CONNECTIONS)
        service = stack.enter_context(serving(["-m", "cloudcommerce_product", "serve"], _PORT, environment))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for query, name, goal in (
            (_RANKED, "ranked search from PostgreSQL", 0.5),
            (_WALKED, "first page by price from PostgreSQL", None),
        ):
            script, variables = _script(query, directory)
            rate = Rate(service, query, _CLIENTS)
            rate.warm_up()

            def floor(script: Path = script, variables: dict[str, str] = variables) -> float:
                return pgbench(database_url, script, variables, _DATABASE_CONNECTIONS, _SECONDS)

            measured, least = alternately(_RUNS, rate, floor)
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
        asyncio.run(fill(url, _PRODUCTS))
        yield url
    finally:
        asyncio.run(admin(drop))


def main() -> None:
    """Print every comparison."""
    missing = [name for name in ("TEST_POSTGRES_URL", "TEST_REDIS_URL") if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not set; the benchmark needs real servers")
    server_url, redis_url = os.environ["TEST_POSTGRES_URL"], os.environ["TEST_REDIS_URL"]
    redis = Redis.from_url(redis_url)
    for key in redis.scan_iter("product:*"):
        redis.delete(key)
    with catalog(server_url) as database_url:
        comparisons = chain(from_cache(database_url, redis_url), from_postgres(server_url, database_url))
        for comparison in comparisons:
            print(comparison, flush=True)


if __name__ == "__main__":
    main()
