"""Expected demand from what a store sold, by boosted trees over a smoother (the customer-agnostic route, measured).

The smoother gives each product's share of the store's purchases: the mean of exponentially weighted shares of a few
memories, each drawn towards the product's own long-run share, and that towards its share in all stores or, of a new
product, towards the usual product of its kind. A share does not move when the whole store sells more, as before a
feast, so what is learned in one week holds in another. A product that has been silent is expected as far as it is
probably still on sale. Boosted trees, trained on the store's own last weeks, correct the logarithm of that share from
how the memories differ, how long the product has been silent and how new it is; with too little to learn from there
are no trees and the smoother stays. The store's purchases of the week come from its rhythm. Days on which a product
was not to be had count neither as sales nor as days.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.boosting import Trees
from models.demand.forecast import USUAL_SPREAD, DemandForecast, Spread, fit_band, fit_spread, with_spread
from models.demand.sales_history import DAYS_PER_WEEK, Array, SalesHistory, weekly_rhythm
from models.demand.silence import still_on_sale

if TYPE_CHECKING:
    import lightgbm

# Ages in days at which a day counts half: of the features, and of those the smoother averages.
MEMORIES = (1.0, 2.0, 4.0, 7.0, 14.0, 28.0)
SMOOTHED = (2.0, 7.0, 28.0)
TOTAL_MEMORIES = (7.0, 28.0)
RHYTHM_DAYS = 56
# Days of the long-run share added to what each memory knows, and of the usual product of a kind, or of the product in
# all stores, added to the long-run share.
PRIOR_DAYS = 0.3
PRIOR_CHAIN_DAYS = 7.0
# The trees may change a share by at most this factor either way.
LARGEST_CORRECTION = 3.0
# A product counts in the store's purchases of a day with at most this multiple of its usual day of sale.
LARGEST_WEIGHT = 3.0
# A product teaches when the smoother expects this many units of it in the horizon.
MIN_UNITS_TO_LEARN = 1.0
MIN_ROWS_TO_LEARN = 3000
MIN_DAYS_BEFORE = 14
_UNITS = 0.3  # added to units before a logarithm is taken


@dataclass(frozen=True)
class BoostedConfig(Trees):
    """Chosen on windows before the reported ones; `learn_days` origins, every other one, teach the trees."""

    learning_rate: float = 0.03
    n_leaves: int = 15
    min_rows_in_leaf: int = 300
    feature_share: float = 0.7
    n_trees: int = 200
    row_share: float = 0.7
    l2: float = 5.0
    learn_days: int = 35
    step_days: int = 2


@dataclass(frozen=True)
class StoreForecast:
    """Expected units [N, H] of one store, and the spread of a day's and of several days' units."""

    mean: Array
    daily: Spread
    weekly: Spread

    def about(self, mean: Array) -> DemandForecast:
        """The same spread about other means, as after blending."""
        return with_spread(mean, self.daily, self.weekly)


def forecast_store(
    history: SalesHistory, horizon_weekdays: NDArray[np.int64], config: BoostedConfig | None = None
) -> StoreForecast:
    """Expected units of every product of one store over the horizon, with the spread that its last week shows.

    The spread is that of shares: the last week is forecast from the days before it and brought to the store's units of
    that week, since one odd week of the whole store says little about its products.
    """
    config = config or BoostedConfig()
    mean = expected_units(history, horizon_weekdays, config)
    days = history.units.shape[1]
    start = days - DAYS_PER_WEEK
    if start < MIN_DAYS_BEFORE:
        return StoreForecast(mean, USUAL_SPREAD, USUAL_SPREAD)
    week = history.days(start, days)
    foreseen = expected_units(history.days(0, start), week.weekdays, config) * week.on_shelf
    sold = week.units * week.on_shelf
    foreseen *= sold.sum() / max(foreseen.sum(), 1e-9)
    judged = foreseen.sum(axis=1) >= MIN_UNITS_TO_LEARN
    daily = fit_spread(foreseen[judged], sold[judged])
    weekly = fit_band(foreseen[judged].sum(axis=1), sold[judged].sum(axis=1))
    return StoreForecast(mean, daily, weekly)


def expected_units(history: SalesHistory, horizon_weekdays: NDArray[np.int64], config: BoostedConfig) -> Array:
    """Mean purchases of each product on each day of the horizon, [N, H]."""
    history = history.trading()
    shares = Shares(history)
    today = history.units.shape[1]
    correction = learn(shares, config, len(horizon_weekdays), today)
    mean: Array = shares.expected(today, correction)[:, None] * store_purchases(history, horizon_weekdays)[None, :]
    return mean


class Shares:
    """Each product's share of the store's purchases before any day, and what the trees are given about it."""

    def __init__(self, history: SalesHistory) -> None:
        self.sold = history.units * history.on_shelf
        self.offered = activity(history)[None, :] * history.on_shelf
        self.weekdays, self.kinds, self.chain = history.weekdays, history.kinds, history.chain
        self._sold = {memory: _faded(self.sold, memory) for memory in (*MEMORIES, np.inf)}
        self._offered = {memory: _faded(self.offered, memory) for memory in (*MEMORIES, np.inf)}
        self._frequency = {memory: _faded((self.sold > 0).astype(float), memory) for memory in (7.0, 28.0)}
        self._days = {
            "sold": _faded((self.sold > 0).astype(float), np.inf),
            "on_shelf": _faded(history.on_shelf.astype(float), np.inf),
            "empty": _faded(history.empty.astype(float), np.inf),
        }
        day = np.arange(self.sold.shape[1])
        self._last = np.maximum.accumulate(np.where(self.sold > 0, day[None, :], -1), axis=1)
        sells = (self.sold > 0).any(axis=1)
        self._first = np.where(sells, (self.sold > 0).argmax(axis=1), self.sold.shape[1])

    @property
    def days(self) -> int:
        """Days of trade that are known."""
        return int(self.sold.shape[1])

    def before(self, day: int) -> tuple[NDArray[np.float32], Array]:
        """Features [N, F] and smoothed shares [N] from the days before `day`."""
        long_run = self._long_run(day)
        levels = {memory: self._level(day, memory, long_run) for memory in MEMORIES}
        smoothed = np.mean([levels[memory] for memory in SMOOTHED], axis=0)
        store = float(self.offered[:, max(day - DAYS_PER_WEEK, 0) : day].max(axis=0).sum())
        columns = [np.log(levels[memory] / smoothed) for memory in MEMORIES]
        columns += [np.log(smoothed * store + 1e-9)]
        for weeks_ago in (0, 1):
            first, last = (max(day - DAYS_PER_WEEK * (weeks_ago + back), 0) for back in (1, 0))
            sold, offered = self.sold[:, first:last].sum(axis=1), self.offered[:, first:last].sum(axis=1)
            columns += [np.log((sold + _UNITS) / (smoothed * offered + _UNITS))]
        recent = self.sold[:, max(day - DAYS_PER_WEEK, 0) : day]
        columns += [recent.max(axis=1) / (recent.sum(axis=1) + 0.5)]
        columns += [np.minimum(day - self._last[:, day - 1], 60), np.minimum(day - self._first, 90)]
        columns += [self._frequency[memory][:, day] * (1.0 - 0.5 ** (1.0 / memory)) for memory in (7.0, 28.0)]
        columns += [np.full(len(smoothed), self.weekdays[day - 1])]
        smoothed = np.maximum(smoothed * self.on_sale(day), 1e-9)
        return np.stack(columns, axis=1).astype(np.float32), smoothed

    def expected(self, day: int, correction: "lightgbm.Booster | None") -> Array:
        """Expected share [N] on the days from `day` on, corrected by trees where there are some."""
        features, smoothed = self.before(day)
        if correction is None:
            return smoothed
        bound = np.log(LARGEST_CORRECTION)
        values: Array = smoothed * np.exp(
            np.clip(np.asarray(correction.predict(features, raw_score=True)), -bound, bound)
        )
        return values

    def on_sale(self, day: int) -> Array:
        """Probability that each product is still on sale on `day`, given how long it was silent, and empty, [N]."""
        rows, known = np.arange(len(self.sold)), self._first < day
        first, last = np.where(known, self._first, 0), np.maximum(self._last[:, day - 1], 0)
        on_shelf = self._days["on_shelf"]
        active = on_shelf[rows, last + 1] - on_shelf[rows, first]
        silent = on_shelf[:, day] - on_shelf[rows, last + 1]
        empty = self._days["empty"][:, day] - self._days["empty"][rows, last + 1]
        return np.where(known, still_on_sale(self._days["sold"][:, day], active, silent, empty), 1.0)

    def _long_run(self, day: int) -> Array:
        """Share over all days before `day`, drawn towards that in all stores or to the usual product of its kind, [N].

        A product that has not sold here is known from the other stores alone.
        """
        sold, offered = self._sold[np.inf][:, day], self._offered[np.inf][:, day]
        known = self._first < day
        mean_day = max(float(offered.max()), 1.0) / max(day, 1)
        count = int(self.kinds.max(initial=0)) + 1
        of_kind = np.bincount(self.kinds, weights=sold, minlength=count)
        offered_kind = np.bincount(self.kinds, weights=offered * known, minlength=count)
        all_kinds = sold.sum() / max(float((offered * known).sum()), 1.0)
        usual = (of_kind + mean_day * all_kinds) / (offered_kind + mean_day)
        chain = self.chain[:, day - 1]
        elsewhere = np.isfinite(chain)
        prior = np.where(elsewhere, chain, np.where(known, usual[self.kinds], 0.0))
        weight = mean_day * np.where(elsewhere, PRIOR_CHAIN_DAYS, PRIOR_DAYS)
        return (sold + weight * prior) / (offered + weight)

    def _level(self, day: int, memory: float, long_run: Array) -> Array:
        sold, offered = self._sold[memory][:, day], self._offered[memory][:, day]
        prior = PRIOR_DAYS * max(float(offered.max()), 1.0) * (1.0 - 0.5 ** (1.0 / memory))
        values: Array = np.maximum((sold + prior * long_run) / (offered + prior), 1e-9)
        return values


def learn(shares: Shares, config: BoostedConfig, horizon: int, today: int) -> "lightgbm.Booster | None":
    """Trees that correct the smoothed share, from the days before `today`; None where they hold too little."""
    rows, units, offsets = [], [], []
    last = today - horizon
    for origin in range(max(last - config.learn_days + 1, MIN_DAYS_BEFORE), last + 1, config.step_days):
        features, smoothed = shares.before(origin)
        expected = smoothed * shares.offered[:, origin : origin + horizon].sum(axis=1)
        kept = expected > MIN_UNITS_TO_LEARN
        rows.append(features[kept])
        units.append(shares.sold[kept, origin : origin + horizon].sum(axis=1))
        offsets.append(np.log(expected[kept]))
    if sum(map(len, units)) < MIN_ROWS_TO_LEARN:
        return None
    import lightgbm

    parameters = config.parameters(
        "poisson", bagging_fraction=config.row_share, bagging_freq=1, lambda_l2=config.l2, num_threads=1
    )
    learned = lightgbm.Dataset(np.concatenate(rows), np.concatenate(units), init_score=np.concatenate(offsets))
    return lightgbm.train(parameters, learned, config.n_trees)


def activity(history: SalesHistory) -> Array:
    """Purchases in the store on each day, [T]; no product counts with much more than its usual day of sale."""
    days = np.maximum((history.units > 0).sum(axis=1), 1)
    usual = np.minimum(_median_day_of_sale(history.units), history.units.sum(axis=1) / days)
    counted: Array = np.minimum(history.units, (LARGEST_WEIGHT * np.maximum(usual, 1.0))[:, None]).sum(axis=0)
    return counted


def _median_day_of_sale(units: Array) -> Array:
    """Median of each product's days with a sale, [N]; 0 without any."""
    sold, rows = (units > 0).sum(axis=1), np.arange(len(units))
    ordered, first = np.sort(units, axis=1), units.shape[1] - sold
    low, high = first + np.maximum(sold - 1, 0) // 2, first + sold // 2
    last = units.shape[1] - 1
    values: Array = (ordered[rows, np.minimum(low, last)] + ordered[rows, np.minimum(high, last)]) / 2.0
    return np.where(sold > 0, values, 0.0)


def store_purchases(history: SalesHistory, horizon_weekdays: NDArray[np.int64]) -> Array:
    """The store's purchases on each day of the horizon: its rhythm about the mean of a short and a long memory, [H]."""
    history = history.days(max(history.units.shape[1] - RHYTHM_DAYS, 0), history.units.shape[1])
    rhythm = weekly_rhythm(history)
    daily, exposure = activity(history), rhythm[history.weekdays]
    age = np.arange(len(daily))[::-1]
    levels = []
    for memory in TOTAL_MEMORIES:
        weight = 0.5 ** (age / memory)
        levels.append((daily @ weight) / max(float(exposure @ weight), 1e-9))
    store: Array = np.mean(levels) * rhythm[horizon_weekdays]
    return store


def _faded(daily: Array, memory: float) -> Array:
    """Sum over the days before each day, [N, T + 1]; a day counts half after `memory` days (infinite: all alike)."""
    if np.isinf(memory):
        return np.pad(np.cumsum(daily, axis=1), [(0, 0), (1, 0)])
    kept, faded = 0.5 ** (1.0 / memory), np.zeros((len(daily), daily.shape[1] + 1))
    for day in range(daily.shape[1]):
        faded[:, day + 1] = kept * faded[:, day] + daily[:, day]
    return faded
