"""What requests and answers about stock look like."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloudcommerce_product.fields import MAX_UNITS, Answer, Body, Line, Units

Status = Literal["reserved", "confirmed", "released", "expired"]


class StockCount(Body):
    """What was counted in the warehouse, reserved units included."""

    on_hand: Units
    reason: Line


class StockAdjustment(Body):
    """Units that came or went."""

    delta: Annotated[int, Field(ge=-MAX_UNITS, le=MAX_UNITS, strict=True)]
    reason: Line

    @model_validator(mode="after")
    def _changes_something(self) -> "StockAdjustment":
        if self.delta == 0:
            raise ValueError("delta must not be 0")
        return self


class Stock(Answer):
    """A product's stock; `available` is what can be ordered."""

    product_id: uuid.UUID
    on_hand: int
    reserved: int
    available: int
    updated_at: datetime


class WantedItem(Body):
    """Units of one product."""

    product_id: uuid.UUID
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class NewReservation(Body):
    """Stock to be held for an order."""

    order_id: uuid.UUID
    items: Annotated[tuple[WantedItem, ...], Field(min_length=1, max_length=100)]
    ttl_seconds: Annotated[int, Field(ge=1, strict=True)]

    @model_validator(mode="after")
    def _products_once(self) -> "NewReservation":
        if len({item.product_id for item in self.items}) != len(self.items):
            raise ValueError("each product may appear once; add its quantities up")
        return self


class ReservedItem(Answer):
    """Units held, with name and price as of the reservation."""

    product_id: uuid.UUID
    name: str
    quantity: int
    unit_price_minor: int
    currency: str


class Reservation(Answer):
    """Stock held for an order."""

    order_id: uuid.UUID
    status: Status
    expires_at: datetime
    items: list[ReservedItem]
