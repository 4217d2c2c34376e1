"""Stock levels, reservations and the ledger of movements."""

from alembic import op

from cloudcommerce_product.database.migrations.statements import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LEVELS = """
create table stock_levels (
    product_id uuid constraint stock_levels_pkey primary key
        constraint stock_levels_product_id_fkey references products,
    on_hand integer not null default 0,
    reserved integer not null default 0 constraint stock_levels_reserved_check check (reserved >= 0),
    updated_at timestamptz not null default now(),
    constraint stock_levels_no_oversell_check check (on_hand >= reserved)
) with (fillfactor = 70)
"""

_RESERVATIONS = """
create table reservations (
    order_id uuid constraint reservations_pkey primary key,
    status text not null default 'reserved' constraint reservations_status_check
        check (status in ('reserved', 'confirmed', 'released', 'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
)
"""

_ITEMS = """
create table reservation_items (
    order_id uuid not null
        constraint reservation_items_order_id_fkey references reservations on delete cascade,
    product_id uuid not null constraint reservation_items_product_id_fkey references products,
    quantity integer not null constraint reservation_items_quantity_check check (quantity > 0),
    name text not null,
    unit_price_minor bigint not null,
    currency text not null,
    constraint reservation_items_pkey primary key (order_id, product_id)
)
"""

_MOVEMENTS = """
create table stock_movements (
    occurred_at timestamptz not null default now(),
    id uuid not null default gen_random_uuid(),
    product_id uuid not null,
    order_id uuid,
    kind text not null constraint stock_movements_kind_check check (
        kind in ('adjusted', 'counted', 'reserved', 'confirmed', 'released', 'expired', 'returned')),
    on_hand_delta integer not null,
    reserved_delta integer not null,
    reason text,
    actor text,
    constraint stock_movements_pkey primary key (occurred_at, id)
) partition by range (occurred_at)
"""


def upgrade() -> None:
    """Make the tables; `migrate` adds the monthly partitions."""
    run(
        op,
        _LEVELS,
        # A product without a level would be sold never and counted never.
        "insert into stock_levels (product_id) select id from products",
        _RESERVATIONS,
        "create index reservations_expiry_idx on reservations (expires_at) where status = 'reserved'",
        _ITEMS,
        "create index reservation_items_product_id_idx on reservation_items (product_id)",
        _MOVEMENTS,
        "create index stock_movements_product_idx on stock_movements (product_id, occurred_at)",
        "create table stock_movements_default partition of stock_movements default",
    )
