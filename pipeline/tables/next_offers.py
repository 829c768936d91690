"""What each customer takes next, and in how many days: the best offers of every active customer."""

from datetime import date

from pipeline.tables.contract import Column, Table

FALLBACKS = ("no_model", "few_events")

NEXT_OFFERS = Table(
    name="next_offers",
    grain="one offer to one customer",
    key=("customer_id", "offer_rank"),
    min_rows=0,
    columns=(
        Column("customer_id", "string", "customer"),
        Column("offer_rank", "int", "1 is the best offer to the customer", minimum=1, maximum=100),
        Column("offer", "string", "category or product, as `[offers]` of the source says"),
        Column("probability", "double", "of being the customer's next", minimum=0.0, maximum=1.0),
        Column("from_days", "int", "first day of its most probable bucket, after last_sold_on", unit="days", minimum=1),
        Column("to_days", "int", "last day of the bucket", unit="days", nullable=True, minimum=1),
        Column("bucket_probability", "double", "of that bucket, given the offer", minimum=0.0, maximum=1.0),
        Column("joint_probability", "double", "of offer and bucket", minimum=0.0, maximum=1.0),
        Column(
            "probability_by_day",
            "array<double>",
            "of being the next and coming within 1, 2, ... 28 days from the business date",
        ),
        Column("expected_on", "date", "mean day, given that it did not come yet", minimum=date(1970, 1, 2)),
        Column("expected_amount_cents", "double", "probability times what is usually paid", unit="cents", minimum=0.0),
        Column("last_sold_on", "date", "day of the customer's latest offer", minimum=date(1970, 1, 2)),
        Column("fallback", "string", "why the model did not predict it, if so", nullable=True, values=FALLBACKS),
        Column("model_version", "string", "registered model name and version, or `frequency`"),
        Column("business_date", "date", "the night", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)
