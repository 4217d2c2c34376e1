"""The tables as SQLAlchemy knows them; the migrations make them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SEARCH_DOCUMENT = (
    "setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', sku), 'A') || "
    "setweight(jsonb_to_tsvector('english', attributes, '[\"string\"]'), 'B') || "
    "setweight(to_tsvector('english', description), 'C')"
)
_VISIBLE = text("active and deleted_at is null")


class Base(DeclarativeBase):
    """All tables, with names for their constraints so that a migration can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own interface
        str: Text(),
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSONB(),
    }


class Category(Base):
    """A node of the category tree.

    Attributes:
        path: The ids from the root down to this category, itself included. One GIN lookup of an id finds its
            whole subtree, without an extension that a managed database would have to allow.
    """

    __tablename__ = "categories"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("categories.id"))
    path: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid()))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        Index("categories_parent_id_idx", "parent_id"),
        Index("categories_path_idx", "path", postgresql_using="gin"),
        CheckConstraint("path[array_upper(path, 1)] = id", name="path_ends_here"),
        CheckConstraint(
            "parent_id is not distinct from path[array_upper(path, 1) - 1]", name="path_follows_parent"
        ),
    )


class Product(Base):
    """What is sold.

    Attributes:
        search: The weighted document that full-text search looks into; PostgreSQL keeps it.
        name_sort: Orders by name independently of collation versions, which change under an index.
        version: Grows by one with each change; it is the ETag.
    """

    __tablename__ = "products"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    category_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("categories.id"))
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    deleted_at: Mapped[datetime | None]
    search: Mapped[Any] = mapped_column(TSVECTOR, Computed(SEARCH_DOCUMENT, persisted=True))
    name_sort: Mapped[str] = mapped_column(Text(collation="C"), Computed("lower(name)", persisted=True))

    __table_args__ = (
        Index("products_sku_live_idx", "sku", unique=True, postgresql_where=text("deleted_at is null")),
        Index("products_search_idx", "search", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index(
            "products_attributes_idx",
            "attributes",
            postgresql_using="gin",
            postgresql_ops={"attributes": "jsonb_path_ops"},
        ),
        Index("products_newest_idx", "id", postgresql_where=_VISIBLE),
        Index("products_price_idx", "currency", "price_minor", "id", postgresql_where=_VISIBLE),
        Index("products_name_idx", "name_sort", "id", postgresql_where=_VISIBLE),
        Index("products_category_idx", "category_id", "id"),
        CheckConstraint("price_minor >= 0", name="price_minor"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("jsonb_typeof(attributes) = 'object'", name="attributes"),
    )


class StockLevel(Base):
    """How much of a product there is; apart from products, so that a sale rewrites no search document.

    Attributes:
        on_hand: Units in the warehouse, those reserved included.
        reserved: Units promised to orders that are not confirmed yet.
    """

    __tablename__ = "stock_levels"

    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    reserved: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("on_hand >= reserved", name="no_oversell"),
        # Room in each page lets an update stay on it, so that a sale touches no index.
        {"postgresql_with": {"fillfactor": "70"}},
    )


class Reservation(Base):
    """Stock held for one order."""

    __tablename__ = "reservations"

    order_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(server_default=text("'reserved'"))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        Index("reservations_expiry_idx", "expires_at", postgresql_where=text("status = 'reserved'")),
        CheckConstraint("status in ('reserved', 'confirmed', 'released', 'expired')", name="status"),
    )


class ReservationItem(Base):
    """One line of a reservation, with name and price as they were when it was made."""

    __tablename__ = "reservation_items"

    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("reservations.order_id", ondelete="cascade"), primary_key=True
    )
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]

    __table_args__ = (
        Index("reservation_items_product_id_idx", "product_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )


class StockMovement(Base):
    """Every change of a stock level: the ledger whose sums are the level. Partitioned by month."""

    __tablename__ = "stock_movements"

    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(server_default=text("gen_random_uuid()"), primary_key=True)
    product_id: Mapped[uuid.UUID]
    order_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    on_hand_delta: Mapped[int] = mapped_column(Integer)
    reserved_delta: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None]
    actor: Mapped[str | None]

    __table_args__ = (
        Index("stock_movements_product_idx", "product_id", "occurred_at"),
        CheckConstraint(
            "kind in ('adjusted', 'counted', 'reserved', 'confirmed', 'released', 'expired', 'returned')",
            name="kind",
        ),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )
