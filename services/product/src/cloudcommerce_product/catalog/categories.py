"""The category tree in the database."""

import uuid
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cloudcommerce_product.catalog.products import stale
from cloudcommerce_product.catalog.schemas import NewCategory
from cloudcommerce_product.database.engine import Database
from cloudcommerce_product.database.tables import Category
from cloudcommerce_product.fields import new_id, to_json
from cloudcommerce_product.problems import Problem, conflict, invalid, not_found

MAX_DEPTH = 8
MAX_CATEGORIES = 5_000

_COLUMNS = (
    Category.id,
    Category.parent_id,
    Category.path,
    Category.slug,
    Category.name,
    Category.version,
    Category.created_at,
    Category.updated_at,
)
# Any number of its own: two moves that each look fine can close a cycle together, so that one waits.
_TREE_LOCK = text("select pg_advisory_xact_lock(1952805748)")

_MOVE = text("""
    update categories
    set path = cast(:above as uuid[]) || path[array_position(path, cast(:moved as uuid)):],
        parent_id = case when id = :moved then cast(:parent as uuid) else parent_id end,
        version = version + 1,
        updated_at = now()
    where path @> array[cast(:moved as uuid)]
""")


class Categories:
    """Reads and writes categories.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree(self, *, from_primary: bool) -> bytes:
        """All categories as JSON, parents before their children, siblings by name."""

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            rows = await connection.execute(select(*_COLUMNS).order_by(Category.name, Category.id))
            return [row._asdict() for row in rows]

        rows = await self._database.read(work, from_primary=from_primary)
        return to_json({"items": _depth_first(rows), "next_cursor": None})

    async def find(self, category_id: uuid.UUID, *, from_primary: bool) -> dict[str, Any] | None:
        """One category."""

        async def work(connection: AsyncConnection) -> dict[str, Any] | None:
            return await _find(connection, category_id)

        return await self._database.read(work, from_primary=from_primary)

    async def create(self, category: NewCategory) -> dict[str, Any]:
        """Make a category.

        Raises:
            Problem: 409 for a slug in use or a full tree, 422 for an unknown or too deep parent.
        """
        category_id = new_id()
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_TREE_LOCK)
                if await connection.scalar(select(func.count()).select_from(Category)) == MAX_CATEGORIES:
                    raise conflict(
                        "tree-full", "Tree full", f"There are {MAX_CATEGORIES} categories already."
                    )
                above = await _path_of(connection, category.parent_id)
                _check_depth(len(above) + 1)
                values = category.model_dump() | {"id": category_id, "path": [*above, category_id]}
                made = await connection.execute(insert(Category).values(values).returning(*_COLUMNS))
                return made.one()._asdict()
        except IntegrityError:
            raise _slug_taken() from None

    async def change(self, category_id: uuid.UUID, version: int, changes: dict[str, Any]) -> dict[str, Any]:
        """Change a category that is still at that version; a new parent takes all below it along.

        Raises:
            Problem: 404, 409 for a slug in use or a cycle, 412 for another version, 422 for an unknown or too
                deep parent.
        """
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_TREE_LOCK)
                present = await _at_version(connection, category_id, version)
                if "parent_id" in changes and changes["parent_id"] != present["parent_id"]:
                    await _move(connection, present, changes["parent_id"])
                plain = {name: value for name, value in changes.items() if name != "parent_id"}
                if plain:
                    await connection.execute(
                        update(Category)
                        .where(Category.id == category_id)
                        .values(**plain, version=version + 1, updated_at=func.now())
                    )
                return await _find(connection, category_id) or {}
        except IntegrityError:
            raise _slug_taken() from None

    async def delete(self, category_id: uuid.UUID, version: int) -> None:
        """Delete an empty category.

        Raises:
            Problem: 404, 409 while categories or products refer to it, 412 for another version.
        """
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_TREE_LOCK)
                await _at_version(connection, category_id, version)
                await connection.execute(delete(Category).where(Category.id == category_id))
        except IntegrityError:
            detail = "Categories or products are still in it; move them first."
            raise conflict("category-in-use", "Category in use", detail) from None


async def _find(connection: AsyncConnection, category_id: uuid.UUID) -> dict[str, Any] | None:
    row = (await connection.execute(select(*_COLUMNS).where(Category.id == category_id))).one_or_none()
    return None if row is None else row._asdict()


async def _at_version(connection: AsyncConnection, category_id: uuid.UUID, version: int) -> dict[str, Any]:
    present = await _find(connection, category_id)
    if present is None:
        raise not_found("category")
    if present["version"] != version:
        raise stale(present["version"])
    return present


async def _path_of(connection: AsyncConnection, category_id: uuid.UUID | None) -> list[uuid.UUID]:
    if category_id is None:
        return []
    path = await connection.scalar(select(Category.path).where(Category.id == category_id))
    if path is None:
        raise invalid("/parent_id", "there is no such category")
    return list(path)


async def _move(connection: AsyncConnection, moved: dict[str, Any], parent_id: uuid.UUID | None) -> None:
    above = await _path_of(connection, parent_id)
    if moved["id"] in above:
        raise conflict("category-cycle", "Category cycle", "A category cannot be moved below itself.")
    deepest = await connection.scalar(
        select(func.max(func.cardinality(Category.path))).where(Category.path.contains([moved["id"]]))
    )
    _check_depth(len(above) + (deepest or 1) - len(moved["path"]) + 1)
    await connection.execute(_MOVE, {"above": above, "moved": moved["id"], "parent": parent_id})


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise invalid("/parent_id", f"the tree would be {depth} deep; at most {MAX_DEPTH}")


def _depth_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    children: dict[uuid.UUID | None, list[dict[str, Any]]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)
    ordered: list[dict[str, Any]] = []
    ahead = list(reversed(children.get(None, [])))
    while ahead:
        row = ahead.pop()
        ordered.append(row)
        ahead.extend(reversed(children.get(row["id"], [])))
    return ordered


def _slug_taken() -> Problem:
    return conflict("slug-taken", "Slug in use", "Another category has this slug.")
