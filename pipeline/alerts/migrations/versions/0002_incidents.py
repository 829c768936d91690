"""Incidents, their events, and the digests that people were sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATES = "state IN ('new', 'ongoing', 'acknowledged', 'snoozed', 'resolved', 'closed')"


def upgrade() -> None:
    """Make the three tables; incidents of nights published before are made when the next night is."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("value_at_risk_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.String(16), nullable=True),
        sa.Column("peak_score", sa.Double(), nullable=False),
        sa.Column("worst_severity", sa.String(16), nullable=False),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=False),
        sa.Column("nights_seen", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("phase", sa.String(16), nullable=True),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at_utc", sa.DateTime(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("previous_id", sa.String(16), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.ForeignKeyConstraint(["previous_id"], ["incidents.id"], name="fk_incidents_incidents"),
        sa.CheckConstraint("kind IN ('stockout', 'anomaly')", name="kind"),
        sa.CheckConstraint("subject_kind IN ('product', 'customer', 'store')", name="subject_kind"),
        sa.CheckConstraint(STATES, name="state"),
        sa.CheckConstraint("phase IN ('low', 'out')", name="phase"),
        sa.CheckConstraint("verdict IN ('right', 'wrong', 'known')", name="verdict"),
        sa.CheckConstraint("severity IN ('critical', 'high', 'medium', 'low')", name="severity"),
        sa.CheckConstraint("first_seen <= last_seen", name="seen"),
    )
    live = sa.text("is_live")
    op.create_index(
        "uq_incidents_live_subject", "incidents", ["subject"], unique=True, sqlite_where=live, postgresql_where=live
    )
    for columns in (["subject"], ["source", "kind", "state"], ["source", "last_seen"], ["source", "ended_on"]):
        op.create_index(f"ix_incidents_{'_'.join(columns)}", "incidents", columns)
    op.create_table(
        "incident_events",
        sa.Column("incident_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("happened_at_utc", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("state_before", sa.String(16), nullable=True),
        sa.Column("state_after", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("night", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", "number", name="pk_incident_events"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_events_incidents"),
    )
    op.create_index("ix_incident_events_night", "incident_events", ["night"])
    op.create_table(
        "digests",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("claimed_at_utc", sa.DateTime(), nullable=False),
        sa.Column("was_sent", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("source", "business_date", name="pk_digests"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("digests", "incident_events", "incidents"):
        op.drop_table(table)
