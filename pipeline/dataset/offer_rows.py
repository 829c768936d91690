"""Rows of `next_offers` for some customers: by the champion or by frequencies, in the columns of the contract.

Runs in Spark's executors, on rows of one customer each: `customer_id` and `lines`, structs of day, name and amount.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.baselines.frequent_offers import FrequentOffers
from models.days import epoch_day
from models.offer_days import DueOffers, due_offers
from models.special_ids import FIRST_PRODUCT
from pipeline.dataset.next_offers import NextOfferExamples
from pipeline.dataset.offer_events import Popularity
from pipeline.dataset.offer_examples import OfferCut, OfferPasts
from pipeline.dataset.offer_lines import OfferLines
from pipeline.offer_rules import OfferRules
from pipeline.settings import PredictionSettings
from pipeline.task import Batch, PredictionInput

FREQUENCY, NO_MODEL, FEW_EVENTS = "frequency", "no_model", "few_events"
WITHIN_DAYS = 28


@dataclass(frozen=True)
class OfferForecaster:
    """One way to predict, with the names, buckets and popularity that it reads.

    Args: model: a Keras file, or None for `frequent`; amounts: float64, usual payment for each of `names`, in cents.
    """

    version: str
    names: list[str]
    edges: list[float]
    popularity: Popularity
    amounts: np.ndarray
    model: bytes | None = None
    frequent: FrequentOffers | None = None


@dataclass(frozen=True)
class NextOfferPredictor:
    """What an executor needs beside the rows; called with some, it predicts them."""

    business_date: date
    rules: OfferRules
    cut: OfferCut
    settings: PredictionSettings
    frequency: OfferForecaster
    champion: OfferForecaster | None

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The best offers to the rows' customers, one batch per forecaster; no order is kept."""
        lines = _lines_of(rows)
        missing = np.ones(len(lines.customers), bool)
        reason = NO_MODEL
        if self.champion is not None:
            done, found = self._predicted(lines, self.champion, missing, self.rules.min_events, None)
            missing, reason = missing & ~done, FEW_EVENTS
            yield from found
        yield from self._predicted(lines, self.frequency, missing, 1, reason)[1]

    def _predicted(
        self, lines: OfferLines, by: OfferForecaster, wanted: np.ndarray, min_events: int, fallback: str | None
    ) -> tuple[np.ndarray, list[pa.RecordBatch]]:
        """Who was predicted, and their rows."""
        events = lines.events(by.names, self.rules.owned_again)
        last = np.flatnonzero(events.is_last & (events.positions + 1 >= min_events) & wanted[events.customers])
        done = np.zeros(len(wanted), bool)
        done[events.customers[last]] = True
        pasts, joint = OfferPasts(events, by.popularity, self.cut), _joint_of(by)
        found = []
        for first in range(0, len(last), self.settings.batch_size):
            part = last[first : first + self.settings.batch_size]
            waited = epoch_day(self.business_date) - events.days[part] - 1
            due = due_offers(joint(pasts.batch(part)).astype(float), np.array(by.edges), waited, WITHIN_DAYS)
            customers = lines.customers[events.customers[part]]
            found.append(self._rows(customers, events.days[part], due, by, fallback))
        return done, found

    def _rows(
        self, customers: np.ndarray, last_days: np.ndarray, due: DueOffers, by: OfferForecaster, fallback: str | None
    ) -> pa.RecordBatch:
        amounts = np.concatenate([np.zeros(FIRST_PRODUCT), by.amounts])
        values = due.offers * amounts
        wanted = values if self.rules.rank_by == "value" else due.offers
        wanted = np.where(due.offers > 0, wanted, -1.0)
        best = np.argsort(-wanted, axis=1, kind="stable")[:, : self.rules.best]
        rank = np.broadcast_to(np.arange(best.shape[1]) + 1, best.shape)
        kept = np.take_along_axis(due.offers, best, axis=1) > 0
        row, offer = np.broadcast_to(np.arange(len(best))[:, None], best.shape)[kept], best[kept]
        buckets, offers = due.buckets[row, offer], due.offers[row, offer]
        bucket = buckets.argmax(axis=1)
        of_both = buckets[np.arange(len(bucket)), bucket]
        begins = np.concatenate([[0.0], by.edges])[bucket] + 1
        is_open = bucket == len(by.edges)
        ends = np.where(is_open, 0.0, np.append(by.edges, 0.0)[bucket])
        expected = last_days[row] + np.round(due.mean_days[row, offer])
        n, by_day = len(row), due.by_day[row, offer]
        names = np.array(["", *[""] * (FIRST_PRODUCT - 1), *by.names], object)
        return pa.RecordBatch.from_pydict(
            {
                "customer_id": pa.array(customers[row].tolist(), pa.string()),
                "offer_rank": pa.array(rank[kept], pa.int32()),
                "offer": pa.array(names[offer].tolist(), pa.string()),
                "probability": _probabilities(offers),
                "from_days": pa.array(begins.astype(np.int32)),
                "to_days": pa.array(ends.astype(np.int32), mask=is_open),
                "bucket_probability": _probabilities(of_both / offers),
                "joint_probability": _probabilities(of_both),
                "probability_by_day": pa.ListArray.from_arrays(
                    pa.array(np.arange(n + 1) * WITHIN_DAYS, pa.int32()), _probabilities(by_day.ravel())
                ),
                "expected_on": _days(np.maximum(expected, epoch_day(self.business_date))),
                "expected_amount_cents": pa.array(values[row, offer]),
                "last_sold_on": _days(last_days[row]),
                "fallback": pa.array([fallback] * n, pa.string()),
                "model_version": pa.array([by.version] * n, pa.string()),
                "business_date": pa.array([self.business_date] * n, pa.date32()),
            }
        )


def next_offer_predictor(given: PredictionInput) -> NextOfferPredictor:
    """Frequencies as of tonight, and the champion with tonight's popularity of what it knows."""
    training = given.settings.training
    examples = NextOfferExamples.open(
        given.tables, given.business_date, training.model_copy(update={"holdout_days": 0})
    )
    lines, rules, cut = examples.lines, examples.rules, examples.cut

    def popularity(names: list[str]) -> Popularity:
        return Popularity.of_events(lines.events(names, rules.owned_again))

    frequency = OfferForecaster(
        FREQUENCY,
        examples.names,
        examples.edges,
        popularity(examples.names),
        lines.mean_amounts(examples.names),
        frequent=examples.frequent(),
    )
    champion = None
    if given.model is not None:
        from models.saved_files import load_next_offer_model

        model = load_next_offer_model(given.model.model_path)
        champion = OfferForecaster(
            given.model.version,
            model.names,
            model.edges,
            popularity(model.names),
            lines.mean_amounts(model.names),
            model=given.model.model_path.read_bytes(),
        )
    return NextOfferPredictor(given.business_date, rules, cut, given.settings.prediction, frequency, champion)


def _lines_of(rows: pa.RecordBatch) -> OfferLines:
    lines = rows["lines"]
    customer = pc.list_parent_indices(lines).to_numpy(zero_copy_only=False)
    line = pc.list_flatten(lines)
    columns = {name: pc.struct_field(line, name) for name in ("day", "name", "amount_cents")}
    found = pd.DataFrame(
        {
            "customer": customer.astype(np.int64),
            "day": columns["day"].cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64),
            "name": columns["name"].to_pandas().to_numpy(object),
            "amount_cents": columns["amount_cents"].to_numpy(zero_copy_only=False).astype(float),
        }
    )
    return OfferLines(rows["customer_id"].to_pandas().to_numpy(object), found)


def _probabilities(values: np.ndarray) -> pa.Array:
    return pa.array(np.clip(values.astype(np.float64), 0.0, 1.0))


def _days(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(np.int32)).cast(pa.date32())


_loaded: dict[str, Callable[[Batch], np.ndarray]] = {}


def _joint_of(by: OfferForecaster) -> Callable[[Batch], np.ndarray]:
    """The forecaster's function; a model is loaded once per Python worker."""
    if by.frequent is not None:
        return by.frequent.joint
    if by.version not in _loaded:
        from models.saved_files import load_next_offer_model
        from pipeline.dataset.tensors import compiled

        _loaded.clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(by.model or b"")
            _loaded[by.version] = compiled(load_next_offer_model(file).joint)
    return _loaded[by.version]
