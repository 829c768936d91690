"""Rows of `predictions` for some funnels: by the champion or by the frequencies, in the columns of the contract.

Runs in Spark's executors, on Arrow batches of `sequences` with one more column, `has_sequence`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from models.baselines.frequency_forecast import FrequencyForecast
from models.basket_sequences import BasketSequences
from models.catalog import ARCHITECTURES
from models.days import epoch_day
from models.keys import keys_of
from pipeline.dataset.batch import Cut
from pipeline.dataset.candidates import CandidateSource, sampled_histories
from pipeline.dataset.histories import read_histories, read_parts
from pipeline.dataset.next_baskets import (
    Forecaster,
    Read,
    days_since,
    knows_any,
    load_forecaster,
    predicted_basket,
    translated,
)
from pipeline.dataset.vocabulary import product_names
from pipeline.settings import PredictionSettings
from pipeline.task import PredictionInput, ServedModel

NOT_TRAINED_ON, ONE_BASKET, ONLY_UNKNOWN = "not_trained_on", "one_basket", "only_unknown_products"
FREQUENCY = "frequency"

_FREQUENCY_CUT = Cut(max_baskets=50, max_products=100)
_LINE = pa.struct([("product_id", pa.string()), ("probability", pa.float64()), ("quantity", pa.float64())])
_NO_CUSTOMERS = np.zeros(0, np.int64)


@dataclass(frozen=True)
class SentModel:
    """The champion as it travels to the executors.

    Args:
        model: a Keras file.
        version: its registered name and number.
        product_ids: object [V], names by its index.
        remembered: tonight's histories by its product indices, that name candidates.
    """

    model: bytes
    version: str
    product_ids: np.ndarray
    cut: Cut
    remembered: BasketSequences
    n_candidates: int


@dataclass(frozen=True)
class NextBasketPredictor:
    """What an executor needs beside the rows; called with some, it predicts them.

    Args: product_ids: object [V], tonight's vocabulary by index; frequencies: by kind of funnel.
    """

    business_date: date
    settings: PredictionSettings
    product_ids: np.ndarray
    frequencies: dict[str, FrequencyForecast]
    champion: SentModel | None

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Predictions of the rows' funnels, one batch per forecaster; no order is kept."""
        histories = read_histories(rows)
        elapsed = days_since(histories, self.business_date)
        customer = histories.kinds == "customer"
        has_sequence = rows["has_sequence"].to_numpy(zero_copy_only=False)
        reason = np.full(len(histories), NOT_TRAINED_ON, object)
        reason[customer & ~has_sequence] = ONE_BASKET
        batch_size, product_keys = self.settings.batch_size, keys_of(self.product_ids)
        by_model = np.zeros(len(histories), bool)
        if self.champion is not None:
            forecaster = basket_forecaster(self.champion, self.settings)
            renamed = translated(histories, product_keys, forecaster.product_keys)
            by_model = customer & has_sequence & knows_any(renamed)
            reason[customer & has_sequence & ~by_model] = ONLY_UNKNOWN
            reason[by_model] = None
            funnels = np.flatnonzero(by_model)
            if len(funnels):
                decoded = forecaster.forecast(renamed, funnels, elapsed[funnels], batch_size)
                names = self.champion.product_ids[decoded["products"]]
                yield self._rows(rows, funnels, decoded, names=names, reason=reason, version=self.champion.version)
        for kind, frequency in self.frequencies.items():
            funnels = np.flatnonzero((histories.kinds == kind) & ~by_model)
            if len(funnels):
                forecaster = _by_frequency(frequency, product_keys, self.settings.max_products)
                decoded = forecaster.forecast(histories, funnels, elapsed[funnels], batch_size)
                names = self.product_ids[decoded["products"]]
                yield self._rows(rows, funnels, decoded, names=names, reason=reason, version=FREQUENCY)

    def _rows(
        self,
        rows: pa.RecordBatch,
        funnels: np.ndarray,
        decoded: dict[str, np.ndarray],
        *,
        names: np.ndarray,
        reason: np.ndarray,
        version: str,
    ) -> pa.RecordBatch:
        """What was decoded for `funnels` (indices of the rows) in the columns of the contract."""
        is_product = decoded["products"] > 0
        n_products = is_product.sum(axis=1)
        lines = pa.StructArray.from_arrays(
            [
                pa.array(names[is_product], pa.string()),
                pa.array(np.clip(decoded["probabilities"][is_product].astype(np.float64), 0.0, 1.0)),
                pa.array(decoded["quantities"][is_product].astype(np.float64)),
            ],
            fields=list(_LINE),
        )
        offsets = pa.array(np.concatenate([[0], np.cumsum(n_products)]), pa.int32())
        last = rows["last_sold_on"].take(pa.array(funnels))
        due = last.cast(pa.int32()).to_numpy(zero_copy_only=False) + np.round(decoded["due_days"]).astype(np.int32)
        earliest = epoch_day(self.business_date)
        return pa.RecordBatch.from_pydict(
            {
                "funnel_kind": rows["funnel_kind"].take(pa.array(funnels)),
                "funnel_id": rows["funnel_id"].take(pa.array(funnels)),
                "store_id": rows["store_id"].take(pa.array(funnels)),
                "products": pa.ListArray.from_arrays(offsets, lines),
                "n_products": pa.array(n_products, pa.int32()),
                "gap_days": pa.array(decoded["gap_days"].astype(np.float64)),
                "next_sold_on": pa.array(np.maximum(due, earliest), pa.int32()).cast(pa.date32()),
                "last_sold_on": last,
                "fallback": pa.array(list(reason[funnels]), pa.string()),
                "model_version": pa.array([version] * len(funnels), pa.string()),
                "business_date": pa.array([self.business_date] * len(funnels), pa.date32()),
            }
        )


_loaded: dict[tuple[str, str], Forecaster] = {}


def next_basket_predictor(given: PredictionInput) -> NextBasketPredictor:
    """The champion with its vocabulary and what it is to remember of tonight's sequences, and the frequencies."""
    tonight = product_names(given.tables["vocabulary"])
    model = given.model
    champion = None if model is None else sent(model, given, tonight)
    return NextBasketPredictor(given.business_date, given.settings.prediction, tonight, given.statistics, champion)


def sent(model: ServedModel, given: PredictionInput, tonight: np.ndarray) -> SentModel:
    """The model with its vocabulary and what it is to remember of tonight's sequences.

    Args: tonight: object [V], tonight's vocabulary by index.
    """
    training = given.settings.training
    names = product_names(model.tables["vocabulary"])
    known = remembered(model, given, tonight, [given.business_date])[given.business_date]
    cut = Cut(training.max_baskets, training.max_products)
    return SentModel(model.model_path.read_bytes(), model.version, names, cut, known, training.candidates)


def remembered(
    model: ServedModel, given: PredictionInput, tonight: np.ndarray, days: Sequence[date]
) -> dict[date, BasketSequences]:
    """What the model is to remember of tonight's sequences as of each of the days: baskets before it.

    Args: tonight: object [V], tonight's vocabulary by index.
    """
    names = product_names(model.tables["vocabulary"])
    customers = given.settings.training.memory_customers if ARCHITECTURES[model.architecture].uses_neighbours else 0
    parts = read_parts(given.tables["sequences"]) if customers and days else ()
    renamed = [translated(part, keys_of(tonight), keys_of(names)) for part in parts]
    return {day: sampled_histories(renamed, epoch_day(day), len(names), customers) for day in days}


def _by_frequency(frequency: FrequencyForecast, product_keys: np.ndarray, max_products: int) -> Forecaster:
    return Forecaster(lambda batch: frequency.decode(batch, max_products), product_keys, _NO_CUSTOMERS, _FREQUENCY_CUT)


def basket_forecaster(champion: SentModel, settings: PredictionSettings) -> Forecaster:
    """The champion as it predicts next baskets, see `loaded`."""
    return loaded(champion, predicted_basket(settings), settings.model_dump_json())


def loaded(champion: SentModel, read: Read, purpose: str) -> Forecaster:
    """The champion's forecaster, loaded once per Python worker; Spark uses a worker again for later tasks.

    Args: purpose: tells what is read off the model from whatever else may be.
    """
    key = champion.version, purpose
    if key not in _loaded:
        _loaded.clear()
        memory = CandidateSource.of_histories(champion.remembered, champion.n_candidates)
        _loaded[key] = load_forecaster(champion.model, read, champion.cut, memory)
    return _loaded[key]
