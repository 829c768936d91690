"""What each customer paid and was paid back, day by day, as it was booked: the ledger that customer values rest on.

A return counts on the day on which it came, never on that of the purchase, so that no later day changes an earlier one
(`baskets` nets returns against the purchases they take back). Sales without a customer are left out.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

CUSTOMER_DAYS = Table(
    name="customer_days",
    grain="one customer on one day with a purchase or a return",
    key=("customer_id", "sold_on"),
    min_rows=0,
    columns=(
        Column("customer_id", "string", "customer"),
        Column("sold_on", "date", "shop's calendar day", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column("lines", "bigint", "lines bought; 0 on a day of returns alone", minimum=0),
        Column("bought_cents", "bigint", "money paid, discounts taken off", unit="cents", minimum=0, maximum=10**14),
        Column("returned_cents", "bigint", "money paid back", unit="cents", minimum=0, maximum=10**14),
    ),
)
