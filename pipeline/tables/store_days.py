"""Which days of which store are known: sold, closed, or not delivered.

A day without lines is not a day without demand: either the store was closed, as it often is on such days, or its lines
did not come. Whoever learns from daily sales leaves both out. Cumulative, as `transactions` are.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

SOLD, MISSING, CLOSED = DAY_STATES = ("sold", "missing", "closed")

STORE_DAYS = Table(
    name="store_days",
    grain="one calendar day of one store, from its first sale on",
    key=("store_id", "day"),
    cumulative=True,
    columns=(
        Column("store_id", "string", "store"),
        Column("day", "date", "shop's calendar day", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column(
            "state",
            "string",
            "sold: has lines; missing: has none, where such days usually have; closed: has none, as usual",
            values=DAY_STATES,
        ),
        Column("lines", "bigint", "accepted lines", minimum=0),
    ),
)
