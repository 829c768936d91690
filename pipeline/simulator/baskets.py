"""What today's visitors want: habitual products that run low, what goes with them, and what catches the eye."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.catalogue import Assortment
from pipeline.simulator.customers import Customers

LOOK_AHEAD = 0.35
"""Share of the gap to the next visit by which a product is bought before it is used up."""
COMPANION = 0.25
IMPULSES = 0.6
PULL_FORWARD = 0.25
"""Share of its cycle by which a promoted product is bought early."""
PROMOTED_APPEAL = 5.0
NOVEL_APPEAL = 4.0
OPENS, CLOSES = 8 * 3600, 20 * 3600


@dataclass(frozen=True)
class Today:
    """What a day is like; `season` (times the usual need), `promoted` and `novel` are per place."""

    day: int
    season: np.ndarray
    promoted: np.ndarray
    novel: np.ndarray


@dataclass(frozen=True)
class Wanted:
    """Wanted lines in the order of the day: `row` of the customer, `second` of the day, `basket` counted from 0."""

    row: np.ndarray
    store: np.ndarray
    basket: np.ndarray
    second: np.ndarray
    place: np.ndarray
    units: np.ndarray


def visitors(customers: Customers, day: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of those who come today, in the order of the day."""
    return rng.permutation(np.flatnonzero(customers.next_visit == day))


def fill_baskets(
    customers: Customers, rows: np.ndarray, assortment: Assortment, today: Today, rng: np.random.Generator
) -> Wanted:
    """One basket for each of `rows`, of one line per product; what customers habitually buy is then not due again."""
    basket, place, units = _habitual(customers, rows, assortment, today, rng)
    companion = assortment.companion[place]
    extra = (companion >= 0) & (rng.random(len(place)) < COMPANION)
    extra &= assortment.listed[companion]
    count = rng.poisson(IMPULSES, len(rows))
    appeal = assortment.popularity * assortment.listed * today.season
    appeal = np.cumsum(
        appeal * np.where(today.promoted, PROMOTED_APPEAL, 1.0) * np.where(today.novel, NOVEL_APPEAL, 1.0)
    )
    impulse = np.searchsorted(appeal, rng.random(count.sum()) * appeal[-1], side="right")
    one = np.ones(int(extra.sum()) + len(impulse), np.int64)
    key = np.concatenate([basket, basket[extra], np.repeat(np.arange(len(rows)), count)]) * assortment.places
    key += np.concatenate([place, companion[extra], impulse])
    key, index = np.unique(key, return_inverse=True)
    total = np.bincount(index, np.concatenate([units, one]), len(key)).astype(np.int64)
    basket, place = np.divmod(key, assortment.places)
    visited = np.where(
        rng.random(len(rows)) < 0.03, rng.integers(0, customers.stores, len(rows)), customers.home[rows]
    ).astype(np.int64)
    second = np.sort(times_of_day(len(rows), rng))
    return Wanted(rows[basket], visited[basket], basket, second[basket], place, total)


def times_of_day(count: int, rng: np.random.Generator) -> np.ndarray:
    """Seconds after midnight at the till: a late morning and an after-work peak within opening hours."""
    late = rng.random(count) < 0.6
    hour = np.where(late, rng.normal(17.3, 1.3, count), rng.normal(11.0, 1.5, count))
    inside = (hour * 3600 >= OPENS) & (hour * 3600 < CLOSES)
    return np.where(inside, hour * 3600, rng.uniform(OPENS, CLOSES, count)).astype(np.int64)


def _habitual(
    customers: Customers, rows: np.ndarray, assortment: Assortment, today: Today, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Habitual products running low, at least the most urgent one; buying resets their cycle."""
    habit, cycle, due = customers.habit[rows], customers.cycle[rows], customers.due[rows]
    usable = (habit >= 0) & assortment.listed[habit]
    early = LOOK_AHEAD * customers.gap[rows, None] + np.where(today.promoted[habit] & usable, PULL_FORWARD * cycle, 0.0)
    late = np.where(usable, due, np.inf)
    low = late <= today.day + early
    urgent = np.argmin(late, axis=1)
    low[np.arange(len(rows)), urgent] |= usable[np.arange(len(rows)), urgent]
    basket, column = np.nonzero(low)
    place = habit[basket, column]
    lasts = cycle[basket, column] * rng.gamma(12.0, 1 / 12.0, len(place)) / today.season[place]
    left = np.clip(due[basket, column] - today.day, 0.0, None)
    customers.due[rows[basket], column] = today.day + left + lasts
    units = customers.units[rows[basket], column] + (rng.random(len(place)) < 0.12)
    return basket, place, units.astype(np.int64)
