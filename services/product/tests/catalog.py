"""A catalog as a shop has it."""

import asyncpg

from cloudcommerce_product.fields import new_id


async def fill(url: str, rows: int) -> None:
    """Fill a migrated database: some words rare, prices spread, a tree of 100 categories."""
    connection = await asyncpg.connect(url)
    categories = [new_id() for _ in range(100)]
    await connection.executemany(
        "insert into categories (id, parent_id, path, slug, name) values ($1, $2, $3, $4, $4)",
        [
            (c, None if n < 10 else categories[n % 10], [c] if n < 10 else [categories[n % 10], c], f"c{n}")
            for n, c in enumerate(categories)
        ],
    )
    columns = ["id", "sku", "name", "description", "price_minor", "currency", "category_id", "attributes"]
    records = [
        (
            new_id(),
            f"SKU-{n}",
            f"model{n % 500} item {n}",
            f"word{n % 300} text{n % 70} about it",
            n * 37 % 99_991,
            "USD",
            categories[n % 100],
            f'{{"color": "c{n % 400}", "size": "s{n % 7}"}}',
        )
        for n in range(rows)
    ]
    await connection.copy_records_to_table("products", records=records, columns=columns)
    await connection.execute("insert into stock_levels (product_id, on_hand) select id, 5 from products")
    # Not VACUUM ANALYZE of everything: the plans must be good as autovacuum's own analyze leaves them.
    await connection.execute("analyze")
    await connection.close()
