"""The alert tables in SQL: what merchandisers and their tools read in the morning.

An alert states everything needed to check it without the lake: where, what, how bad, why, and which run, model and
data it comes from. Its `id` follows from source, night and subject, so publishing a night again keeps every id.
Money is whole cents; `rank` 1 is the worst of its source, night and kind.
"""

import hashlib
from base64 import b32encode
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from models.directions import DIRECTIONS
from models.severities import SEVERITIES
from pipeline.tables.sequences import FUNNEL_KINDS

ALERT_ID = String(16)
NAME = String()


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Common metadata; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The SQL condition that `column` holds one of `values`."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Publication(Base):
    """One night of one source, and what its alerts were made from; by `content_hash` a rerun is compared."""

    __tablename__ = "publications"

    source: Mapped[str] = mapped_column(NAME, primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(NAME)
    model_version: Mapped[str] = mapped_column(NAME)
    data_version: Mapped[str] = mapped_column(NAME)
    stockouts: Mapped[int]
    anomalies: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    published_at_utc: Mapped[datetime] = mapped_column(DateTime)


class Alert(MappedAsDataclass, kw_only=True):
    """What both kinds of alert carry."""

    id: Mapped[str] = mapped_column(ALERT_ID, primary_key=True)
    source: Mapped[str] = mapped_column(NAME)
    business_date: Mapped[date]
    run_id: Mapped[str] = mapped_column(NAME)
    model_version: Mapped[str] = mapped_column(NAME)
    data_version: Mapped[str] = mapped_column(NAME)
    rank: Mapped[int]
    severity: Mapped[str] = mapped_column(String(16))
    store_id: Mapped[str] = mapped_column(NAME)
    value_at_risk_cents: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)


def _of_publication(*key: str) -> tuple[object, ...]:
    """The constraints of both kinds; `key` is the subject of the alert within its night."""
    return (
        ForeignKeyConstraint(
            ["source", "business_date"], ["publications.source", "publications.business_date"], ondelete="CASCADE"
        ),
        UniqueConstraint("source", "business_date", *key),
        UniqueConstraint("source", "business_date", "rank"),
        CheckConstraint("rank >= 1", name="rank"),
        CheckConstraint(one_of("severity", SEVERITIES), name="severity"),
        CheckConstraint("value_at_risk_cents >= 0", name="value"),
    )


class StockoutAlert(Alert, Base, kw_only=True):
    """A product expected to run out in a store; value at risk is that of the units short."""

    __tablename__ = "stockout_alerts"
    __table_args__ = (
        *_of_publication("store_id", "product_id"),
        CheckConstraint("probability >= 0 AND probability <= 1", name="probability"),
        Index(None, "store_id", "business_date"),
    )

    product_id: Mapped[str] = mapped_column(NAME)
    product_name: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    short_on: Mapped[date]
    horizon_days: Mapped[int]
    probability: Mapped[float]
    units_short: Mapped[float]
    on_hand: Mapped[float]
    resupply: Mapped[float]
    demand: Mapped[float]
    days_of_cover: Mapped[float]
    n_customers: Mapped[int]
    # Null in nights published before these were kept.
    resupply_on: Mapped[date | None] = mapped_column(default=None)
    demand_p10: Mapped[float | None] = mapped_column(default=None)
    demand_p90: Mapped[float | None] = mapped_column(default=None)


class AnomalyAlert(Alert, Base, kw_only=True):
    """A funnel whose behaviour changed; its value is what it spends in a usual month, at risk unless it is a gain."""

    __tablename__ = "anomaly_alerts"
    __table_args__ = (
        *_of_publication("funnel_kind", "funnel_id"),
        CheckConstraint(one_of("funnel_kind", FUNNEL_KINDS), name="funnel_kind"),
        CheckConstraint(one_of("direction", DIRECTIONS), name="direction"),
        Index(None, "store_id", "business_date"),
    )

    funnel_kind: Mapped[str] = mapped_column(String(16))
    funnel_id: Mapped[str] = mapped_column(NAME)
    observed_on: Mapped[date]
    score: Mapped[float]
    distance: Mapped[float]
    cluster: Mapped[int]
    # Null in nights published before it was kept.
    direction: Mapped[str | None] = mapped_column(String(8), default=None)


KINDS: dict[str, type[StockoutAlert] | type[AnomalyAlert]] = {"stockout": StockoutAlert, "anomaly": AnomalyAlert}


def alert_id(kind: str, source: str, business_date: date, *subject: str) -> str:
    """The kind's initial and a hash: the same alert always, another one never in practice."""
    return kind[0] + short_hash(kind, source, business_date.isoformat(), *subject)


def short_hash(*parts: str) -> str:
    """65 bits of a hash, in 13 letters and digits."""
    return b32encode(hashlib.sha256("\x1f".join(parts).encode()).digest()).decode().lower()[:13]
