"""Tonight's alerts as they would have been on past mornings, from what was known then, against what came.

Sums by probability, so that precision, recall, calibration and days ahead of any group are quotients of sums: precision
is `right_alerts / alerts`, recall `right_alerts / happened`, the stated probability `stated / judged` beside the share
that came, `happened / judged`.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

KINDS = ("stockout",)
# Tenths of probability.
BINS = 10

ALERT_BACKTESTS = Table(
    name="alert_backtests",
    grain="one kind of alert in one store on one past morning, of one tenth of stated probability",
    key=("kind", "store_id", "as_of", "bin"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("kind", "string", "kind of alert", values=KINDS),
        Column("store_id", "string", "store"),
        Column("as_of", "date", "past morning; only what was known then was read", minimum=date(1970, 1, 2)),
        Column("bin", "int", "tenth of the stated probability, 0 the lowest", minimum=0, maximum=BINS - 1),
        Column("judged", "bigint", "shelves with such a probability", minimum=1),
        Column("stated", "double", "sum of their stated probabilities, calibrated by the weeks before", minimum=0.0),
        Column("happened", "bigint", "of them short within the horizon", minimum=0),
        Column("alerts", "bigint", "of them alerts", minimum=0),
        Column("right_alerts", "bigint", "alerts that came true", minimum=0),
        Column("days_ahead", "bigint", "days from that morning to the first short day, over right alerts", minimum=0),
        Column("intercept", "double", "calibration of tonight's probabilities in this store: added to the logit"),
        Column("slope", "double", "calibration of tonight's probabilities in this store: times the logit", minimum=0.0),
    ),
)
