"""Products in the database."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cloudcommerce_product.catalog.cursors import Cursors, Position
from cloudcommerce_product.catalog.schemas import NewProduct
from cloudcommerce_product.catalog.search import COLUMNS, FIELDS, SearchQuery, prepare
from cloudcommerce_product.database.engine import Database
from cloudcommerce_product.database.tables import Product, StockLevel
from cloudcommerce_product.fields import new_id, to_json
from cloudcommerce_product.problems import Problem, conflict, invalid, not_found

_LIVE = Product.deleted_at.is_(None)


class Products:
    """Reads and writes products.

    Args:
        database: Where they are.
        cursors: Signs the ends of pages.
    """

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._database = database
        self._cursors = cursors

    async def find(self, product_id: uuid.UUID, *, from_primary: bool, staff: bool) -> dict[str, Any] | None:
        """One product; only staff sees inactive ones."""
        query = select(*COLUMNS).where(Product.id == product_id, _LIVE)
        if not staff:
            query = query.where(Product.active)

        async def work(connection: AsyncConnection) -> dict[str, Any] | None:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else row._asdict()

        return await self._database.read(work, from_primary=from_primary)

    def position(self, query: SearchQuery) -> Position | None:
        """Where the page begins.

        Raises:
            Problem: 400 for a cursor that is not one of this search.
        """
        return None if query.cursor is None else self._cursors.decode(query.fingerprint, query.cursor)

    async def page(self, query: SearchQuery, *, from_primary: bool) -> bytes:
        """One page of a search, as JSON."""
        sql, parameters = prepare(query, self.position(query))

        async def work(connection: AsyncConnection) -> Sequence[Row[Any]]:
            # As it is prepared: composing and compiling a statement anew would cost more than its answer.
            return (await connection.exec_driver_sql(sql, parameters)).all()

        rows = await self._database.read(work, from_primary=from_primary)
        return self._encode(query, rows)

    def _encode(self, query: SearchQuery, rows: Sequence[Row[Any]]) -> bytes:
        items = [dict(zip(FIELDS, row, strict=False)) for row in rows[: query.limit]]
        cursor = None
        if len(rows) > query.limit:
            last = rows[query.limit - 1]
            position = Position(last[-1], uuid.UUID(str(last[0])))
            cursor = self._cursors.encode(query.fingerprint, position)
        return to_json({"items": items, "next_cursor": cursor})

    async def create(self, product: NewProduct) -> dict[str, Any]:
        """Make a product, with none in stock.

        Raises:
            Problem: 409 for a SKU in use, 422 for an unknown category.
        """
        values = product.model_dump() | {"id": new_id()}
        try:
            async with self._database.transaction() as connection:
                row = (await connection.execute(insert(Product).values(values).returning(*COLUMNS))).one()
                await connection.execute(insert(StockLevel).values(product_id=values["id"]))
                return row._asdict()
        except IntegrityError as error:
            raise _refusal(error) from None

    async def change(self, product_id: uuid.UUID, version: int, changes: dict[str, Any]) -> dict[str, Any]:
        """Change a product that is still at that version.

        Raises:
            Problem: 404, 409 for a SKU in use, 412 for another version, 422 for an unknown category.
        """
        try:
            async with self._database.transaction() as connection:
                return await self._write(connection, product_id, version, changes)
        except IntegrityError as error:
            raise _refusal(error) from None

    async def delete(self, product_id: uuid.UUID, version: int) -> None:
        """Take a product out of the catalog; orders and movements keep referring to it.

        Raises:
            Problem: 404, or 412 for another version.
        """
        async with self._database.transaction() as connection:
            gone = {"deleted_at": func.now(), "active": False, "category_id": None}
            await self._write(connection, product_id, version, gone)

    async def _write(
        self, connection: AsyncConnection, product_id: uuid.UUID, version: int, changes: dict[str, Any]
    ) -> dict[str, Any]:
        changed = (
            update(Product)
            .where(Product.id == product_id, _LIVE, Product.version == version)
            .values(**changes, version=Product.version + 1, updated_at=func.now())
            .returning(*COLUMNS)
        )
        row = (await connection.execute(changed)).one_or_none()
        if row is not None:
            return row._asdict()
        present = await connection.scalar(select(Product.version).where(Product.id == product_id, _LIVE))
        raise not_found("product") if present is None else stale(present)


def stale(version: int) -> Problem:
    """Somebody else changed it first."""
    return Problem(
        412,
        "stale-version",
        "Precondition failed",
        f"It changed meanwhile and is at version {version} now; read it again and repeat.",
    )


def _refusal(error: IntegrityError) -> Problem:
    if getattr(error.orig, "sqlstate", None) == "23505":
        return conflict("sku-taken", "SKU in use", "Another product has this SKU.")
    return invalid("/category_id", "there is no such category")
