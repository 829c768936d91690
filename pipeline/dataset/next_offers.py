"""Examples of the task next_offers, cut from a night's tables, and how a model of another night reads them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models import offer_fields
from models.baselines.frequent_offers import FrequentOffers
from models.days import epoch_day
from models.keys import keys_of
from models.refusal import Refusal
from models.special_ids import FIRST_PRODUCT, PADDING, UNKNOWN
from pipeline.dataset.offer_events import OfferEvents, Popularity
from pipeline.dataset.offer_examples import (
    OfferCases,
    OfferCut,
    OfferData,
    OfferPasts,
    buckets_of,
    cases_between,
    days_from,
    quantile_edges,
)
from pipeline.dataset.offer_lines import OfferLines, read_offer_lines
from pipeline.offer_rules import OfferRules
from pipeline.settings import TrainingSettings
from pipeline.task import Batch, Tables

if TYPE_CHECKING:
    from models.next_offer import NextOfferModel

BATCH_SIZE = 256
_VALIDATION_PARTS = 10
_MIN_EVENTS_TO_LEARN = 1


@dataclass(frozen=True)
class NextOfferExamples:
    """Examples as of a business date; one in ten customers validates.

    An example for training is an event and the next one, or that it has not come by the first held-out day. Held out
    are the cases with enough events whose next event falls into the last `holdout_days`.

    names: of the offers from index FIRST_PRODUCT on; edges: see `buckets_of`; both from the training's days alone.
    """

    lines: OfferLines
    rules: OfferRules
    names: list[str]
    edges: list[float]
    first_held_out: int
    business_day: int
    cut: OfferCut
    seed: int

    @classmethod
    def open(cls, tables: Tables, business_date: date, settings: TrainingSettings) -> "NextOfferExamples":
        """Cut the examples. Raises Refusal: if there is nothing to train on; the message says what to change."""
        rules, day = settings.offers, epoch_day(business_date)
        lines = read_offer_lines(tables, rules, business_date)
        first_held_out = day - settings.holdout_days
        names = lines.vocabulary(rules, first_held_out)
        cut = OfferCut(settings.max_baskets, settings.max_products, rules.owned_again)
        seed = settings.seed
        found = cls(lines, rules, names, [], first_held_out, day, cut, seed)
        observed = found._between(0, first_held_out, _MIN_EVENTS_TO_LEARN)
        if not len(observed):
            raise Refusal(
                "no customer took two offers on different days before the held-out days; deliver more history, lower "
                "training.holdout_days or correct [offers] in the source's description"
            )
        edges = list(map(float, rules.bucket_days)) or quantile_edges(observed.days, rules.buckets)
        return cls(lines, rules, names, edges, first_held_out, day, cut, seed)

    @cached_property
    def events(self) -> OfferEvents:
        """All events before the business date."""
        return self.lines.events(self.names, self.rules.owned_again)

    @cached_property
    def pasts(self) -> OfferPasts:
        """What is read as of each event."""
        return OfferPasts(self.events, Popularity.of_events(self.events), self.cut)

    @cached_property
    def held_out_cases(self) -> OfferCases:
        """Cases on which candidate, champion and baselines are measured."""
        return self._between(self.first_held_out, self.business_day, self.rules.min_events)

    @property
    def n_held_out(self) -> int:
        """Number of `held_out_cases`."""
        return len(self.held_out_cases)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return self._data.steps_per_epoch(batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step."""
        return self._data.batch(step, batch_size, worker, workers)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation customers' cases."""
        return self._data.validation(batch_size, worker, workers)

    def frequent(self, own: bool = True) -> FrequentOffers:
        """Offers and buckets by frequency, of all days but the held-out ones."""
        cases = self._between(0, self.first_held_out, _MIN_EVENTS_TO_LEARN)
        buckets = buckets_of(cases.days, np.array(self.edges))
        return FrequentOffers.of_cases(cases.offers, buckets, self.events.n_offers, len(self.edges) + 1, own)

    @cached_property
    def _data(self) -> OfferData:
        train = self._between(0, self.first_held_out, _MIN_EVENTS_TO_LEARN, waiting=True)
        customer_keys = keys_of(self.lines.customers.astype(object)).astype(np.uint64)
        validates = (customer_keys % _VALIDATION_PARTS == 0)[self.events.customers[train.rows]]
        if validates.all():
            validates = np.zeros(len(train), bool)
        learned, validation = (train.take(np.flatnonzero(chosen)) for chosen in (~validates, validates))
        first = days_from(self.events, self.first_held_out)
        return OfferData(self.pasts, learned, validation, self.edges, seed=self.seed, days_from=first)

    def _between(self, first: int, end: int, min_events: int, waiting: bool = False) -> OfferCases:
        return cases_between(self.events, first, end, min_events, waiting)


@dataclass(frozen=True)
class Translation:
    """How a model reads arrays in the indices of other names; offers that it does not know are unknown to it.

    theirs: int64 [V'], for each index of the model one of ours, or PADDING; ours: int64 [V], the other way or UNKNOWN.
    """

    theirs: np.ndarray
    ours: np.ndarray

    @classmethod
    def between(cls, names: list[str], known: list[str]) -> "Translation":
        """From our names to those that the model knows."""
        ours = {name: row for row, name in enumerate(names, FIRST_PRODUCT)}
        theirs = {name: row for row, name in enumerate(known, FIRST_PRODUCT)}
        special = [PADDING, UNKNOWN, *range(UNKNOWN + 1, FIRST_PRODUCT)]
        return cls(
            np.array([*special, *(ours.get(name, PADDING) for name in known)]),
            np.array([*special, *(theirs.get(name, UNKNOWN) for name in names)]),
        )

    def inputs(self, batch: Batch) -> Batch:
        """The batch in the model's indices; an offer that we do not have may not be offered."""
        return batch | {
            offer_fields.EVENT_OFFERS: self.ours[batch[offer_fields.EVENT_OFFERS]].astype(np.int32),
            offer_fields.OFFER_FEATURE_VALUES: batch[offer_fields.OFFER_FEATURE_VALUES][:, self.theirs],
            offer_fields.MAY_BE_OFFERED: batch[offer_fields.MAY_BE_OFFERED][:, self.theirs],
        }

    def outputs(self, joint: np.ndarray) -> np.ndarray:
        """Joint probabilities in our indices; 0 for an offer that the model does not know."""
        found = joint[:, self.ours]
        found[:, self.ours == UNKNOWN] = 0.0
        return found


def measure(model: "NextOfferModel", examples: NextOfferExamples, limit: int) -> dict[str, float]:
    """Scorecard metrics of a model; a bucket is right that holds the day, in the model's own buckets."""
    from pipeline.dataset.tensors import compiled

    joint, translation = compiled(model.joint), Translation.between(examples.names, model.names)

    def predict(batch: Batch) -> np.ndarray:
        return translation.outputs(joint(translation.inputs(batch)))

    return scores(examples, predict, np.array(model.edges), limit)


def measure_baselines(examples: NextOfferExamples, limit: int) -> dict[str, dict[str, float]]:
    """The same of frequencies."""
    edges = np.array(examples.edges)
    named = {"global_top": examples.frequent(own=False), "own_then_global": examples.frequent()}
    return {name: scores(examples, frequent.joint, edges, limit) for name, frequent in named.items()}


def scores(
    examples: NextOfferExamples, predict: Callable[[Batch], np.ndarray], edges: np.ndarray, limit: int
) -> dict[str, float]:
    """Accuracy among the first k, mean reciprocal rank, accuracy of the bucket and of both together."""
    cases = examples.held_out_cases.take(np.arange(min(limit, examples.n_held_out)))
    if not len(cases):
        return dict.fromkeys(METRICS, 0.0)
    found = []
    for first in range(0, len(cases), BATCH_SIZE):
        part = cases.take(np.arange(first, min(first + BATCH_SIZE, len(cases))))
        joint = predict(examples.pasts.batch(part.rows))
        of_offer = joint.sum(axis=2)
        of_true = of_offer[np.arange(len(part)), part.offers]
        place = (of_offer >= of_true[:, None]).sum(axis=1)
        is_day = joint.sum(axis=1).argmax(axis=1) == buckets_of(part.days, edges)
        found.append(np.stack([place == 1, place <= 3, place <= 5, 1.0 / place, is_day, (place == 1) & is_day]))
    means = np.concatenate(found, axis=1).mean(axis=1)
    return dict(zip(METRICS, map(float, means), strict=True))


METRICS = ("acc@1", "acc@3", "acc@5", "mrr", "gap_acc", "joint_acc")
