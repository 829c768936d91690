"""Which forecast a store and class of product gets: the one that its last weeks prove, simple methods among them.

The learned forecast is best where there is much to learn from. Where purchases are few or odd, a mean of many days is
hard to beat, and no store shall be worse off than with the best simple method. So every past week is forecast by every
method from the days before it, and what the earlier weeks proved is used for the next: alone, or two methods half each.
Proof is the absolute and the squared error of the week, against the best simple method's, older weeks counting less.

The same weeks, forecast by what would have been chosen then, say how wrong the forecast tends to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.demand.boosted_route import MIN_DAYS_BEFORE, BoostedConfig, Shares, learn, store_purchases
from models.demand.forecast import USUAL_SPREAD, Spread, fit_band, fit_spread
from models.demand.sales_history import DAYS_PER_WEEK, Array, SalesHistory, weekly_rhythm
from models.demand.simple_methods import SIMPLE_METHODS

if TYPE_CHECKING:
    import lightgbm

LEARNED, SMOOTHED = "learned", "smoothed"
METHODS = (LEARNED, SMOOTHED, *SIMPLE_METHODS)
# What may be chosen, as positions in METHODS: each alone, ours half with each simple one, and the simple ones by pairs.
BLENDS: tuple[tuple[int, ...], ...] = (
    *((one,) for one in range(len(METHODS))),
    *combinations(range(len(METHODS)), 2),
)
# Classes of product: share of days with a sale above which it is of the class.
CLASS_SHARES = (0.5, 1.0 / 7.0)
# Past weeks that are forecast, and from how many of them trees are learned once.
PAST_WEEKS, WEEKS_PER_LEARNING = 8, 4
# Weeks whose errors make the spread.
SPREAD_WEEKS = 4
_FADE = 0.85
# Purchases in the judged weeks below which a class of a store proves nothing, and by how much another must be better.
_LEAST_PURCHASES = 30.0
# What a class gets where nothing is proved, if not the learned forecast.
UNPROVED = {2: "mean-112"}
_MARGIN = 0.1
_MIN_EXPECTED = 1.0
# Errors over the root of the forecast, which chance makes alike, count up to so many times their median.
_FAR_OFF, _LEAST_MISSED = 8.0, 0.4


@dataclass(frozen=True)
class PastWeek:
    """One past week as it would have been forecast.

    Shapes: N products, 7 days. `start` is its first day, as the history counts.
    mean, sold: float64 [N, 7]; expected and sold purchases; what was expected of days on which the shelf then ran out,
        too, but nothing of days on which the store was shut.
    on_shelf: bool [N, 7]; days that say how good the forecast was.
    methods: [N] names; what the weeks before proved.
    """

    start: int
    mean: Array
    sold: Array
    on_shelf: NDArray[np.bool_]
    methods: NDArray[np.str_]


@dataclass(frozen=True)
class StoreForecast:
    """Expected purchases [N, H] of one store, the spread of a day's and of several days', and how they came about.

    largest_week: [N]; purchases of the product's own best seven days, which bound its mean.
    methods: [N] names; what was chosen for the product.
    weeks: past weeks, the latest first, forecast from what was known before each.
    """

    mean: Array
    daily: Spread
    weekly: Spread
    largest_week: Array
    methods: NDArray[np.str_]
    weeks: Sequence[PastWeek]


def forecast_store(
    history: SalesHistory,
    horizon_weekdays: NDArray[np.int64],
    config: BoostedConfig | None = None,
    *,
    open_share: Array | None = None,
) -> StoreForecast:
    """Expected purchases of every product of one store over the horizon, by what its own last weeks prove best.

    Args: open_share: [H]; 0 for days of the horizon on which the store will be shut; None: it trades as usual.
    """
    config = config or BoostedConfig()
    days = history.units.shape[1]
    starts = [days - DAYS_PER_WEEK * back for back in range(1, PAST_WEEKS + 1)]
    starts = [start for start in starts if start > 0 and (~history.closed[:start]).sum() >= MIN_DAYS_BEFORE]
    shares = Shares(history.trading())
    trees = learn(shares, config, DAYS_PER_WEEK, _trading_days(history, days))
    earlier = [
        learn(shares, config, DAYS_PER_WEEK, _trading_days(history, starts[: number + WEEKS_PER_LEARNING][-1]))
        for number in range(0, len(starts), WEEKS_PER_LEARNING)
    ]
    candidates, judged, classes = [], [], []
    for number, start in enumerate(starts):
        week = history.days(start, start + DAYS_PER_WEEK)
        made = _forecasts(history.days(0, start), shares, earlier[number // WEEKS_PER_LEARNING], week.weekdays)
        candidates.append(made)
        judged.append(week)
        classes.append(product_classes(history.days(0, start)))
    errors = [
        _errors(made * week.on_shelf, week.units * week.on_shelf, of)
        for made, week, of in zip(candidates, judged, classes, strict=True)
    ]
    weeks = []
    for number, start in enumerate(starts[:SPREAD_WEEKS]):
        mean, methods = _chosen(candidates[number], classes[number], errors[number + 1 :])
        week = judged[number]
        weeks.append(PastWeek(start, mean * ~week.closed, week.units, week.on_shelf, methods))
    made = _forecasts(history, shares, trees, horizon_weekdays)
    mean, methods = _chosen(made, product_classes(history), errors)
    largest = largest_week(history)
    mean = _bounded(mean, largest, made[METHODS.index(SMOOTHED)])
    if open_share is not None:
        mean = mean * open_share
    return StoreForecast(mean, *_spread(weeks), largest, methods, weeks)


def product_classes(history: SalesHistory) -> NDArray[np.int64]:
    """Class of each product by the share of days on the shelf with a sale: 0 sells often, 1 weekly, 2 rarely, [N]."""
    share = (history.units > 0).sum(axis=1) / np.maximum(history.on_shelf.sum(axis=1), 1)
    values: NDArray[np.int64] = np.sum([share < limit for limit in CLASS_SHARES], axis=0)
    return values


def largest_week(history: SalesHistory) -> Array:
    """Purchases of each product's best seven days of trade in a row, [N]; fewer days are brought to seven."""
    units = history.trading().units
    days = units.shape[1]
    if days < DAYS_PER_WEEK:
        short: Array = units.sum(axis=1) * DAYS_PER_WEEK / max(days, 1)
        return short
    total = np.pad(np.cumsum(units, axis=1), [(0, 0), (1, 0)])
    week: Array = (total[:, DAYS_PER_WEEK:] - total[:, :-DAYS_PER_WEEK]).max(axis=1)
    known = history.on_shelf.sum(axis=1)
    # A product of three days has no week behind it yet.
    values: Array = week * DAYS_PER_WEEK / np.clip(known, 1, DAYS_PER_WEEK)
    return values


def _trading_days(history: SalesHistory, day: int) -> int:
    return int((~history.closed[:day]).sum())


def _forecasts(
    history: SalesHistory, shares: Shares, trees: "lightgbm.Booster | None", horizon_weekdays: NDArray[np.int64]
) -> Array:
    """Every method's purchases [M, N, H] from what was known at the end of `history`, in order of METHODS.

    Of a product that has been silent each expects what it is probably still sold for.
    """
    today = _trading_days(history, history.units.shape[1])
    trading = history.trading()
    store = store_purchases(trading, horizon_weekdays)
    learned, smoothed = shares.expected(today, trees), shares.expected(today, None)
    rhythm = weekly_rhythm(trading)
    usual = np.mean(rhythm)
    by_day = rhythm[horizon_weekdays] / (usual if usual > 0 else 1.0)
    daily = [share[:, None] * store[None, :] for share in (learned, smoothed)]
    on_sale = shares.on_sale(today)
    daily += [(method(trading) * on_sale)[:, None] * by_day[None, :] for method in SIMPLE_METHODS.values()]
    return np.stack(daily)


def _errors(made: Array, sold: Array, classes: NDArray[np.int64]) -> Array:
    """Purchases, and absolute and squared error of the week, of each blend and class: [B, C, 3].

    A product that every method missed far more than usual proves nothing for any of them, and is left out.
    """
    week, found = made.sum(axis=2), sold.sum(axis=1)
    missed = (np.abs(week - found) / np.sqrt(week + 1.0)).min(axis=0)
    telling = missed <= _FAR_OFF * max(float(np.median(missed)), _LEAST_MISSED)
    week, found, classes = week[:, telling], found[telling], classes[telling]
    count = len(CLASS_SHARES) + 1
    errors = np.zeros((len(BLENDS), count, 3))
    for number, blend in enumerate(BLENDS):
        off = week[list(blend)].mean(axis=0) - found
        for column, values in enumerate((found, np.abs(off), off**2)):
            errors[number, :, column] = np.bincount(classes, weights=values, minlength=count)
    return errors


def _chosen(made: Array, classes: NDArray[np.int64], errors: Sequence[Array]) -> tuple[Array, NDArray[np.str_]]:
    """The chosen blend's purchases [N, H] and its name [N]; `errors` of earlier weeks, the latest first."""
    best = best_blends(errors)
    mean, names = np.zeros(made.shape[1:]), np.empty(made.shape[1], dtype="U40")
    for label, number in enumerate(best):
        of, blend = classes == label, list(BLENDS[number])
        mean[of] = made[blend][:, of].mean(axis=0)
        names[of] = " and ".join(METHODS[one] for one in blend)
    return mean, names


def best_blends(errors: Sequence[Array]) -> list[int]:
    """The blend of each class, as a position in BLENDS: the usual one where nothing is proved."""
    count = len(CLASS_SHARES) + 1
    usual = [BLENDS.index((METHODS.index(UNPROVED.get(label, LEARNED)),)) for label in range(count)]
    if not errors:
        return usual
    total = sum(_FADE**age * each for age, each in enumerate(errors))
    assert isinstance(total, np.ndarray)
    simple = [number for number, blend in enumerate(BLENDS) if METHODS[blend[0]] in SIMPLE_METHODS and len(blend) == 1]
    best = []
    for label in range(count):
        purchases, absolute, squared = total[:, label].T
        if purchases[0] < _LEAST_PURCHASES:
            best.append(usual[label])
            continue
        against = absolute / max(absolute[simple].min(), 1e-9) + squared / max(squared[simple].min(), 1e-9)
        number = int(against.argmin())
        best.append(number if against[number] < against[0] * (1.0 - _MARGIN) else 0)
    return best


def _bounded(mean: Array, largest: Array, smoothed: Array) -> Array:
    """No mean above the product's own best week, but for what the smoother expects of one that has just begun."""
    horizon = mean.shape[1] / DAYS_PER_WEEK
    allowed = np.maximum(largest * max(horizon, 1.0), np.minimum(smoothed.sum(axis=1), mean.sum(axis=1)))
    week = mean.sum(axis=1)
    values: Array = mean * np.divide(allowed, week, out=np.ones_like(week), where=week > allowed)[:, None]
    return values


def _spread(weeks: Sequence[PastWeek]) -> tuple[Spread, Spread]:
    """Spread of days and of weeks that the past weeks show, each brought to the store's purchases of that week.

    It is that of shares: one odd week of the whole store says little about its products.
    """
    if not weeks:
        return USUAL_SPREAD, USUAL_SPREAD
    means, found = [], []
    for week in weeks:
        mean, units = week.mean * week.on_shelf, week.sold * week.on_shelf
        mean = mean * units.sum() / max(mean.sum(), 1e-9)
        kept = mean.sum(axis=1) >= _MIN_EXPECTED
        means.append(mean[kept])
        found.append(np.rint(units[kept]))
    mean, sold = np.concatenate(means), np.concatenate(found)
    return fit_spread(mean, sold), fit_band(mean.sum(axis=1), sold.sum(axis=1))
