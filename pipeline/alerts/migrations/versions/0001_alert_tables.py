"""Publications, stock-out alerts and anomaly alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "publications",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("data_version", sa.String(), nullable=False),
        sa.Column("stockouts", sa.Integer(), nullable=False),
        sa.Column("anomalies", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("published_at_utc", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "business_date", name="pk_publications"),
    )
    op.create_table(
        "stockout_alerts",
        *_common_columns(),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("short_on", sa.Date(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("units_short", sa.Double(), nullable=False),
        sa.Column("on_hand", sa.Double(), nullable=False),
        sa.Column("resupply", sa.Double(), nullable=False),
        sa.Column("demand", sa.Double(), nullable=False),
        sa.Column("days_of_cover", sa.Double(), nullable=False),
        sa.Column("n_customers", sa.Integer(), nullable=False),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name="probability"),
        *_common_constraints("stockout_alerts", "store_id", "product_id"),
    )
    op.create_table(
        "anomaly_alerts",
        *_common_columns(),
        sa.Column("funnel_kind", sa.String(16), nullable=False),
        sa.Column("funnel_id", sa.String(), nullable=False),
        sa.Column("observed_on", sa.Date(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.Column("cluster", sa.Integer(), nullable=False),
        sa.CheckConstraint("funnel_kind IN ('customer', 'store')", name="funnel_kind"),
        *_common_constraints("anomaly_alerts", "funnel_kind", "funnel_id"),
    )
    for table in ("stockout_alerts", "anomaly_alerts"):
        op.create_index(f"ix_{table}_store_id_business_date", table, ["store_id", "business_date"])


def downgrade() -> None:
    """Drop them."""
    for table in ("anomaly_alerts", "stockout_alerts", "publications"):
        op.drop_table(table)


def _common_columns() -> list[sa.Column]:
    return [
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("data_version", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("value_at_risk_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    ]


def _common_constraints(table: str, *subject: str) -> list[sa.Constraint]:
    key = ("source", "business_date", *subject)
    return [
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["source", "business_date"],
            ["publications.source", "publications.business_date"],
            name=f"fk_{table}_publications",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(*key, name=f"uq_{table}_{'_'.join(key)}"),
        sa.UniqueConstraint("source", "business_date", "rank", name=f"uq_{table}_source_business_date_rank"),
        sa.CheckConstraint("rank >= 1", name="rank"),
        sa.CheckConstraint("severity IN ('critical', 'high', 'medium', 'low')", name="severity"),
        sa.CheckConstraint("value_at_risk_cents >= 0", name="value"),
    ]
