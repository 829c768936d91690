"""Whether a behaviour alert is a loss or a gain; null in nights published before. What is at risk counts losses."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("anomaly_alerts", "incidents")
INDEX = "ix_incidents_order_and_filters"
BEFORE = [
    *("source", "kind", "value_at_risk_cents", "id"),
    *("state", "store_id", "name", "category", "first_seen", "verdict"),
]


def upgrade() -> None:
    """Add the columns; on SQLite the index of the page's order and counts has it, too."""
    for table in TABLES:
        # The condition belongs to the column: SQLite adds none to a table, and drops this one with the column.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN direction VARCHAR(8) "
            f"CONSTRAINT ck_{table}_direction CHECK (direction IN ('loss', 'gain'))"
        )
    _index([*BEFORE, "direction"])


def downgrade() -> None:
    """Drop them."""
    _index(BEFORE)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN direction")


def _index(columns: list[str]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(INDEX, "incidents")
        op.create_index(INDEX, "incidents", columns)
