"""Measure models and baselines on the held-out window, all on the same customers.

Baselines see whole histories, the models what they were trained to read. A model of an earlier night has rows for the
products and customers of its own night: what it reads is translated to its rows by key, and what it ranks back.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from models.baselines.frequency import GlobalTop, PersonalThenGlobal, PersonalTop
from models.basket_sequences import BasketSequences
from models.keys import rows_of
from models.special_ids import FIRST_PRODUCT, PADDING, UNKNOWN
from pipeline.dataset.batch import Batch, Cut
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.examples import NextBasketExamples
from pipeline.dataset.tensors import compiled
from pipeline.evaluation.days import measure_days, measure_kaplan_meier
from pipeline.evaluation.metrics import CUTOFFS, gap_error_days, ranking_metrics

if TYPE_CHECKING:
    from models.lens import Lens

GAP_ERROR = "gap_mae_days"
WHOLE_HISTORY = Cut(max_baskets=100_000, max_products=100_000)
BATCH_SIZE = 256


def measure_model(model: "Lens", data: NextBasketExamples, limit: int) -> dict[str, float]:
    """Ranking metrics, and the scores of the predicted days, over the first `limit` held-out customers."""
    width = min(max(CUTOFFS), len(model.keys.product_keys))
    predict = compiled(
        lambda batch: {"ranked": model.rank(batch, width)[0], "due_days": model.decode(batch, 1)["due_days"]}
    )
    product_rows = _product_rows(data.product_keys, model.keys.product_keys, missing=UNKNOWN)
    product_rows_back = _product_rows(model.keys.product_keys, data.product_keys, missing=PADDING)
    customer_rows = rows_of(data.customer_keys, model.keys.customer_keys, missing=0)
    batches, rankings, gaps = [], [], []
    for batch in data.held_out(BATCH_SIZE, limit=limit):
        past = {name: array for name, array in batch.items() if not name.startswith("target_")}
        past["product_ids"] = product_rows[past["product_ids"]]
        past["candidates"] = product_rows[past["candidates"]]
        past["customer_ids"] = customer_rows[past["customer_ids"]]
        predicted = predict(past)
        batches.append(batch)
        rankings.append(product_rows_back[predicted["ranked"]])
        gaps.append(predicted["due_days"])
    actual_gaps = np.concatenate([batch["target_gap_days"] for batch in batches])
    error = {GAP_ERROR: gap_error_days(np.concatenate(gaps), actual_gaps)}
    return _ranking(batches, rankings) | error | measure_days(model, data, customer_rows, limit)


def measure_baselines(data: NextBasketExamples, limit: int) -> dict[str, dict[str, float]]:
    """The frequency baselines' ranking metrics over the same customers, and the simple method's scores of days."""
    baselines: dict[str, GlobalTop | PersonalTop | PersonalThenGlobal] = {
        "global_top": GlobalTop(data.product_counts),
        "personal_top": PersonalTop(),
        "personal_then_global": PersonalThenGlobal(data.product_counts),
    }
    batches = list(data.held_out(BATCH_SIZE, cut=WHOLE_HISTORY, limit=limit, memory=CandidateSource()))
    pasts = [BasketSequences.of_batch(batch, len(data.product_keys)) for batch in batches]
    found = {
        name: _ranking(batches, [baseline.rank(past, max(CUTOFFS)).products for past in pasts])
        for name, baseline in baselines.items()
    }
    days = measure_kaplan_meier(data, limit)
    return found | ({"kaplan_meier": days} if days else {})


def _ranking(batches: list[Batch], rankings: list[np.ndarray]) -> dict[str, float]:
    ranked = np.concatenate(list(_padded(rankings, max(CUTOFFS))))
    width = max(batch["target_products"].shape[1] for batch in batches)
    truth = np.concatenate(list(_padded([batch["target_products"] for batch in batches], width)))
    sizes = np.concatenate([batch["target_sizes"] for batch in batches])
    return ranking_metrics(ranked, truth, sizes)


def _padded(arrays: list[np.ndarray], width: int) -> Iterator[np.ndarray]:
    for array in arrays:
        yield np.pad(array, [(0, 0), (0, width - array.shape[1])])


def _product_rows(keys: np.ndarray, known: np.ndarray, missing: int) -> np.ndarray:
    """For each product index of one vocabulary its index in another; special indices stay what they are."""
    rows = rows_of(keys, known, missing=missing)
    rows[:FIRST_PRODUCT] = np.arange(FIRST_PRODUCT)
    return rows
