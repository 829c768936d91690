"""The usual order of incidents, ties included, from an index; on SQLite with the columns that people filter by."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = ["source", "kind", "value_at_risk_cents"]
ORDER = [*BEFORE, "id"]
FILTERS = ["state", "store_id", "name", "category", "first_seen", "verdict"]


def upgrade() -> None:
    """One index in place of another."""
    op.drop_index("ix_incidents_source_kind_value_at_risk_cents", "incidents")
    if _is_sqlite():
        op.create_index("ix_incidents_order_and_filters", "incidents", [*ORDER, *FILTERS])
    else:
        op.create_index("ix_incidents_order", "incidents", ORDER)


def downgrade() -> None:
    """As before."""
    op.drop_index("ix_incidents_order_and_filters" if _is_sqlite() else "ix_incidents_order", "incidents")
    op.create_index("ix_incidents_source_kind_value_at_risk_cents", "incidents", BEFORE)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
