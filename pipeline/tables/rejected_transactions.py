"""Lines that could not be accepted, each with its file, line and reason; accepted + rejected = delivered, always.

Cumulative: every version holds the refused lines of all files read so far.
"""

from pipeline.tables.contract import Column, Table

REASONS = (
    "unreadable_file",
    "bad_encoding",
    "column_count",
    "missing_key",
    "not_a_product",
    "unparseable_date",
    "unparseable_number",
    "not_a_number",
    "infinite",
    "overflow",
    "negative_amount",
    "future_date",
    "duplicate_line",
)

REJECTED_TRANSACTIONS = Table(
    name="rejected_transactions",
    grain="one refused line of a delivered file",
    key=("source_file", "source_line"),
    min_rows=0,
    min_row_ratio=0.0,
    cumulative=True,
    columns=(
        Column("source_file", "string", "delivered file, relative to the source's folder"),
        Column("source_line", "bigint", "line in that file, the header being line 1", minimum=1),
        Column("reason", "string", "why it was refused; the first that applies", values=REASONS),
        Column("column_name", "string", "the delivered column at fault", nullable=True),
        Column("value", "string", "what stood there, cut at 200 characters", nullable=True),
        Column("sold_on", "date", "the day that the line names, where it can be read", nullable=True),
    ),
)
