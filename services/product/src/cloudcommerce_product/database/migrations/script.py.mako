"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only: the version before this one still serves while this runs."""
    ${upgrades if upgrades else "op.execute('')"}
