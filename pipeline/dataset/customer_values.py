"""Examples of the task customer_values, cut from a night's `customer_days`."""

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from models.customer_value.methods import value_method
from models.customer_value.metrics import value_scores
from models.customer_value.purchase_days import PurchaseDays
from models.customer_value.value_model import ValueModel
from models.days import epoch_day
from models.refusal import Refusal
from pipeline.settings import TrainingSettings
from pipeline.tables.customer_days import CUSTOMER_DAYS
from pipeline.task import Metrics, Tables

BASELINES = ("own_rate", "past_spend")
_CENTS = 100.0


@dataclass(frozen=True)
class ValueExamples:
    """Purchase days of all customers, in units of money; the last `holdout_days` are held out.

    purchases: rows of customers in order of their ids; first_held_out, business_day: since 1970-01-01.
    """

    purchases: PurchaseDays
    first_held_out: int
    business_day: int
    seed: int

    @classmethod
    def open(cls, tables: Tables, business_date: date, settings: TrainingSettings) -> "ValueExamples":
        """Cut the examples."""
        day = epoch_day(business_date)
        return cls(read_purchases(tables, business_date)[1], day - settings.holdout_days, day, settings.seed)

    @property
    def n_held_out(self) -> int:
        """Customers with a basket before the held-out days."""
        return len(self.purchases.known(self.first_held_out))

    @property
    def horizon(self) -> int:
        """Held-out days, which are as many as are learned."""
        return self.business_day - self.first_held_out

    def fitted(self) -> ValueModel:
        """The best method of the days before the held-out ones. Raises: Refusal: they are too few."""
        return ValueModel.fitted(self.purchases, self.first_held_out, self.horizon, seed=self.seed)

    def measure(self, model: ValueModel, limit: int) -> Metrics:
        """Scores of the first `limit` customers on the held-out days; a model of another horizon is scaled to it."""
        customers, expected, band = model.predict(self.purchases, self.first_held_out)
        scale = self.horizon / model.horizon
        baskets, spend = (each[:limit] * scale for each in expected)
        ends = (band[0][:limit] * scale, band[1][:limit] * scale)
        return value_scores((baskets, spend), self._observed(customers[:limit]), ends)

    def measure_baselines(self, limit: int) -> dict[str, Metrics]:
        """What customers did so far, per day since their first basket or whenever it was."""
        customers = self.purchases.known(self.first_held_out)[:limit]
        found = {}
        for name in BASELINES:
            method = value_method(name)
            method.fit(self.purchases, self.first_held_out, self.horizon)
            expected = method.predict(self.purchases, self.first_held_out, customers)
            found[name] = value_scores(expected, self._observed(customers))
        return found

    def _observed(self, customers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        baskets, spend = self.purchases.totals(self.first_held_out, self.business_day)
        return baskets[customers], np.maximum(spend[customers], 0.0)


def read_purchases(tables: Tables, business_date: date) -> tuple[np.ndarray, PurchaseDays]:
    """Customers' ids in order, str [n], and their purchase days before a business date.

    Raises: Refusal: where there are none.
    """
    folder = tables[CUSTOMER_DAYS.name]
    before = ds.field("sold_on") < pa.scalar(business_date, pa.date32())
    rows = ds.dataset(folder, format="parquet").to_table(columns=CUSTOMER_DAYS.column_names, filter=before)
    if rows.num_rows == 0:
        raise Refusal(
            f"no sale before {business_date} has a customer, so there is no customer value; deliver sales with "
            "customers or take customer_value out of the source's capabilities"
        )
    ids, customer = np.unique(rows["customer_id"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    days = rows["sold_on"].cast(pa.int32()).to_numpy()
    figures = {name: rows[name].to_numpy() for name in ("lines", "bought_cents", "returned_cents")}
    return ids, purchase_days(customer, days, figures, len(ids))


def purchase_days(
    customer: np.ndarray, days: np.ndarray, figures: dict[str, np.ndarray], n_customers: int
) -> PurchaseDays:
    """From rows of `customer_days`: money in units, a basket for each day with a line."""
    spend = (figures["bought_cents"] - figures["returned_cents"]) / _CENTS
    is_basket = figures["lines"] > 0
    lines = figures["lines"]
    return PurchaseDays.ordered(customer, days, baskets=is_basket, spend=spend, lines=lines, n_customers=n_customers)


def model_problems(path: Path) -> list[str]:
    """Why a stored model must not be used: another file, or a figure that is not finite; else empty."""
    try:
        text = path.read_text(encoding="utf-8")
        ValueModel.from_json(text)
        finite = _all_finite(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"the file cannot be read: {type(error).__name__}: {error}"]
    return [] if finite else ["figures are not finite"]


def _all_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_all_finite, value.values()))
    if isinstance(value, list):
        return all(map(_all_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
