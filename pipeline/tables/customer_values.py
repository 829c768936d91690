"""What each customer is worth: recency, frequency and monetary value, and what is expected in the days to come.

A basket is here a day on which the customer bought; several of one day count once. Money is in the source's currency,
returns subtracted on the day they came. A band holds 80 % of the outcomes: a tenth lies below and a tenth above; where
more than a tenth of such customers buy nothing, its lower end is 0, and a fifth lies above.
"""

from datetime import date

from models.customer_value.kinds import COMBINATIONS, SEGMENTS, TRENDS
from pipeline.tables.contract import Column, Table

PERIODS = (30, 90, 365)
FALLBACKS = ("no_model",)
_FIRST, _LAST = date(1970, 1, 2), date(2200, 1, 1)


def _money(name: str, meaning: str, least: float | None = 0.0) -> Column:
    return Column(name, "double", meaning, unit="cents", minimum=least, maximum=1e15)


def _expected(days: int) -> tuple[Column, ...]:
    return (
        Column(f"baskets_{days}", "double", f"expected baskets of {days} days", minimum=0.0, maximum=float(days)),
        Column(f"baskets_{days}_low", "double", "lower end of its band", minimum=0.0, maximum=1e6),
        Column(f"baskets_{days}_high", "double", "upper end of its band", minimum=0.0, maximum=1e6),
        _money(f"spend_{days}_cents", f"expected spend of {days} days"),
        _money(f"spend_{days}_low_cents", "lower end of its band"),
        _money(f"spend_{days}_high_cents", "upper end of its band"),
    )


CUSTOMER_VALUES = Table(
    name="customer_values",
    grain="one customer with a basket before the business date",
    key=("customer_id",),
    min_rows=0,
    columns=(
        Column("customer_id", "string", "customer"),
        Column("first_sold_on", "date", "day of the first basket", minimum=_FIRST, maximum=_LAST),
        Column("last_sold_on", "date", "day of the latest basket", minimum=_FIRST, maximum=_LAST),
        Column("recency_days", "int", "days since the latest basket", unit="days", minimum=1),
        Column("frequency", "int", "baskets so far", minimum=1),
        _money("monetary_cents", "mean spend of a basket"),
        _money("spend_cents", "spend so far"),
        Column("recency_score", "int", "quintile, 5 the latest; equal values have equal scores", minimum=1, maximum=5),
        Column("frequency_score", "int", "quintile, 5 the most; equal values have equal scores", minimum=1, maximum=5),
        Column("monetary_score", "int", "quintile, 5 the most; equal values have equal scores", minimum=1, maximum=5),
        Column("segment", "string", "name of recency and frequency score together", values=SEGMENTS),
        Column("trend", "string", "spend of the latest horizon beside the one before", values=TRENDS),
        Column("still_customer", "double", "probability of not having left for good", minimum=0.0, maximum=1.0),
        Column("next_sold_on", "date", "median day of the next basket of who is still one", minimum=_FIRST),
        *(column for days in PERIODS for column in _expected(days)),
        _money("lifetime_value_cents", "expected spend of `values.years`, discounted by `values.discount_rate` a year"),
        Column("method", "string", "what the back-test chose", values=tuple(COMBINATIONS)),
        Column("fallback", "string", "why the champion did not predict it, if so", nullable=True, values=FALLBACKS),
        Column("model_version", "string", "registered model name and version, or `closed form`"),
        Column("business_date", "date", "the night", minimum=_FIRST, maximum=_LAST),
    ),
)
