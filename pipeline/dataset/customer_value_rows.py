"""Rows of `customer_values` from rows of customers with their days in, in Spark's executors."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.customer_value.methods import numbers_of
from models.customer_value.purchase_days import PurchaseDays
from models.customer_value.scores import Cuts, scored, segment_names
from models.customer_value.trend import trends
from models.customer_value.value_model import StoreDays, ValueModel
from models.days import epoch_day
from pipeline.dataset.customer_values import purchase_days, read_purchases
from pipeline.settings import ValueSettings
from pipeline.tables.customer_values import CUSTOMER_VALUES, PERIODS
from pipeline.task import PredictionInput

CLOSED_FORM = "closed form"
_SAMPLE = 50_000
_CENTS, _YEAR, _QUARTERS = 100.0, 365.0, 4
_LAST_DAY = epoch_day(date(2199, 12, 31))


@dataclass(frozen=True)
class ValuePredictor:
    """Rows of some customers.

    model: as JSON; scale: what the ranked baskets and spend are multiplied by so that all customers reach the level,
    float64 [2]; means: baskets and spend of the horizon of a customer, [2]; seasons: per day, the store's next days of
    each period relative to those of the horizon, float64 [periods, 2]; cuts: of everyone's quintiles.
    """

    model: str
    version: str
    fallback: str | None
    scale: np.ndarray
    means: np.ndarray
    seasons: np.ndarray
    cuts: Cuts
    settings: ValueSettings
    business_date: date

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """One row of the table for each row."""
        model, day = _model_of(self.model), epoch_day(self.business_date)
        purchases = _purchases_of(rows)
        customers = purchases.known(day)
        if not len(customers):
            return
        own = numbers_of(purchases, day, customers)
        expected = [
            each * scale for each, scale in zip(model.ranked(purchases, day, customers), self.scale, strict=True)
        ]
        columns = self._past(purchases, day, customers, own, model.horizon)
        for place, days in enumerate(PERIODS):
            further = model.going_on(own, days)
            baskets, spend = (each * further * self.seasons[place, of] for of, each in enumerate(expected))
            columns |= self._period(model, days, np.minimum(baskets, float(days)), spend)
        still = model.closed_form.counts.still_customer(own["repeats"], own["latest"], own["age"])
        wait = np.ceil(model.closed_form.counts.median_wait(own["repeats"], own["age"]))
        n = len(customers)
        columns |= {
            "customer_id": rows["customer_id"].take(pa.array(customers)),
            "still_customer": pa.array(np.clip(still, 0.0, 1.0)),
            "next_sold_on": _days(np.minimum(day + np.maximum(wait - 1.0, 0.0), _LAST_DAY)),
            "lifetime_value_cents": pa.array(_CENTS * self._lifetime(model, own, expected[1])),
            "method": pa.array([model.name] * n),
            "fallback": pa.array([self.fallback] * n, pa.string()),
            "model_version": pa.array([self.version] * n),
            "business_date": pa.array([self.business_date] * n, pa.date32()),
        }
        yield pa.RecordBatch.from_pydict({name: columns[name] for name in CUSTOMER_VALUES.column_names})

    def _past(
        self, purchases: PurchaseDays, day: int, customers: np.ndarray, own: dict[str, np.ndarray], horizon: int
    ) -> dict[str, pa.Array]:
        """What was, and how it stands among all customers."""
        recency = scored(own["recency"], self.cuts.recency, smaller_is_better=True)
        frequency = scored(own["frequency"], self.cuts.frequency)
        monetary = scored(own["monetary"], self.cuts.monetary)
        return {
            "first_sold_on": _days(day - own["age"]),
            "last_sold_on": _days(day - own["recency"]),
            "recency_days": pa.array(own["recency"].astype(np.int32)),
            "frequency": pa.array(own["frequency"].astype(np.int32)),
            "monetary_cents": pa.array(_CENTS * own["monetary"]),
            "spend_cents": pa.array(_CENTS * own["monetary"] * own["frequency"]),
            "recency_score": pa.array(recency.astype(np.int32)),
            "frequency_score": pa.array(frequency.astype(np.int32)),
            "monetary_score": pa.array(monetary.astype(np.int32)),
            "segment": pa.array(segment_names(recency, frequency).tolist(), pa.string()),
            "trend": pa.array(trends(purchases, day, customers, horizon).tolist(), pa.string()),
        }

    def _period(self, model: ValueModel, days: int, baskets: np.ndarray, spend: np.ndarray) -> dict[str, pa.Array]:
        """Expected values of a period with their bands, which are as wide as of such an expectation of the horizon."""
        baskets_low, baskets_high = model.baskets_bands.around(baskets, float(self.means[0]))
        spend_low, spend_high = model.spend_bands.around(spend, float(self.means[1]))
        return {
            f"baskets_{days}": pa.array(baskets),
            f"baskets_{days}_low": pa.array(baskets_low),
            f"baskets_{days}_high": pa.array(baskets_high),
            f"spend_{days}_cents": pa.array(_CENTS * spend),
            f"spend_{days}_low_cents": pa.array(_CENTS * spend_low),
            f"spend_{days}_high_cents": pa.array(_CENTS * spend_high),
        }

    def _lifetime(self, model: ValueModel, own: dict[str, np.ndarray], spend: np.ndarray) -> np.ndarray:
        """Spend of the settings' years, quarter by quarter, each discounted from its middle."""
        quarter, gathered = _YEAR / _QUARTERS, np.zeros(len(spend))
        before = np.zeros(len(spend))
        for number in range(self.settings.years * _QUARTERS):
            until = model.going_on(own, quarter * (number + 1))
            discount = (1.0 + self.settings.discount_rate) ** (-(number + 0.5) / _QUARTERS)
            gathered += spend * (until - before) * discount
            before = until
        return np.maximum(gathered, 0.0)


def value_predictor(given: PredictionInput) -> ValuePredictor:
    """The champion, or a closed form fitted tonight; level, quintiles and seasons of tonight's customers.

    What a common factor needs of everyone is measured on at most 50,000 customers, evenly drawn.
    """
    day = epoch_day(given.business_date)
    _, purchases = read_purchases(given.tables, given.business_date)
    if given.model is not None:
        text, version, fallback = given.model.model_path.read_text(encoding="utf-8"), given.model.version, None
        model = ValueModel.from_json(text)
    else:
        model = ValueModel.fitted(purchases, day, given.settings.training.holdout_days, ("bg_nbd",))
        text, version, fallback = model.to_json(), CLOSED_FORM, "no_model"
    everyone = purchases.known(day)
    own = numbers_of(purchases, day, everyone)
    drawn = everyone[:: max(len(everyone) // _SAMPLE, 1)]
    ranked = model.ranked(purchases, day, drawn)
    sums = np.array([each.sum() for each in ranked]) * (len(everyone) / max(len(drawn), 1))
    store = StoreDays.of(purchases, day)
    level = model.level(store)
    of_horizon = np.maximum(store.forecast(model.horizon) / model.horizon, 1e-9)
    return ValuePredictor(
        model=text,
        version=version,
        fallback=fallback,
        scale=level / np.maximum(sums, 1e-9),
        means=level / max(len(everyone), 1),
        seasons=np.stack([store.forecast(days) / days / of_horizon for days in PERIODS]),
        cuts=Cuts.of(own["recency"], own["frequency"], own["monetary"]),
        settings=given.settings.values,
        business_date=given.business_date,
    )


def _purchases_of(rows: pa.RecordBatch) -> PurchaseDays:
    days = rows["days"]
    customer = pc.list_parent_indices(days).to_numpy(zero_copy_only=False)
    each = pc.list_flatten(days)
    figures = {
        name: pc.struct_field(each, name).to_numpy(zero_copy_only=False)
        for name in ("day", "lines", "bought_cents", "returned_cents")
    }
    return purchase_days(customer, figures.pop("day"), figures, rows.num_rows)


def _days(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(np.int32)).cast(pa.date32())


_loaded: dict[str, ValueModel] = {}


def _model_of(text: str) -> ValueModel:
    """The model; it is read once per Python worker."""
    if text not in _loaded:
        _loaded.clear()
        _loaded[text] = ValueModel.from_json(text)
    return _loaded[text]
