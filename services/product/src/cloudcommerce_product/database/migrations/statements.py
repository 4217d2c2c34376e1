"""Runs plain SQL one statement at a time, as asyncpg's prepared statements demand."""

from typing import Protocol


class _Operations(Protocol):
    def execute(self, sqltext: str) -> None: ...


def run(operations: _Operations, *statements: str) -> None:
    """Run statements in order.

    Args:
        operations: Alembic's `op`.
        statements: One SQL statement each.
    """
    for statement in statements:
        operations.execute(statement)
