"""What was done in the cases of a sales team, and what is known of each case.

Both are made anew from all delivered files, as of the business date: an action on or after it is left out, and a case
that goes on after it is open.
"""

from datetime import date

from pipeline.tables.contract import Column, Table
from pipeline.tables.rejected_transactions import REASONS

OUTCOMES = ("won", "lost")
FIRST, LAST = date(1970, 1, 2), date(2200, 1, 1)

ACTIONS = Table(
    name="actions",
    grain="one action of a case",
    key=("case_id", "position"),
    columns=(
        Column("case_id", "string", "case"),
        Column("position", "int", "1 is the case's first action; equal moments keep the order of the files", minimum=1),
        Column("acted_at_utc", "timestamp", "when it was done"),
        Column("local_hour", "double", "hour of the day where it was done", minimum=0.0, maximum=24.0),
        Column("acted_on", "date", "day where it was done", minimum=FIRST, maximum=LAST),
        Column("action", "string", "what was done"),
        Column("agent", "string", "who did it", nullable=True),
    ),
)

CASES = Table(
    name="cases",
    grain="one case with an action",
    key=("case_id",),
    columns=(
        Column("case_id", "string", "case"),
        Column("agent", "string", "who did the latest action that names somebody", nullable=True),
        Column("outcome", "string", "how it ended, where that is known", nullable=True, values=OUTCOMES),
        Column(
            "ended_on",
            "date",
            "day on which its end was known; empty: open",
            nullable=True,
            minimum=FIRST,
            maximum=LAST,
        ),
        Column("n_actions", "int", "actions so far", minimum=1),
        Column("first_acted_on", "date", "day of the first action", minimum=FIRST, maximum=LAST),
        Column("last_acted_on", "date", "day of the latest action", minimum=FIRST, maximum=LAST),
        Column("attributes", "array<string>", "what is known from the beginning, as name=value", nullable=True),
        Column(
            "numbers",
            "array<struct<name:string,value:double>>",
            "the same of numbers, in the order of the description",
            nullable=True,
        ),
    ),
)

REJECTED_ACTIONS = Table(
    name="rejected_actions",
    grain="one refused line of the delivered action and case files",
    key=("kind", "source_file", "source_line"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("kind", "string", "which files it is of", values=("actions", "cases")),
        Column("source_file", "string", "delivered file, relative to the source's folder"),
        Column("source_line", "bigint", "line in that file, the header being line 1", minimum=1),
        Column("reason", "string", "why it was refused; the first that applies", values=REASONS),
        Column("column_name", "string", "the delivered column at fault", nullable=True),
        Column("value", "string", "what stood there, cut at 200 characters", nullable=True),
        Column("acted_on", "date", "the day that the line names, where it can be read", nullable=True),
    ),
)
