"""Stock levels: reading and setting them, and the statement that moves many at once."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Integer, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cloudcommerce_product.database.engine import Database
from cloudcommerce_product.fields import MAX_UNITS
from cloudcommerce_product.problems import conflict, not_found

_LEVEL = text("""
    select s.product_id, s.on_hand, s.reserved, s.on_hand - s.reserved as available, s.updated_at
    from stock_levels s join products p on p.id = s.product_id
    where s.product_id = :product_id and p.deleted_at is null and (p.active or :staff)
""")

# Locks come first and in the order of the ids: two transactions over the same products cannot wait for each
# other. The update then re-reads each locked row, so that its condition holds for the newest version. The
# ledger is written by the same statement, from what was really updated.
_MOVE = text("""
    with lines as (
        select * from unnest(:ids, :orders, :on_hand, :reserved)
            as l (product_id, order_id, on_hand_delta, reserved_delta)
    ), wanted as (
        select product_id,
            sum(on_hand_delta)::int as on_hand_delta, sum(reserved_delta)::int as reserved_delta
        from lines group by product_id
    ), locked as materialized (
        select s.product_id from stock_levels s
        where s.product_id = any(:ids) order by s.product_id for update
    ), moved as (
        update stock_levels s
        set on_hand = s.on_hand + w.on_hand_delta, reserved = s.reserved + w.reserved_delta,
            updated_at = now()
        from locked l join wanted w using (product_id)
        where s.product_id = l.product_id
            and s.on_hand + w.on_hand_delta >= s.reserved + w.reserved_delta
            and s.reserved + w.reserved_delta >= 0
        returning s.product_id, s.on_hand - s.reserved as available,
            w.on_hand_delta - w.reserved_delta as gained
    ), ledger as (
        insert into stock_movements
            (product_id, order_id, kind, on_hand_delta, reserved_delta, reason, actor)
        select product_id, order_id, :kind, on_hand_delta, reserved_delta, :reason, :actor
        from lines join moved using (product_id)
    )
    select product_id, (available > 0) <> (available - gained > 0) as flipped from moved
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("orders", type_=ARRAY(Uuid())),
    bindparam("on_hand", type_=ARRAY(Integer())),
    bindparam("reserved", type_=ARRAY(Integer())),
)

_LOCK_LEVEL = text("""
    select s.on_hand, s.reserved from stock_levels s join products p on p.id = s.product_id
    where s.product_id = :product_id and p.deleted_at is null
    for update of s
""")


@dataclass(frozen=True)
class Shift:
    """How one product's level changes, for an order or not."""

    product_id: uuid.UUID
    order_id: uuid.UUID | None = None
    on_hand: int = 0
    reserved: int = 0


@dataclass(frozen=True)
class Moved:
    """What a movement did.

    Attributes:
        products: Those whose level could change as asked; the others did not change.
        flipped: Whether any product came into stock or ran out.
    """

    products: frozenset[uuid.UUID]
    flipped: bool


async def move(
    connection: AsyncConnection,
    shifts: Iterable[Shift],
    kind: str,
    *,
    reason: str | None = None,
    actor: str | None = None,
) -> Moved:
    """Change levels and write the ledger, in one statement; a level that would oversell stays as it is.

    Args:
        connection: In a transaction; the caller rolls back unless all moved.
        shifts: Each becomes a line of the ledger; those of one product move together.
        kind: What the ledger calls it.
        reason: In words of staff.
        actor: The user id of staff.
    """
    lines = list(shifts)
    values = {
        "ids": [shift.product_id for shift in lines],
        "orders": [shift.order_id for shift in lines],
        "on_hand": [shift.on_hand for shift in lines],
        "reserved": [shift.reserved for shift in lines],
        "kind": kind,
        "reason": reason,
        "actor": actor,
    }
    rows = (await connection.execute(_MOVE, values)).all()
    return Moved(frozenset(_id(row.product_id) for row in rows), any(row.flipped for row in rows))


class StockLevels:
    """Levels as customers read and staff sets them.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, product_id: uuid.UUID, *, from_primary: bool, staff: bool) -> dict[str, Any] | None:
        """A product's level; None where it is not in the catalog."""

        async def work(connection: AsyncConnection) -> dict[str, Any] | None:
            return await _find(connection, product_id, staff=staff)

        return await self._database.read(work, from_primary=from_primary)

    async def count(
        self, product_id: uuid.UUID, on_hand: int, reason: str, actor: str
    ) -> tuple[dict[str, Any], bool]:
        """Set what is in the warehouse.

        Returns:
            The new level, and whether the product came into stock or ran out.

        Raises:
            Problem: 404, or 409 where more is reserved than that.
        """
        async with self._database.transaction() as connection:
            present = await _locked(connection, product_id)
            shift = Shift(product_id, on_hand=on_hand - present["on_hand"])
            return await _shift(connection, shift, "counted", reason=reason, actor=actor)

    async def adjust(
        self, product_id: uuid.UUID, delta: int, reason: str, actor: str
    ) -> tuple[dict[str, Any], bool]:
        """Add units, or take them away; returns and raises as `count` does."""
        async with self._database.transaction() as connection:
            present = await _locked(connection, product_id)
            if present["on_hand"] + delta > MAX_UNITS:
                raise conflict("stock-limit", "Too much stock", f"At most {MAX_UNITS} units can be on hand.")
            shift = Shift(product_id, on_hand=delta)
            return await _shift(connection, shift, "adjusted", reason=reason, actor=actor)


async def _shift(
    connection: AsyncConnection, shift: Shift, kind: str, *, reason: str, actor: str
) -> tuple[dict[str, Any], bool]:
    moved = await move(connection, [shift], kind, reason=reason, actor=actor)
    if not moved.products:
        detail = "More units are reserved than would be on hand; release reservations first."
        raise conflict("stock-reserved", "Stock reserved", detail)
    return await _find(connection, shift.product_id, staff=True) or {}, moved.flipped


async def _find(connection: AsyncConnection, product_id: uuid.UUID, *, staff: bool) -> dict[str, Any] | None:
    row = (await connection.execute(_LEVEL, {"product_id": product_id, "staff": staff})).one_or_none()
    return None if row is None else row._asdict()


async def _locked(connection: AsyncConnection, product_id: uuid.UUID) -> dict[str, Any]:
    row = (await connection.execute(_LOCK_LEVEL, {"product_id": product_id})).one_or_none()
    if row is None:
        raise not_found("product")
    return row._asdict()


def _id(value: Any) -> uuid.UUID:
    # asyncpg's own UUID equals the standard one, but only one of them is what callers name.
    return uuid.UUID(int=value.int)
