"""Rows of `predictions` for some funnels: who is asked, the champion or the frequencies, and what is written down.

Runs in Spark's executors, on Arrow batches of `sequences` with one more column, `has_sequence`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from models.baselines.frequency_forecast import FrequencyForecast
from models.basket_sequences import BasketSequences
from models.days import epoch_day
from models.keys import keys_of
from pipeline.dataset.batch import Cut
from pipeline.dataset.candidates import memory_of
from pipeline.dataset.histories import read_histories
from pipeline.dataset.next_baskets import Forecaster, days_since, knows_any, load_forecaster, translated
from pipeline.settings import PredictionSettings

NOT_TRAINED_ON, ONE_BASKET, ONLY_UNKNOWN = "not_trained_on", "one_basket", "only_unknown_products"
FREQUENCY = "frequency"

_FREQUENCY_CUT = Cut(max_baskets=50, max_products=100)
_LINE = pa.struct([("product_id", pa.string()), ("probability", pa.float64()), ("quantity", pa.float64())])
_NO_CUSTOMERS = np.zeros(0, np.int64)


@dataclass(frozen=True)
class ChampionFile:
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
class Knowledge:
    """What an executor needs beside the rows.

    Args: product_ids: object [V], tonight's vocabulary by index; frequencies: by kind of funnel.
    """

    business_date: date
    settings: PredictionSettings
    product_ids: np.ndarray
    frequencies: dict[str, FrequencyForecast]
    champion: ChampionFile | None


_loaded: dict[tuple[str, str], Forecaster] = {}


def prediction_rows(part: pa.RecordBatch, known: Knowledge) -> Iterator[pa.RecordBatch]:
    """Predictions of the part's funnels, one batch per forecaster that was asked; no order is kept."""
    histories = read_histories(part)
    night = known.business_date
    elapsed = days_since(histories, night)
    customer = histories.kinds == "customer"
    has_sequence = part["has_sequence"].to_numpy(zero_copy_only=False)
    reason = np.full(len(histories), NOT_TRAINED_ON, object)
    reason[customer & ~has_sequence] = ONE_BASKET
    batch_size, product_keys = known.settings.batch_size, keys_of(known.product_ids)
    asked = np.zeros(len(histories), bool)
    if known.champion is not None:
        champion = _load(known.champion, known.settings)
        in_its_words = translated(histories, product_keys, champion.product_keys)
        asked = customer & has_sequence & knows_any(in_its_words)
        reason[customer & has_sequence & ~asked] = ONLY_UNKNOWN
        reason[asked] = None
        funnels = np.flatnonzero(asked)
        if len(funnels):
            answer = champion.forecast(in_its_words, funnels, elapsed[funnels], batch_size)
            names = known.champion.product_ids[answer["products"]]
            yield _rows(
                part, funnels, answer, names=names, reason=reason, version=known.champion.version, business_date=night
            )
    for kind, frequency in known.frequencies.items():
        funnels = np.flatnonzero((histories.kinds == kind) & ~asked)
        if len(funnels):
            forecaster = _by_frequency(frequency, product_keys, known.settings.max_products)
            answer = forecaster.forecast(histories, funnels, elapsed[funnels], batch_size)
            names = known.product_ids[answer["products"]]
            yield _rows(part, funnels, answer, names=names, reason=reason, version=FREQUENCY, business_date=night)


def _by_frequency(frequency: FrequencyForecast, product_keys: np.ndarray, max_products: int) -> Forecaster:
    return Forecaster(lambda batch: frequency.decode(batch, max_products), product_keys, _NO_CUSTOMERS, _FREQUENCY_CUT)


def _rows(
    part: pa.RecordBatch,
    funnels: np.ndarray,
    answer: dict[str, np.ndarray],
    *,
    names: np.ndarray,
    reason: np.ndarray,
    version: str,
    business_date: date,
) -> pa.RecordBatch:
    """The answer for `funnels` (rows of the part) in the columns of the contract."""
    written = answer["products"] > 0
    n_products = written.sum(axis=1)
    lines = pa.StructArray.from_arrays(
        [
            pa.array(names[written], pa.string()),
            pa.array(np.clip(answer["probabilities"][written].astype(np.float64), 0.0, 1.0)),
            pa.array(answer["quantities"][written].astype(np.float64)),
        ],
        fields=list(_LINE),
    )
    offsets = pa.array(np.concatenate([[0], np.cumsum(n_products)]), pa.int32())
    last = part["last_sold_on"].take(pa.array(funnels))
    due = last.cast(pa.int32()).to_numpy(zero_copy_only=False) + np.round(answer["due_days"]).astype(np.int32)
    earliest = epoch_day(business_date)
    return pa.RecordBatch.from_pydict(
        {
            "funnel_kind": part["funnel_kind"].take(pa.array(funnels)),
            "funnel_id": part["funnel_id"].take(pa.array(funnels)),
            "store_id": part["store_id"].take(pa.array(funnels)),
            "products": pa.ListArray.from_arrays(offsets, lines),
            "n_products": pa.array(n_products, pa.int32()),
            "gap_days": pa.array(answer["gap_days"].astype(np.float64)),
            "next_sold_on": pa.array(np.maximum(due, earliest), pa.int32()).cast(pa.date32()),
            "last_sold_on": last,
            "fallback": pa.array(list(reason[funnels]), pa.string()),
            "model_version": pa.array([version] * len(funnels), pa.string()),
            "business_date": pa.array([business_date] * len(funnels), pa.date32()),
        }
    )


def _load(champion: ChampionFile, settings: PredictionSettings) -> Forecaster:
    """The champion's forecaster, loaded once per Python worker; Spark uses a worker again for later tasks."""
    key = champion.version, settings.model_dump_json()
    if key not in _loaded:
        _loaded.clear()
        memory = memory_of(champion.remembered, champion.n_candidates)
        _loaded[key] = load_forecaster(champion.model, settings, champion.cut, memory)
    return _loaded[key]
