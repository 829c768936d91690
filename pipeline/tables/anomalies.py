"""Funnels whose latest basket left the pattern of their cluster (LENS, Algorithm 1)."""

from models.directions import DIRECTIONS
from models.severities import SEVERITIES
from pipeline.tables.contract import Column, Table
from pipeline.tables.sequences import FUNNEL_KINDS

# The kinds of change that have scores of their own, beside the total.
SCORES = {
    "content_score": "the products are",
    "size_score": "the size of the basket is",
    "quantity_score": "the units of each product are",
    "timing_score": "the days between baskets, or since the last one, are",
}

ANOMALIES = Table(
    name="anomalies",
    grain="one funnel",
    key=("funnel_kind", "funnel_id"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("funnel_kind", "string", "what the funnel is", values=FUNNEL_KINDS),
        Column("funnel_id", "string", "customer_id or store_id"),
        Column("store_id", "string", "home store"),
        Column("observed_on", "date", "day of the basket that is strange, or of the night for a missing one"),
        Column("distance", "double", "d_A, prediction against what happened", minimum=0.0),
        Column("cluster", "int", "f_k of the funnel's embedding", minimum=0),
        Column("score", "double", "-log10 of the harmonic mean of the kinds' tail probabilities (d_B)", minimum=0.0),
        *(
            Column(name, "double", f"how strange {what}, as a tail probability's -log10", minimum=0.0)
            for name, what in SCORES.items()
        ),
        Column("is_news", "boolean", "it was not as strange just before already"),
        Column("is_alert", "boolean", "news, and among the configured rate of alerts"),
        Column("value_cents", "bigint", "what the funnel spends in a usual month", unit="cents", minimum=0),
        Column("direction", "string", "whether it spends less than usual, or at least as much", values=DIRECTIONS),
        Column("severity", "string", "from score and value", values=SEVERITIES),
        Column("reason", "string", "one sentence naming the products or days that made it"),
    ),
)
