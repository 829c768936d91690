"""Examples of next offers: the events up to one of them, and the event after it or that it has not come yet."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models import offer_fields
from models.offer_fields import OFFER_FEATURES
from models.ragged import offsets_of, ranges
from models.special_ids import FIRST_PRODUCT
from pipeline.dataset.epoch_order import batch_rows
from pipeline.dataset.offer_events import OfferEvents, Popularity, event_features, offer_features
from pipeline.task import Batch

_OWNED = OFFER_FEATURES.index("is_owned")


@dataclass(frozen=True)
class OfferCut:
    """How much of a past is read, and what may be offered.

    Args: max_events, max_offers: the latest events, the dearest offers of each; owned_again: see `events_of`.
    """

    max_events: int = 10
    max_offers: int = 20
    owned_again: bool = True


class OfferPasts:
    """Batches of what is known as of some events."""

    def __init__(self, events: OfferEvents, popularity: Popularity, cut: OfferCut) -> None:
        self.events, self._popularity, self._cut = events, popularity, cut
        self._features, self._positions = event_features(events), events.positions

    def batch(self, rows: np.ndarray) -> Batch:
        """Inputs of the model as of some events (rows of E)."""
        events = self.events
        length = np.minimum(self._positions[rows] + 1, self._cut.max_events)
        places = offsets_of(length)
        shape = (len(rows), int(length.max(initial=1)))
        example = np.repeat(np.arange(len(rows)), length)
        step = np.arange(places[-1]) - places[example]
        past = ranges(rows - length + 1, length)
        begins = events.set_offsets[past]
        sizes = np.minimum(events.set_offsets[past + 1] - begins, self._cut.max_offers)
        offers = np.zeros((*shape, int(sizes.max(initial=1))), np.int32)
        place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        held = events.offers[ranges(begins, sizes)]
        offers[np.repeat(example, sizes), np.repeat(step, sizes), place] = held
        features = np.zeros((*shape, self._features.shape[1]), np.float32)
        features[example, step] = self._features[past]
        of_offers = offer_features(events, rows, self._popularity)
        allowed = np.ones(of_offers.shape[:2], np.float32)
        if not self._cut.owned_again:
            allowed -= of_offers[:, :, _OWNED]
        allowed[:, :FIRST_PRODUCT] = 0.0
        return {
            offer_fields.EVENT_OFFERS: offers,
            offer_fields.EVENT_FEATURE_VALUES: features,
            offer_fields.OFFER_FEATURE_VALUES: of_offers,
            offer_fields.MAY_BE_OFFERED: allowed,
        }


@dataclass(frozen=True)
class OfferCases:
    """Some events, and what came after each of them.

    rows: int64 [n], of E; offers: int32 [n], dearest of the next event, 0: it has not come; days: float64 [n], until
    it, or how long it has not come.
    """

    rows: np.ndarray
    offers: np.ndarray
    days: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> "OfferCases":
        """Some of the cases."""
        return OfferCases(self.rows[chosen], self.offers[chosen], self.days[chosen])

    @property
    def observed(self) -> "OfferCases":
        """Those whose next event came."""
        return self.take(np.flatnonzero(self.offers > 0))


def cases_between(events: OfferEvents, first: int, end: int, min_events: int, last: bool = False) -> OfferCases:
    """Cases whose next event falls on days `first` to before `end`; with `last`, also those who wait for it at `end`.

    Args: min_events: known events of a case, at least.
    """
    follows = ~events.is_last
    following = np.minimum(np.arange(len(events)) + 1, max(len(events) - 1, 0))
    day = np.where(follows, events.days[following], np.iinfo(np.int64).max)
    is_known = (events.positions + 1 >= min_events) & (events.days < end)
    came = is_known & (day >= first) & (day < end)
    waits = is_known & (day >= end) & (events.days < end - 1) & last
    rows = np.flatnonzero(came | waits)
    has_come = came[rows]
    # The last day seen is end - 1.
    days = np.where(has_come, day[rows], end - 1) - events.days[rows]
    return OfferCases(rows, np.where(has_come, events.tops[following[rows]], 0).astype(np.int32), days.astype(float))


def days_from(events: OfferEvents, end: int) -> int:
    """Day from which days are learned (see `OfferData`): halfway from the first event to the end of the examples.

    Args: end: the day before which examples end.
    """
    if not len(events):
        return end
    first = int(events.days.min())
    return first + (end - first) // 2


def buckets_of(days: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Bucket of each number of days: the first whose last day is not before it; int32."""
    return np.searchsorted(edges, days, side="left").astype(np.int32)


def quantile_edges(days: np.ndarray, n_buckets: int) -> list[float]:
    """Last days of the buckets but the last, so that each holds about as many cases; ascending, without repeats."""
    quantiles = np.quantile(days, np.arange(1, n_buckets) / n_buckets) if len(days) else np.zeros(0)
    return np.unique(np.maximum(np.floor(quantiles), 1.0)).tolist()


def survived(days: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Part of each bucket that lies after a number of days, its days alike; float32 [n, K].

    The last bucket has no end: it counts as begun but never as over.
    """
    begins = np.concatenate([[0.0], edges])
    parts = np.clip((edges[None] - days[:, None]) / np.maximum(edges - begins[:-1], 1.0)[None], 0.0, 1.0)
    return np.concatenate([parts, np.ones((len(days), 1))], axis=1).astype(np.float32)


class OfferData:
    """Training data of next offers; batches are a pure function of seed and step.

    Gaps that end in the first days of the data are short ones, since long ones cannot have ended by then: they teach
    offers, but not days.

    Args: days_from: since 1970-01-01; days are learned from cases whose next event falls on or after it.
    """

    def __init__(
        self,
        pasts: OfferPasts,
        train: OfferCases,
        validation: OfferCases,
        edges: list[float],
        *,
        seed: int,
        days_from: int | None = None,
    ) -> None:
        self._pasts, self._train, self._validation, self._seed = pasts, train, validation, seed
        self._edges, self._days_from = np.array(edges), days_from

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; the last one is filled up from the beginning."""
        return -(-len(self._train) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Cases in another order every epoch."""
        chosen = batch_rows(len(self._train), self._seed, step, batch_size, worker=worker, workers=workers)
        return self._with_targets(self._train.take(chosen))

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation cases."""
        rows = np.arange(len(self._validation))[worker::workers]
        for first in range(0, len(rows), batch_size):
            yield self._with_targets(self._validation.take(rows[first : first + batch_size]))

    def _with_targets(self, cases: OfferCases) -> Batch:
        came = cases.offers > 0
        buckets = np.where(came, buckets_of(cases.days, self._edges), 0)
        if self._days_from is not None:
            too_early = self._pasts.events.days[cases.rows] + cases.days < self._days_from
            buckets = np.where(came & too_early, -1, buckets)
        return self._pasts.batch(cases.rows) | {
            offer_fields.TARGET_OFFERS: cases.offers,
            offer_fields.TARGET_BUCKETS: buckets.astype(np.int32),
            offer_fields.TARGET_SURVIVED: survived(cases.days, self._edges),
        }
