"""Reservations: stock held for an order until it is confirmed, released or out of time."""

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Integer, Row, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cloudcommerce_product import metrics
from cloudcommerce_product.database.engine import Database
from cloudcommerce_product.problems import Problem, conflict, invalid, not_found
from cloudcommerce_product.stock.levels import Shift, move
from cloudcommerce_product.stock.schemas import NewReservation

_log = logging.getLogger(__name__)
_SWEEP_BATCH = 100

# One statement for the head and all lines. A second request for the same order waits for the first one on the
# primary key, then inserts nothing.
_INSERT = text("""
    with head as (
        insert into reservations (order_id, expires_at)
        values (:order_id, now() + make_interval(secs => :ttl))
        on conflict (order_id) do nothing
        returning order_id, status, expires_at
    ), lines as (
        insert into reservation_items (order_id, product_id, quantity, name, unit_price_minor, currency)
        select head.order_id, p.id, w.quantity, p.name, p.price_minor, p.currency
        from head, unnest(:ids, :quantities) as w (product_id, quantity)
        join products p on p.id = w.product_id and p.active and p.deleted_at is null
        returning product_id, quantity, name, unit_price_minor, currency
    )
    select head.order_id, head.status, head.expires_at,
        lines.product_id, lines.quantity, lines.name, lines.unit_price_minor, lines.currency
    from head left join lines on true order by lines.product_id
""").bindparams(
    bindparam("order_id", type_=Uuid()),
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("quantities", type_=ARRAY(Integer())),
)

_READ = text("""
    select r.order_id, r.status, r.expires_at,
        i.product_id, i.quantity, i.name, i.unit_price_minor, i.currency
    from reservations r left join reservation_items i using (order_id)
    where r.order_id = :order_id order by i.product_id
""")

_LOCK = text("""
    select status, expires_at <= clock_timestamp() as overdue from reservations
    where order_id = :order_id for update
""")

_SET_STATUS = text("""
    update reservations set status = :status, updated_at = now() where order_id = any(:orders)
""").bindparams(bindparam("orders", type_=ARRAY(Uuid())))

_LINES = text("""
    select order_id, product_id, quantity from reservation_items where order_id = any(:orders)
""").bindparams(bindparam("orders", type_=ARRAY(Uuid())))

# Sweepers of all replicas work side by side: each skips what another one, or a confirmation, holds.
_OVERDUE = text("""
    select order_id from reservations
    where status = 'reserved' and expires_at <= now()
    order by expires_at limit :limit for update skip locked
""")

_AVAILABLE = text("""
    select s.product_id, s.on_hand - s.reserved as available from stock_levels s
    join products p on p.id = s.product_id and p.active and p.deleted_at is null
    where s.product_id = any(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid())))


class _Short(Exception):  # noqa: N818 - control flow, not an error
    """Not everything is there: undo what was taken."""


@dataclass(frozen=True)
class Outcome:
    """A reservation, and what the request did to it.

    Attributes:
        reservation: As the API shows it.
        created: Whether it is new.
        flipped: Whether any product came into stock or ran out.
    """

    reservation: dict[str, Any]
    created: bool = False
    flipped: bool = False


class Reservations:
    """The life of reservations; every step may be repeated.

    Args:
        database: Where they are.
        max_ttl: The longest that stock may be held, in seconds.
    """

    def __init__(self, database: Database, max_ttl: float) -> None:
        self._database = database
        self._max_ttl = max_ttl

    async def reserve(self, wanted: NewReservation) -> Outcome:
        """Hold all items or none.

        Raises:
            Problem: 409 where stock is short, or the order has another or a closed reservation.
        """
        if wanted.ttl_seconds > self._max_ttl:
            raise invalid("/ttl_seconds", f"at most {self._max_ttl:.0f}")
        try:
            async with self._database.transaction() as connection:
                rows = (await connection.execute(_INSERT, _values(wanted))).all()
                if not rows:
                    return _repeated(wanted, await _read(connection, wanted.order_id))
                shifts = [
                    Shift(item.product_id, wanted.order_id, reserved=item.quantity) for item in wanted.items
                ]
                # A product that is not for sale has no line, and the level of one short does not move.
                _demand(rows[0].product_id is not None and len(rows) == len(shifts))
                # Last, so that the rows for which everyone queues stay locked for one round trip.
                moved = await move(connection, shifts, "reserved")
                _demand(len(moved.products) == len(shifts))
        except _Short:
            raise await self._insufficient(wanted) from None
        metrics.RESERVATIONS.labels("reserved").inc()
        return Outcome(_document(rows), created=True, flipped=moved.flipped)

    async def confirm(self, order_id: uuid.UUID) -> Outcome:
        """Take the held units out of the warehouse: the order is paid.

        Raises:
            Problem: 404, or 409 where the reservation was released or its time is over.
        """
        async with self._database.transaction() as connection:
            status, overdue = await _locked(connection, order_id)
            if status in {"released", "expired"} or (status == "reserved" and overdue):
                raise _closed("expired" if overdue else status)
            flipped = False
            if status == "reserved":
                flipped = await _settle(connection, [order_id], "confirmed", on_hand=-1, reserved=-1)
            reservation = await _read(connection, order_id)
        metrics.RESERVATIONS.labels("confirmed" if status == "reserved" else "repeated").inc()
        return Outcome(reservation, flipped=flipped)

    async def release(self, order_id: uuid.UUID) -> Outcome:
        """Give the units back: held ones become available, confirmed ones return to the warehouse.

        Raises:
            Problem: 404.
        """
        async with self._database.transaction() as connection:
            status, _ = await _locked(connection, order_id)
            flipped = False
            if status == "reserved":
                flipped = await _settle(connection, [order_id], "released", reserved=-1)
            elif status == "confirmed":
                flipped = await _settle(connection, [order_id], "released", kind="returned", on_hand=1)
            reservation = await _read(connection, order_id)
        outcome = {"reserved": "released", "confirmed": "returned"}.get(status, "repeated")
        metrics.RESERVATIONS.labels(outcome).inc()
        return Outcome(reservation, flipped=flipped)

    async def expire(self) -> tuple[int, bool]:
        """Give back one batch of what is out of time.

        Returns:
            How many reservations expired, and whether any product came into stock.
        """
        async with self._database.transaction() as connection:
            overdue = await connection.execute(_OVERDUE, {"limit": _SWEEP_BATCH})
            orders = [uuid.UUID(int=row.order_id.int) for row in overdue]
            flipped = bool(orders) and await _settle(connection, orders, "expired", reserved=-1)
        metrics.RESERVATIONS.labels("expired").inc(len(orders))
        return len(orders), flipped

    async def _insufficient(self, wanted: NewReservation) -> Problem:
        ids = [item.product_id for item in wanted.items]

        async def work(connection: AsyncConnection) -> dict[uuid.UUID, int]:
            rows = await connection.execute(_AVAILABLE, {"ids": ids})
            return {row.product_id: row.available for row in rows}

        available = await self._database.read(work, from_primary=True)
        metrics.RESERVATIONS.labels("refused").inc()
        metrics.STOCKOUTS.inc()
        items: list[dict[str, Any]] = [
            {
                "product_id": item.product_id,
                "requested": item.quantity,
                "available": available.get(item.product_id, 0),
            }
            for item in wanted.items
        ]
        short = [item for item in items if item["available"] < item["requested"]]
        # Nothing short any more means that stock came back meanwhile: the caller may try again.
        detail = "Not everything is in stock; nothing was reserved."
        return conflict("insufficient-stock", "Insufficient stock", detail, items=short or items)


async def sweep_forever(
    reservations: Reservations, interval: float, came_into_stock: Callable[[], Awaitable[None]]
) -> None:
    """Expire reservations until cancelled; a failed round is repeated after the pause.

    Args:
        reservations: Whose time may be over.
        interval: The pause between rounds, in seconds.
        came_into_stock: Called after a round in which a product did.
    """
    while True:
        try:
            count, flipped = await reservations.expire()
            if flipped:
                await came_into_stock()
        except Exception as error:  # noqa: BLE001 - nothing may end the sweeper while the service lives
            _log.warning("expiring reservations failed", extra={"cause": type(error).__name__})
            count = 0
        if count < _SWEEP_BATCH:
            await asyncio.sleep(interval * random.uniform(0.8, 1.2))  # noqa: S311 - jitter


async def _settle(
    connection: AsyncConnection,
    orders: list[uuid.UUID],
    status: str,
    *,
    kind: str = "",
    on_hand: int = 0,
    reserved: int = 0,
) -> bool:
    """Close reservations that are locked, moving each line `on_hand` and `reserved` times its quantity.

    Returns:
        Whether any product came into stock or ran out.
    """
    await connection.execute(_SET_STATUS, {"orders": orders, "status": status})
    lines = (await connection.execute(_LINES, {"orders": orders})).all()
    shifts = [
        Shift(line.product_id, line.order_id, line.quantity * on_hand, line.quantity * reserved)
        for line in lines
    ]
    moved = await move(connection, shifts, kind or status)
    if len(moved.products) < len({line.product_id for line in lines}):
        raise RuntimeError(f"the stock levels do not hold what was reserved by {orders}")
    return moved.flipped


def _demand(everything: bool) -> None:
    if not everything:
        raise _Short


async def _locked(connection: AsyncConnection, order_id: uuid.UUID) -> tuple[str, bool]:
    row = (await connection.execute(_LOCK, {"order_id": order_id})).one_or_none()
    if row is None:
        raise not_found("reservation")
    return row.status, row.overdue


async def _read(connection: AsyncConnection, order_id: uuid.UUID) -> dict[str, Any]:
    return _document((await connection.execute(_READ, {"order_id": order_id})).all())


def _repeated(wanted: NewReservation, present: dict[str, Any]) -> Outcome:
    if present["status"] in {"released", "expired"}:
        raise _closed(present["status"])
    held = {(item["product_id"], item["quantity"]) for item in present["items"]}
    if held != {(item.product_id, item.quantity) for item in wanted.items}:
        raise conflict("reservation-mismatch", "Another reservation", "The order holds other items already.")
    metrics.RESERVATIONS.labels("repeated").inc()
    return Outcome(present)


def _values(wanted: NewReservation) -> dict[str, Any]:
    return {
        "order_id": wanted.order_id,
        "ttl": wanted.ttl_seconds,
        "ids": [item.product_id for item in wanted.items],
        "quantities": [item.quantity for item in wanted.items],
    }


def _document(rows: Sequence[Row[Any]]) -> dict[str, Any]:
    head = rows[0]
    names = ("product_id", "name", "quantity", "unit_price_minor", "currency")
    return {
        "order_id": head.order_id,
        "status": head.status,
        "expires_at": head.expires_at,
        "items": [{name: row._mapping[name] for name in names} for row in rows],
    }


def _closed(status: str) -> Problem:
    detail = f"The reservation is {status}; its stock may be sold."
    return conflict("reservation-closed", "Reservation closed", detail, reservation_status=status)
