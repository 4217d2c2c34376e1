"""Categories and products with their search document."""

from alembic import op

from cloudcommerce_product.database.migrations.statements import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CATEGORIES = """
create table categories (
    id uuid constraint categories_pkey primary key,
    parent_id uuid constraint categories_parent_id_fkey references categories,
    path uuid[] not null,
    slug text not null constraint categories_slug_key unique,
    name text not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint categories_path_ends_here_check check (path[array_upper(path, 1)] = id),
    constraint categories_path_follows_parent_check
        check (parent_id is not distinct from path[array_upper(path, 1) - 1])
)
"""

_PRODUCTS = """
create table products (
    id uuid constraint products_pkey primary key,
    sku text not null,
    name text not null,
    description text not null default '',
    price_minor bigint not null constraint products_price_minor_check check (price_minor >= 0),
    currency text not null constraint products_currency_check check (currency ~ '^[A-Z]{3}$'),
    category_id uuid constraint products_category_id_fkey references categories,
    attributes jsonb not null default '{}'
        constraint products_attributes_check check (jsonb_typeof(attributes) = 'object'),
    active boolean not null default true,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    search tsvector not null generated always as (
        setweight(to_tsvector('english', name), 'A') ||
        setweight(to_tsvector('english', sku), 'A') ||
        setweight(jsonb_to_tsvector('english', attributes, '["string"]'), 'B') ||
        setweight(to_tsvector('english', description), 'C')
    ) stored,
    name_sort text collate "C" not null generated always as (lower(name)) stored
)
"""


def upgrade() -> None:
    """Make the tables and their indexes; nothing exists yet that could wait for them."""
    run(
        op,
        _CATEGORIES,
        "create index categories_parent_id_idx on categories (parent_id)",
        "create index categories_path_idx on categories using gin (path)",
        _PRODUCTS,
        "create unique index products_sku_live_idx on products (sku) where deleted_at is null",
        "create index products_search_idx on products using gin (search) with (fastupdate = off)",
        "create index products_attributes_idx on products using gin (attributes jsonb_path_ops)",
        "create index products_newest_idx on products (id) where active and deleted_at is null",
        "create index products_price_idx on products (currency, price_minor, id) "
        "where active and deleted_at is null",
        "create index products_name_idx on products (name_sort, id) where active and deleted_at is null",
        "create index products_category_idx on products (category_id, id)",
    )
