"""Predicted baskets of past mornings against the baskets that the customers then bought.

Sums over customers, so that every figure is a quotient: recall is `recall_10 / came`, precision `hits / named`, hit
rate `hit_customers / came`, the error in days `days_error / came`. A customer's next basket is the first one on that
morning or later. `list_...` is the same of the customer's own most frequent products, as many as the predicted basket
names. Nothing here names a customer, so there is nothing to erase.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

# As published that night, by its champion or by the fallback; or by tonight's champion as of that morning.
BY_MODEL, BY_FREQUENCY, REPLAY = "model", "frequency", "replay"
TENTHS = 10
CUTOFF = 10

BASKET_BACKTESTS = Table(
    name="basket_backtests",
    grain="one past morning and who predicted it",
    key=("origin", "as_of"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column(
            "origin",
            "string",
            "published that night by its model or by frequency; replay: by tonight's champion, which learned from "
            "nothing on that morning or later",
            values=(BY_MODEL, BY_FREQUENCY, REPLAY),
        ),
        Column("as_of", "date", "past morning; only baskets before it were read", minimum=date(1970, 1, 2)),
        Column("predicted", "bigint", "customers predicted, a sample where there are many", minimum=1),
        Column("came", "bigint", "of them with a basket since; all that follows but `due` is of these", minimum=0),
        Column("named", "bigint", "products in their predicted baskets", minimum=0),
        Column("bought", "bigint", "products in their next baskets, also those that no vocabulary holds", minimum=0),
        Column("hits", "bigint", "products in both", minimum=0),
        Column("hit_customers", "bigint", "customers with one such product or more", minimum=0),
        Column("recall_10", "double", "share of the bought products among the first ten named, summed", minimum=0.0),
        Column("size_error", "bigint", "products named too many or too few, summed", minimum=0),
        Column("days_error", "bigint", "days from the stated day to that of the next basket, summed", minimum=0),
        Column("due", "bigint", "customers predicted whose stated day has passed", minimum=0),
        Column("came_by_due", "bigint", "of them with a basket by that day; half or more, by a median", minimum=0),
        Column("list_named", "bigint", "products in the lists of own products", minimum=0),
        Column("list_hits", "bigint", "of them bought", minimum=0),
        Column("list_hit_customers", "bigint", "customers with one such product or more", minimum=0),
        Column("list_recall_10", "double", "as `recall_10`", minimum=0.0),
        Column("named_by_tenth", "array<bigint>", "products named, by tenth of stated probability, the lowest first"),
        Column("stated_by_tenth", "array<double>", "sum of their stated probabilities"),
        Column("hits_by_tenth", "array<bigint>", "of them bought"),
    ),
)
