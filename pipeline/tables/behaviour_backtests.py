"""Tonight's alerts of customers who stay away as they would have been on past mornings, against who then came.

Sums, so that precision is `right_alerts / alerts`, beside the share of all customers, `stayed_away / judged`.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

# Whole parts of the score; the last holds all higher ones.
BINS = 5

BEHAVIOUR_BACKTESTS = Table(
    name="behaviour_backtests",
    grain="customers of one home store on one past morning, of one whole part of the score",
    key=("store_id", "as_of", "bin"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("store_id", "string", "home store"),
        Column("as_of", "date", "past morning; only baskets before it were scored", minimum=date(1970, 1, 2)),
        Column("bin", "int", "whole part of the score, 4 and more in the last", minimum=0, maximum=BINS - 1),
        Column("judged", "bigint", "customers scored, whose usual gap has passed since", minimum=1),
        Column("stayed_away", "bigint", "of them without a basket within that gap", minimum=0),
        Column("alerts", "bigint", "of them alerts of staying away", minimum=0),
        Column("right_alerts", "bigint", "alerts whose customer stayed away", minimum=0),
    ),
)
