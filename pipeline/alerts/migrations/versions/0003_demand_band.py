"""When goods arrive and how far demand may spread, beside each stock-out; null in nights published before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS: dict[str, sa.types.TypeEngine] = {
    "resupply_on": sa.Date(),
    "demand_p10": sa.Double(),
    "demand_p90": sa.Double(),
}


def upgrade() -> None:
    """Add the columns, and the index by which the page finds the open incidents that cost most."""
    with op.batch_alter_table("stockout_alerts") as table:
        for name, kind in COLUMNS.items():
            table.add_column(sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_incidents_source_kind_value_at_risk_cents", "incidents", ["source", "kind", "value_at_risk_cents"]
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_incidents_source_kind_value_at_risk_cents", "incidents")
    with op.batch_alter_table("stockout_alerts") as table:
        for name in COLUMNS:
            table.drop_column(name)
