"""Alembic's entry: runs the migrations on the connection that the command hands over."""

from alembic import context

from cloudcommerce_product.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
