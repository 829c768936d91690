"""What will come back: the probability of each order line inside its return window, and units by product and day."""

from datetime import date

from pipeline.tables.contract import Column, Table

RETURN_FORECASTS = Table(
    name="return_forecasts",
    grain="one order line whose return window is not over and of which nothing came back",
    key=("basket_key", "product_id"),
    min_rows=0,
    columns=(
        Column("basket_key", "string", "session, as in `baskets`"),
        Column("customer_id", "string", "customer"),
        Column("store_id", "string", "store of the session"),
        Column("product_id", "string", "product"),
        Column("sold_on", "date", "shop's calendar day", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column("quantity", "double", "units of the line", unit="units", minimum=0.0, maximum=1e9),
        Column("amount_cents", "bigint", "paid for the line", unit="cents", minimum=0, maximum=10**14),
        Column("last_return_on", "date", "last day of its return window", minimum=date(1970, 1, 2)),
        Column(
            "probability",
            "double",
            "of coming back from the business date to that day, wholly or in part",
            minimum=0.0,
            maximum=1.0,
        ),
        Column("expected_units", "double", "units expected to come back", unit="units", minimum=0.0, maximum=1e9),
        Column(
            "expected_units_by_day",
            "array<double>",
            "the same by day, from the business date to the last day of the window",
            unit="units",
        ),
        Column("fallback", "string", "why the model did not predict it, if so", nullable=True, values=("no_model",)),
        Column("model_version", "string", "registered model name and version, or `rates`"),
        Column("business_date", "date", "the night", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)

EXPECTED_RETURNS = Table(
    name="expected_returns",
    grain="one product that may come back to one store on one day",
    key=("store_id", "product_id", "returns_on"),
    min_rows=0,
    columns=(
        Column("store_id", "string", "store that sold it"),
        Column("product_id", "string", "product"),
        Column("returns_on", "date", "day, the business date first", minimum=date(1970, 1, 2)),
        Column(
            "expected_units",
            "double",
            "sum over the lines of `return_forecasts`",
            unit="units",
            minimum=0.0,
            maximum=1e9,
        ),
        Column("n_lines", "int", "lines that may come back on that day", minimum=1, maximum=10**9),
        Column("business_date", "date", "the night", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)
