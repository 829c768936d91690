"""LENS as a method for days until the next basket, trained by the nightly loop on the gaps of the protocol."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from models.basket_sequences import BasketSequences
from models.catalog import ARCHITECTURES
from models.special_ids import END, FIRST_PRODUCT, PADDING, UNKNOWN
from pipeline.benchmarks.time_to_next.gaps import Gaps
from pipeline.benchmarks.time_to_next.predictions import DAYS, GapPrediction
from pipeline.benchmarks.trained_lens import trained_lens, whole_schedule
from pipeline.dataset.batch import Batch, Cut, pasts, targets
from pipeline.dataset.candidates import CandidateSource, sequences_of
from pipeline.dataset.epoch_order import batch_rows
from pipeline.settings import TrainingSettings

_AT_ONCE = 256


class LensGapMethod:
    """An architecture of models/catalog.py; it reads the baskets of a customer, but no customer vector.

    Args: passes: a whole schedule of so many; by default at most 12, until validation gets no better.
    """

    def __init__(self, architecture: str, seed: int, passes: int | None = None) -> None:
        self._training = whole_schedule(architecture, seed, passes)
        self._cut = Cut(self._training.max_baskets, self._training.max_products)
        self._predict_times: Any = None

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Train; kept are the weights by which validation gaps (and baskets, of a joint model) are predicted best."""
        from pipeline.dataset.tensors import compiled

        data = GapExamples(train.settled, validation.settled, self._cut, self._training)
        model, _ = trained_lens(data, self._training)
        self._known = data.product_counts > 0
        survives = ARCHITECTURES[self._training.architecture].time_head == "hazard"
        days = DAYS.astype(np.float32)[None]
        self._predict_times = compiled(
            lambda batch: model.log_survival(batch, days) if survives else model.gap_days(batch)
        )

    def predict(self, gaps: Gaps) -> GapPrediction:
        """Survival of each day by a hazard head, days by a regression."""
        if self._predict_times is None:
            raise RuntimeError("predict before fit")
        parts = [
            self._predict_times(self._known_products_only(past_of(gaps.take(rows), self._cut)))
            for rows in np.array_split(np.arange(len(gaps)), -(-len(gaps) // _AT_ONCE))
        ]
        found = np.concatenate(parts).astype(np.float64)
        return GapPrediction(found) if found.ndim == 1 else GapPrediction.by_survival(np.exp(found))

    def _known_products_only(self, batch: Batch) -> Batch:
        """Replace products without a purchase before training by the unknown product, as in a night."""
        for name, instead in (("product_ids", UNKNOWN), ("candidates", PADDING)):
            ids = batch[name]
            known = self._known[np.minimum(ids, len(self._known) - 1)] & (ids < len(self._known))
            batch[name] = np.where(known | (ids < FIRST_PRODUCT), ids, instead).astype(np.int32)
        return batch

    def settings(self) -> dict[str, Any]:
        """Architecture and training."""
        architecture = asdict(ARCHITECTURES[self._training.architecture])
        return {"architecture": architecture, "training": self._training.model_dump()}


class GapExamples:
    """Training data of which each example is a gap."""

    def __init__(self, train_gaps: Gaps, validation_gaps: Gaps, cut: Cut, settings: TrainingSettings) -> None:
        self._train, self._validation, self._cut, self._settings = train_gaps, validation_gaps, cut, settings
        histories = train_gaps.histories
        n_products = int(histories.product_ids.max()) + 1
        self.product_keys = np.arange(n_products, dtype=np.int64) * (np.arange(n_products) >= FIRST_PRODUCT)
        self.customer_keys = np.zeros(1, np.int64)
        self.product_counts = np.bincount(histories.product_ids, minlength=n_products)
        self.product_counts[END] = len(histories.sold_on)

    def known(self) -> BasketSequences:
        """What came before the gaps."""
        gaps = self._train
        return sequences_of(gaps.histories, gaps.funnels, gaps.ends, len(self.product_keys))

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; the last one is filled up from the beginning."""
        return -(-len(self._train) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Gaps in another order every epoch."""
        epoch, seed = step // self.steps_per_epoch(batch_size), self._settings.seed
        rows = batch_rows(len(self._train), seed, step, batch_size, worker=worker, workers=workers)
        random = np.random.default_rng([self._settings.seed, epoch, step, worker])
        return self._cut_out(self._train.take(rows), self._settings.max_products, random)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The validation customers' gaps."""
        rows = np.arange(len(self._validation))[worker::workers]
        for first in range(0, len(rows), batch_size):
            random = np.random.default_rng(first)
            yield self._cut_out(self._validation.take(rows[first : first + batch_size]), np.iinfo(np.int32).max, random)

    def _cut_out(self, gaps: Gaps, longest: int, random: np.random.Generator) -> Batch:
        waited = np.where(gaps.observed, np.nan, gaps.days)
        past = past_of(gaps, self._cut)
        candidates = past["candidates"]
        return past | targets(gaps.histories, gaps.ends, longest, random, waited=waited, candidates=candidates)


def past_of(gaps: Gaps, cut: Cut) -> Batch:
    """The model's input where each gap begins, of a customer it has no vector for."""
    candidates = CandidateSource().find(gaps.histories, gaps.funnels, gaps.ends)
    batch = pasts(gaps.histories, gaps.ends, gaps.funnels, cut, candidates)
    return batch | {"customer_ids": np.zeros(len(gaps), np.int32)}
