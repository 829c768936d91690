"""Events of customers, each a set of offers, and what models read of them: only what was known on an event's own day.

An event is a day on which a customer took at least one known offer. Its dearest known offer (the largest amount; ties:
the smaller index) stands for it where one is wanted. Events of one day are one set.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.offer_fields import EVENT_FEATURES, N_EVENT_FEATURES, N_OFFER_FEATURES, OFFER_FEATURES
from models.ragged import offsets_of, positions_within, ranges
from models.special_ids import FIRST_PRODUCT

WINDOWS, TOP_WINDOWS = (3, 7, 28), (7, 28)
_DECAY = 0.8
_MOST_OVERDUE = 3.0
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class OfferEvents:
    """Events of N customers, E in all: customer after customer, each one's oldest first.

    offsets: int64 [N + 1], events of each customer; days: int64 [E], since 1970-01-01; amounts: float64 [E], cents;
    set_offsets: int64 [E + 1]; offers: int32, of each event, the dearest known one first; offer_amounts: float64, cents
    of each of `offers`; n_offers: V.
    """

    offsets: np.ndarray
    days: np.ndarray
    amounts: np.ndarray
    set_offsets: np.ndarray
    offers: np.ndarray
    offer_amounts: np.ndarray
    n_offers: int

    def __len__(self) -> int:
        return len(self.days)

    @property
    def customers(self) -> np.ndarray:
        """Customer of each event; int64 [E]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def positions(self) -> np.ndarray:
        """Events of the same customer before each event; int64 [E]."""
        return positions_within(np.diff(self.offsets))

    @property
    def tops(self) -> np.ndarray:
        """Dearest known offer of each event; int32 [E]."""
        return self.offers[self.set_offsets[:-1]]

    @property
    def gaps(self) -> np.ndarray:
        """Days since the event before, -1 for a customer's first; int64 [E]."""
        return np.where(self.positions > 0, np.diff(self.days, prepend=0), -1)

    @property
    def is_last(self) -> np.ndarray:
        """Whether an event is its customer's last; bool [E]."""
        last = np.zeros(len(self), bool)
        last[self.offsets[1:][np.diff(self.offsets) > 0] - 1] = True
        return last


def events_of(lines: pd.DataFrame, n_customers: int, n_offers: int, owned_again: bool = True) -> OfferEvents:
    """Events from sales lines.

    Args: lines: customer (0 to N - 1), day, offer (an index, UNKNOWN for offers without one), amount_cents;
          owned_again: False keeps only the first day of each customer and known offer.
    """
    lines = lines.groupby(["customer", "day", "offer"])["amount_cents"].sum().reset_index()
    lines["unknown"] = lines["offer"] < FIRST_PRODUCT
    if not owned_again:
        first = lines.groupby(["customer", "offer"])["day"].transform("min")
        lines = lines[lines["unknown"] | (lines["day"] == first)]
    has_known = ~lines.groupby(["customer", "day"])["unknown"].transform("min").astype(bool)
    lines = lines[has_known].sort_values(
        ["customer", "day", "unknown", "amount_cents", "offer"], ascending=[True, True, True, False, True]
    )
    customer, day = lines["customer"].to_numpy(np.int64), lines["day"].to_numpy(np.int64)
    begins = np.ones(len(lines), bool)
    begins[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    starts = np.flatnonzero(begins)
    amounts = lines["amount_cents"].to_numpy(np.float64)
    return OfferEvents(
        offsets=offsets_of(np.bincount(customer[starts], minlength=n_customers)),
        days=day[starts],
        amounts=np.add.reduceat(amounts, starts) if len(starts) else np.zeros(0),
        set_offsets=np.append(starts, len(lines)).astype(np.int64),
        offers=lines["offer"].to_numpy(np.int32),
        offer_amounts=amounts,
        n_offers=n_offers,
    )


@dataclass(frozen=True)
class Popularity:
    """How many events of everyone held each offer, and how many it was the dearest of, up to the end of each day.

    first_day: since 1970-01-01; held, top: float32 [D + 1, V], cumulative, row d up to the day before first_day + d.
    """

    first_day: int
    held: np.ndarray
    top: np.ndarray

    @classmethod
    def of_events(cls, events: OfferEvents) -> "Popularity":
        """Counts over all events."""
        if not len(events):
            return cls(0, *(np.zeros((1, events.n_offers), np.float32) for _ in range(2)))
        sizes = np.diff(events.set_offsets)
        first, n_days = int(events.days.min()), int(np.ptp(events.days)) + 1
        days = events.days - first
        held, top = (np.zeros((n_days + 1, events.n_offers), np.float32) for _ in range(2))
        np.add.at(held, (np.repeat(days, sizes) + 1, events.offers), 1.0)
        np.add.at(top, (days + 1, events.tops), 1.0)
        return cls(first, np.cumsum(held, axis=0), np.cumsum(top, axis=0))

    def log_shares(self, days: np.ndarray) -> np.ndarray:
        """Logs of shares in the windows that end with each day, relative to an even share; float32 [n, V, 5]."""
        shares = [_log_share(self.held, days - self.first_day, window) for window in WINDOWS]
        shares += [_log_share(self.top, days - self.first_day, window) for window in TOP_WINDOWS]
        return np.stack(shares, axis=-1)


def _log_share(cumulative: np.ndarray, days: np.ndarray, window: int) -> np.ndarray:
    last = len(cumulative) - 1
    counts = cumulative[np.clip(days + 1, 0, last)] - cumulative[np.clip(days + 1 - window, 0, last)]
    smoothed = counts[:, FIRST_PRODUCT:] + 1.0
    shares = np.zeros_like(counts)
    shares[:, FIRST_PRODUCT:] = np.log(smoothed / smoothed.mean(axis=1, keepdims=True))
    return shares


def event_features(events: OfferEvents) -> np.ndarray:
    """Features of every event; float32 [E, F], columns are EVENT_FEATURES."""
    features = np.zeros((len(events), N_EVENT_FEATURES), np.float32)
    gaps = events.gaps
    features[:, EVENT_FEATURES.index("log_gap_days")] = np.log1p(np.maximum(gaps, 0))
    features[:, EVENT_FEATURES.index("is_first")] = gaps < 0
    features[:, EVENT_FEATURES.index("log_events")] = np.log1p(events.positions)
    features[:, EVENT_FEATURES.index("log_offers")] = np.log1p(np.diff(events.set_offsets))
    features[:, EVENT_FEATURES.index("log_amount")] = np.log1p(np.maximum(events.amounts, 0.0) / 100.0)
    weekday = (events.days + _EPOCH_WEEKDAY) % 7
    features[np.arange(len(events)), EVENT_FEATURES.index("weekday_0") + weekday] = 1.0
    return features


def offer_features(events: OfferEvents, rows: np.ndarray, popularity: Popularity) -> np.ndarray:
    """Features of every offer as of some events (rows of E); float32 [B, V, F], columns are OFFER_FEATURES.

    Reads the customers' events up to these, and everyone's up to the end of their days.
    """
    n, n_offers = len(rows), events.n_offers
    # Nothing here may cost as much as there are events: it is done for every batch.
    starts = events.offsets[np.searchsorted(events.offsets, rows, side="right") - 1]
    lengths = rows - starts + 1
    past = ranges(starts, lengths)
    example, age = np.repeat(np.arange(n), lengths), np.repeat(rows, lengths) - past
    begins = events.set_offsets[past]
    sizes = events.set_offsets[past + 1] - begins
    lines = ranges(begins, sizes)
    held = events.offers[lines]
    of_example, of_age, of_day = (np.repeat(each, sizes) for each in (example, age, events.days[past]))
    cell = of_example * n_offers + held

    def summed(cells: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(cells, weights, minlength=n * n_offers)

    count, first, last = summed(cell), np.full(n * n_offers, np.inf), np.full(n * n_offers, -np.inf)
    np.minimum.at(first, cell, of_day)
    np.maximum.at(last, cell, of_day)
    is_owned = count > 0
    since = np.where(is_owned, np.repeat(events.days[rows], n_offers) - last, 0.0)
    repeated = count > 1
    interval = np.where(repeated, np.where(repeated, last - first, 0.0) / np.maximum(count - 1, 1), 0.0)
    overdue = np.where(repeated, np.minimum(since / np.maximum(interval, 1.0), _MOST_OVERDUE), 0.0)
    columns = {
        "log_events": np.log1p(count),
        "log_recent_events": np.log1p(summed(cell, _DECAY**of_age)),
        "log_top_events": np.log1p(summed(example * n_offers + events.offers[begins])),
        "log_spend_share": np.log1p(100.0 * _shares(summed(cell, events.offer_amounts[lines]).reshape(n, n_offers))),
        "in_latest": summed(cell[of_age == 0]),
        "is_owned": is_owned,
        "log_days_since": np.log1p(since),
        "log_interval": np.log1p(interval),
        "overdue": overdue,
    }
    features = np.zeros((n, n_offers, N_OFFER_FEATURES), np.float32)
    for name, values in columns.items():
        features[:, :, OFFER_FEATURES.index(name)] = values.reshape(n, n_offers)
    features[:, :, OFFER_FEATURES.index("popularity_3") :] = popularity.log_shares(events.days[rows])
    features[:, :FIRST_PRODUCT] = 0.0
    return features


def _shares(amounts: np.ndarray) -> np.ndarray:
    """Of the known offers, each row's sum to one, or are all 0; float64 [n, V], where nothing counts below 0."""
    paid = np.maximum(amounts, 0.0)
    paid[:, :FIRST_PRODUCT] = 0.0
    return paid / np.maximum(paid.sum(axis=1, keepdims=True), 1e-9)
