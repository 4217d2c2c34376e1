"""Migrations and upkeep, each a command of its own that may run at any time and twice."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cloudcommerce_product.database.engine import make_engine
from cloudcommerce_product.database.partitions import ensure_partitions
from cloudcommerce_product.settings import DatabaseSettings

# Any number, the same in every version: it names the lock that lets one migration run at a time.
_LOCK = 0x70726F64


def alembic_config(connection: Connection | None = None) -> Config:
    """The configuration of Alembic, without a file: the scripts travel inside the package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(settings: DatabaseSettings, revision: str = "head") -> None:
    """Bring the schema up to date and make partitions ahead.

    Whoever comes second waits and then finds nothing to do. A statement that cannot get its lock within a few
    seconds gives up instead of queueing all traffic behind it; the caller runs again.
    """

    def upgrade(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), revision)

    async def work(connection: AsyncConnection) -> None:
        await connection.run_sync(upgrade)
        await connection.commit()
        if revision == "head":
            await connection.run_sync(ensure_partitions, settings.stock_partitions_ahead)
            await connection.commit()

    await _alone(settings, work)


async def maintain(settings: DatabaseSettings) -> list[str]:
    """Make the partitions of the coming months; returns the names of the new ones."""
    made: list[str] = []

    async def work(connection: AsyncConnection) -> None:
        made.extend(await connection.run_sync(ensure_partitions, settings.stock_partitions_ahead))
        await connection.commit()

    await _alone(settings, work)
    return made


async def _alone(settings: DatabaseSettings, work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    # Two connections: a migration that builds an index concurrently must not sit in the lock's transaction.
    url = settings.database_url.get_secret_value()
    engine = make_engine(url, pool_size=2, lock_timeout="5s")
    try:
        async with engine.connect() as guard, engine.connect() as connection:
            await guard.execution_options(isolation_level="AUTOCOMMIT")
            await guard.execute(text("set lock_timeout = 0"))
            await guard.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                await work(connection)
            finally:
                await guard.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
    finally:
        await engine.dispose()
