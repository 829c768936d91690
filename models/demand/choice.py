"""Which forecast a store and class of product gets: methods weighted by what its last weeks prove of them.

The learned forecast is best where there is much to learn from. Where purchases are few or odd, a mean of many days is
hard to beat, and no store shall be worse off than with the best simple method. So every past week is forecast by every
method from the days before it, and what the earlier weeks proved is used for the next. Proof is the absolute and the
squared error of the week, against the best simple method's, older weeks counting less. Methods are weighted rather than
one chosen, so that no single product decides for all others of its store.

The same weeks, forecast by the weights of then, say how wrong the forecast tends to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
# Classes of product: share of days with a sale above which it is of the class.
CLASS_SHARES = (0.5, 1.0 / 7.0)
# Past weeks that are forecast, and from how many of them trees are learned once.
PAST_WEEKS, WEEKS_PER_LEARNING = 8, 4
# Weeks whose errors make the spread.
SPREAD_WEEKS = 4
_FADE = 0.85
# Purchases in the judged weeks that prove half of what very many would.
_HALF_PROVED = 30.0
# What a class trusts before anything is proved, and how many times as much as any other method.
TRUSTED = {0: LEARNED, 1: LEARNED, 2: "mean-112"}
TRUST = 8.0
# How fast a method's weight falls with its error: twice the error of another, e to the power of this less. Both numbers
# were chosen on weeks before those that docs/results report; a larger one is led by chance.
SHARPNESS = 2.0
# A week counts no method as worse than so many times the best.
_WORST = 4.0
# A method with this weight is named.
_NAMED = 0.2
_MIN_EXPECTED = 1.0
# Errors over the root of the forecast, which chance makes alike, count up to so many times their median: what one
# product does once says little about methods.
_FAR_OFF, _LEAST_MISSED = 4.0, 0.4


@dataclass(frozen=True)
class PastWeek:
    """One past week as it would have been forecast.

    Shapes: N products, 7 days. `start` is its first day, as the history counts.
    mean, sold: float64 [N, 7]; expected and sold purchases; what was expected of days on which the shelf then ran out,
        too, but nothing of days on which the store was shut.
    on_shelf: bool [N, 7]; days that say how good the forecast was.
    methods: [N] names; what weighed, by the weeks before.
    classes: int64 [N]; see `product_classes`, by the days before.
    """

    start: int
    mean: Array
    sold: Array
    on_shelf: NDArray[np.bool_]
    methods: NDArray[np.str_]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class StoreForecast:
    """Expected purchases [N, H] of one store, the spread of a day's and of several days', and how they came about.

    largest_week: [N]; purchases of the product's own best seven days, which bound its mean.
    methods: [N] names; what weighs for the product.
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
    """Expected purchases of every product of one store over the horizon, methods weighted by its own last weeks.

    Args: open_share: [N, H]; 0 for days of the horizon on which the store will be shut, or a product no longer sold;
        None: all as usual.
    """
    config = config or BoostedConfig()
    shares = Shares(history.trading())
    trees = learn(shares, config, DAYS_PER_WEEK, shares.days)
    made = _forecasts(history, shares, trees, horizon_weekdays)
    past = _past_weeks(history, config)
    errors = [one.errors for one in past]
    weeks = []
    for number, one in enumerate(past[:SPREAD_WEEKS]):
        mean, methods = _chosen(one.known, one.made, errors[number + 1 :])
        week = one.week
        classes = product_classes(one.known)
        weeks.append(PastWeek(one.start, mean * ~week.closed, week.units, week.on_shelf, methods, classes))
    mean, methods = _chosen(history, made, errors)
    if open_share is not None:
        mean = mean * open_share
    return StoreForecast(mean, *_spread(weeks), largest_week(history), methods, weeks)


@dataclass(frozen=True)
class _Judged:
    """One past week: from `start` on, what was known before it, what each method made of that, and what came."""

    start: int
    known: SalesHistory
    made: Array
    week: SalesHistory
    errors: Array


def _past_weeks(history: SalesHistory, config: BoostedConfig) -> list[_Judged]:
    """Past weeks, the latest first, each forecast by every method from what was known before it."""
    days = history.units.shape[1]
    starts = [days - DAYS_PER_WEEK * back for back in range(1, PAST_WEEKS + 1)]
    starts = [start for start in starts if start > 0 and (~history.closed[:start]).sum() >= MIN_DAYS_BEFORE]
    judged = []
    for number in range(0, len(starts), WEEKS_PER_LEARNING):
        group = starts[number : number + WEEKS_PER_LEARNING]
        oldest = Shares(history.known_before(group[-1]).trading())
        trees = learn(oldest, config, DAYS_PER_WEEK, oldest.days)
        for start in group:
            known = history.known_before(start)
            week = history.days(start, start + DAYS_PER_WEEK)
            shares = oldest if start == group[-1] else Shares(known.trading())
            made = _forecasts(known, shares, trees, week.weekdays)
            errors = _errors(made * week.on_shelf, week.units * week.on_shelf, product_classes(known))
            judged.append(_Judged(start, known, made, week, errors))
    return judged


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


def _forecasts(
    history: SalesHistory, shares: Shares, trees: "lightgbm.Booster | None", horizon_weekdays: NDArray[np.int64]
) -> Array:
    """Every method's purchases [M, N, H] from what was known at the end of `history`, in order of METHODS.

    Of a product that has been silent each expects what it is probably still sold for.
    """
    trading, today = history.trading(), shares.days
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
    """Purchases, and absolute and squared error of the week, of each method and class: [M, C, 3]."""
    week, found = made.sum(axis=2), sold.sum(axis=1)
    scale = np.sqrt(week.mean(axis=0) + 1.0)
    missed = np.abs(week - found).min(axis=0) / scale
    most = _FAR_OFF * max(float(np.median(missed)), _LEAST_MISSED) * scale
    count = len(CLASS_SHARES) + 1
    errors = np.zeros((len(METHODS), count, 3))
    for number, expected in enumerate(week):
        off = np.clip(expected - found, -most, most)
        for column, values in enumerate((found, np.abs(off), off**2)):
            errors[number, :, column] = np.bincount(classes, weights=values, minlength=count)
    return errors


def _chosen(history: SalesHistory, made: Array, errors: Sequence[Array]) -> tuple[Array, NDArray[np.str_]]:
    """The weighted methods' purchases [N, H], bounded by the product's past, and the names of those that weigh, [N].

    Args: errors: of the weeks before, the latest first.
    """
    weights = method_weights(errors)
    by_class = [" and ".join(np.array(METHODS)[each >= min(_NAMED, each.max())]) for each in weights]
    classes = product_classes(history)
    mean: Array = np.einsum("nm,mnh->nh", weights[classes], made)
    return _bounded(mean, largest_week(history), made[METHODS.index(SMOOTHED)]), np.array(by_class)[classes]


def method_weights(errors: Sequence[Array]) -> Array:
    """Weight of each method by class, [C, M]; `errors` of past weeks, the latest first."""
    count = len(CLASS_SHARES) + 1
    trusted = np.array([[name == TRUSTED[label] for name in METHODS] for label in range(count)])
    if not errors:
        return trusted.astype(np.float64)
    simple = [METHODS.index(name) for name in SIMPLE_METHODS]
    fades = _FADE ** np.arange(len(errors))
    # Against the best simple method week by week, so that the weeks about a feast do not decide alone.
    losses = sum(fade * _against(each, simple) for fade, each in zip(fades, errors, strict=True)) / fades.sum()
    purchases = sum(fade * each[0, :, 0] for fade, each in zip(fades, errors, strict=True))
    logs = np.log(np.where(trusted, TRUST, 1.0)) - SHARPNESS * np.asarray(losses).T
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    proved = np.asarray(purchases / (purchases + _HALF_PROVED))[:, None]
    values: Array = proved * weights + (1.0 - proved) * trusted
    return values


def _against(errors: Array, simple: list[int]) -> Array:
    """Mean of absolute and root squared error of a week over those of the best simple method, [M, C]."""
    kinds = errors[:, :, 1], np.sqrt(errors[:, :, 2])
    found = [np.minimum(kind / np.maximum(kind[simple].min(axis=0), 1e-9), _WORST) for kind in kinds]
    values: Array = np.mean(found, axis=0)
    return values


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
