"""Monthly partitions of the stock movements."""

from datetime import UTC, datetime
from itertools import pairwise

from sqlalchemy import Connection, text

_TABLE = "stock_movements"


def month_starts(now: datetime, ahead: int) -> list[datetime]:
    """The first instants, in UTC, of the month of `now` and of the `ahead` + 1 months after it."""
    first = now.year * 12 + now.month - 1
    return [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(first, first + ahead + 2)]


def ensure_partitions(connection: Connection, ahead: int, now: datetime | None = None) -> list[str]:
    """Make the partitions of this month and of the coming ones where they are missing.

    A default partition takes what no month would, so that a forgotten maintenance stops no sale; rows that it
    took in for a month move into that month's partition here.

    Args:
        connection: In a transaction, as the owner of the table.
        ahead: How many months after the current one.
        now: Overrides the clock in tests.

    Returns:
        The names of the partitions made.
    """
    starts = month_starts(now or datetime.now(UTC), ahead)
    made = []
    for start, end in pairwise(starts):
        name = f"{_TABLE}_{start:%Y_%m}"
        if connection.scalar(text("select to_regclass(:name)"), {"name": name}) is not None:
            continue
        _make(connection, name, start, end)
        made.append(name)
    return made


def _make(connection: Connection, name: str, start: datetime, end: datetime) -> None:
    # Attaching scans the default partition for rows of this month: they must have moved before.
    connection.execute(text(f"lock table {_TABLE}_default in share row exclusive mode"))
    connection.execute(text(f"create table {name} (like {_TABLE} including all)"))
    connection.execute(
        text(
            f"with moved as (delete from {_TABLE}_default "  # noqa: S608 - names made here, from a date
            f"where occurred_at >= :start and occurred_at < :end returning *) "
            f"insert into {name} select * from moved"
        ),
        {"start": start, "end": end},
    )
    connection.execute(
        text(
            f"alter table {_TABLE} attach partition {name} "
            f"for values from ('{start.isoformat()}') to ('{end.isoformat()}')"
        )
    )
