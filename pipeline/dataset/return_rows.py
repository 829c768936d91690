"""Rows of `return_forecasts` for the lines of some customers: by the champion or by rates, in the contract's columns.

Runs in Spark's executors, on rows of one customer each: `customer_id`, and `lines` in the columns of `order_lines`.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import expit

from models.days import epoch_day
from models.returns.timing import ReturnTiming
from pipeline.dataset.item_history import ItemHistory
from pipeline.dataset.order_lines import OrderLines, order_lines_of, read_item_words, read_order_lines
from pipeline.dataset.return_batches import ReturnPasts
from pipeline.dataset.return_models import ReturnScorer
from pipeline.dataset.return_outcomes import return_timing
from pipeline.task import PredictionInput

RATES, NO_MODEL = "rates", "no_model"
_ONE_ORDER = 1


@dataclass(frozen=True)
class ReturnPredictor:
    """What an executor needs beside the rows; called with some, it predicts them.

    Args: history: of everyone; timing: of the source's returns so far, and for the champion those it was trained on;
          model: the champion's Keras file, or None for the running rates.
    """

    business_date: date
    horizon: int
    batch_size: int
    history: ItemHistory
    timing: ReturnTiming
    longest_past: int
    version: str
    model: bytes | None

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Forecasts of the rows' open lines; no order is kept."""
        lines = order_lines_of(_flat(rows), self.business_date)
        day = lines.days[lines.orders]
        is_open = (day + self.horizon >= epoch_day(self.business_date)) & (lines.first_returns[1] < 0)
        chosen = np.flatnonzero(is_open)
        if not len(chosen):
            return
        pasts = ReturnPasts(lines, self.history, self.longest_past)
        for first in range(0, len(chosen), self.batch_size):
            part = chosen[first : first + self.batch_size]
            yield self._rows(lines, part, self._probabilities(pasts, part))

    def _probabilities(self, pasts: ReturnPasts, rows: np.ndarray) -> np.ndarray:
        """Of coming back within the window, as of the sale; float64 [n]."""
        if self.model is None:
            found: np.ndarray = pasts.features.rates[rows, 1]
            return found
        return expit(_scorer_of(self.version, self.model)(pasts.batch(rows)))

    def _rows(self, lines: OrderLines, rows: np.ndarray, probabilities: np.ndarray) -> pa.RecordBatch:
        order, n = lines.orders[rows], len(rows)
        sold = lines.days[order]
        ages = epoch_day(self.business_date) - sold
        ahead = self.timing.ahead(probabilities, ages)
        units = ahead * (lines.units[rows] * self.timing.unit_share)[:, None]
        left = self.horizon - ages + 1
        seen = np.arange(self.horizon)[None] < left[:, None]
        offsets = np.concatenate([[0], np.cumsum(left)]).astype(np.int32)
        return pa.RecordBatch.from_pydict(
            {
                "basket_key": _texts(lines.keys[order]),
                "customer_id": _texts(lines.customers[lines.order_customers[order]]),
                "store_id": _texts(lines.stores[order]),
                "product_id": _texts(lines.products[lines.items[rows]]),
                "sold_on": _dates(sold),
                "quantity": pa.array(lines.units[rows]),
                "amount_cents": pa.array(lines.cents[rows].astype(np.int64)),
                "last_return_on": _dates(sold + self.horizon),
                "probability": pa.array(np.clip(ahead.sum(axis=1), 0.0, 1.0)),
                "expected_units": pa.array(units.sum(axis=1)),
                "expected_units_by_day": pa.ListArray.from_arrays(offsets, pa.array(units[seen])),
                "fallback": pa.array([None if self.model else NO_MODEL] * n, pa.string()),
                "model_version": pa.array([self.version] * n, pa.string()),
                "business_date": pa.array([self.business_date] * n, pa.date32()),
            }
        )


def return_predictor(given: PredictionInput) -> ReturnPredictor:
    """Everyone's history as of tonight, and the champion; without one the running rates."""
    training, business_date = given.settings.training, given.business_date
    lines = read_order_lines(given.tables, business_date)
    over = np.flatnonzero(lines.days[lines.orders] + training.return_days < epoch_day(business_date))
    timing, longest, model = return_timing(lines, over, training.return_days), _ONE_ORDER, None
    if given.model is not None:
        from models.saved_files import load_return_model

        champion = load_return_model(given.model.model_path)
        longest, model = champion.config.longest_past, given.model.model_path.read_bytes()
        # Of another window than tonight's, its days would be wrong.
        timing = champion.timing if champion.timing.horizon == training.return_days else timing
    return ReturnPredictor(
        business_date=business_date,
        horizon=training.return_days,
        batch_size=given.settings.prediction.batch_size,
        history=ItemHistory(lines, read_item_words(given.tables)),
        timing=timing,
        longest_past=longest,
        version=given.model.version if given.model else RATES,
        model=model,
    )


def _flat(rows: pa.RecordBatch) -> pa.Table:
    """One row per line, in the columns of `order_lines`."""
    lines = rows["lines"]
    line = pc.list_flatten(lines)
    columns = {line.type.field(at).name: pc.struct_field(line, at) for at in range(line.type.num_fields)}
    return pa.table(columns | {"customer_id": rows["customer_id"].take(pc.list_parent_indices(lines))})


def _texts(values: np.ndarray) -> pa.Array:
    return pa.array(values.tolist(), pa.string())


def _dates(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(np.int32)).cast(pa.date32())


_loaded: dict[str, ReturnScorer] = {}


def _scorer_of(version: str, model: bytes) -> ReturnScorer:
    """The champion's function, loaded once per Python worker."""
    if version not in _loaded:
        from models.saved_files import load_return_model

        _loaded.clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(model)
            _loaded[version] = ReturnScorer(load_return_model(file))
    return _loaded[version]
