"""One customer's story, from the tables of the lake: value, days, offers, predicted visit, returns expected.

What a capability writes that is switched off is missing here, and so is what an erasure took out.
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow.dataset as ds

from pipeline.lake.lake import Lake
from pipeline.tables.customer_days import CUSTOMER_DAYS
from pipeline.tables.customer_values import CUSTOMER_VALUES, PERIODS
from pipeline.tables.next_offers import NEXT_OFFERS
from pipeline.tables.predictions import PREDICTIONS
from pipeline.terminal import money

RETURN_FORECASTS = "return_forecasts"
"""Published where the source has the capability of returns."""


@dataclass(frozen=True)
class CustomerStory:
    """What is known and expected of one customer.

    value: its row of `customer_values`; days: rows of `customer_days` in order; offers: rows of `next_offers` by rank;
    prediction: its row of `predictions`; returns: rows of `return_forecasts`.
    """

    customer_id: str
    value: dict[str, Any]
    days: list[dict[str, Any]] = field(default_factory=list)
    offers: list[dict[str, Any]] = field(default_factory=list)
    prediction: dict[str, Any] | None = None
    returns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def expected_returns(self) -> float | None:
        """Units expected back; None where no returns are forecast."""
        units = [row["expected_units"] for row in self.returns if row.get("expected_units") is not None]
        return sum(units) if units else None

    def facts(self) -> list[tuple[str, str]]:
        """The figures in words, in the order in which one reads them."""
        row = self.value
        found = [
            ("segment", f"{row['segment']} (recency, frequency, monetary: {scores(row)}), trend {row['trend']}"),
            ("baskets so far", f"{row['frequency']:,} from {row['first_sold_on']} to {row['last_sold_on']}"),
            ("spend so far", f"{money(row['spend_cents'])}, {money(row['monetary_cents'])} a basket"),
            ("next basket", f"{row['next_sold_on']} (median day, if still a customer)"),
            ("chance to be lost", f"{1.0 - row['still_customer']:.0%}"),
        ]
        for days in PERIODS:
            low, high = (money(row[f"spend_{days}_{end}_cents"]) for end in ("low", "high"))
            baskets = f"{row[f'baskets_{days}']:.1f} baskets"
            spend = money(row[f"spend_{days}_cents"])
            found.append((f"next {days} days", f"{spend} ({low} to {high} in 8 of 10 cases), {baskets}"))
        found.append(("lifetime value", f"{money(row['lifetime_value_cents'])}, discounted"))
        if self.prediction is not None:
            found.append(("basket predicted on", str(self.prediction["next_sold_on"])))
        if self.expected_returns is not None:
            found.append(("units expected back", f"{self.expected_returns:.1f}"))
        return [*found, ("predicted by", f"{row['method']}, {row['model_version']}")]

    def as_json(self) -> dict[str, Any]:
        """Everything, as values."""
        return {
            **self.value,
            "days": self.days,
            "offers": self.offers,
            "prediction": self.prediction,
            "returns": self.returns,
        }


def scores(row: dict[str, Any]) -> str:
    """Such as 5, 3, 4."""
    return ", ".join(str(row[f"{name}_score"]) for name in ("recency", "frequency", "monetary"))


def read_story(lake: Lake, customer_id: str, run_id: str | None = None) -> CustomerStory | None:
    """The customer's story as of the run that is shown, else of the current versions; None where it has no value.

    Raises: LakeError: no values were ever published.
    """
    mine = ds.field("customer_id") == customer_id
    lake.resolve(CUSTOMER_VALUES.name, run_id)
    value = _rows(lake, CUSTOMER_VALUES.name, mine, run_id)
    if not value:
        return None
    offers = _rows(lake, NEXT_OFFERS.name, mine, run_id)
    as_funnel = (ds.field("funnel_kind") == "customer") & (ds.field("funnel_id") == customer_id)
    predictions = _rows(lake, PREDICTIONS.name, as_funnel, run_id)
    return CustomerStory(
        customer_id,
        value[0],
        sorted(_rows(lake, CUSTOMER_DAYS.name, mine, run_id), key=lambda row: row["sold_on"]),
        sorted(offers, key=lambda row: row["offer_rank"]),
        predictions[0] if predictions else None,
        _rows(lake, RETURN_FORECASTS, mine, run_id),
    )


def _rows(lake: Lake, table: str, mine: ds.Expression, run_id: str | None) -> list[dict[str, Any]]:
    if lake.current(table) is None:
        return []
    found: list[dict[str, Any]] = (
        ds.dataset(lake.path(table, lake.resolve(table, run_id)), format="parquet").to_table(filter=mine).to_pylist()
    )
    return found
