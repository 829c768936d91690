"""Who shops: habits, visits, newcomers, leavers and planted behaviour changes, as arrays with one row per customer.

Each customer has a handful of habitual products, every one with a personal replenishment cycle, so that personal
history predicts. A leaver's row is taken over by a newcomer with a new customer number: the arrays never grow.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.catalogue import Assortment
from pipeline.simulator.categories import CATEGORIES

HABITS = 14
NEVER = 2_000_000
# How much people like to shop on Monday to Sunday.
WEEKDAYS = np.array([0.85, 0.8, 0.85, 1.0, 1.35, 1.6, 0.55])
CYCLE_FACTOR = 2.4
"""Nobody buys a category here alone, nor every time: a person's cycles are longer than the category's."""
STAY_DAYS = 1000.0
"""Days that a customer stays one on average."""
MIN_VISITS_BEFORE_CHANGE = 8
LARGER = 4
CHANGE_KINDS = (
    ("content", "other products"),
    ("size", f"{LARGER} times the units"),
    ("timing", "silent"),
    ("content", "other products"),
    ("size", f"{LARGER} times the units"),
    ("timing", "more often"),
)
CHANGED_DAYS = 30
"""After about this many days a customer who fell silent comes back, and other timing and sizes become usual again."""


@dataclass(frozen=True)
class Change:
    """One planted behaviour change, as the truth records it; days counted from 0."""

    number: int
    day: int
    shown_on: int
    kind: str
    detail: str


class Customers:
    """The customers' state. Shapes: N rows, K habits; habits hold places of the assortment, -1 for none.

    `due` is the day on which a habitual product is used up; `units` what is bought then; `gap` the usual days between
    visits; `favourite` the preferred weekday.
    """

    def __init__(self, count: int, stores: int, first_weekday: int, start: int) -> None:
        self.count, self.stores, self.first_weekday = count, stores, first_weekday
        self.number = np.arange(count, dtype=np.int64)
        self.next_number = count
        self.next_visit = np.full(count, start, np.int32)
        self.visits = np.zeros(count, np.int32)
        self.changed_on = np.full(count, -NEVER, np.int32)
        self.home = np.zeros(count, np.int16)
        self.gap = np.zeros(count, np.float32)
        self.usual_gap = np.zeros(count, np.float32)
        self.favourite = np.zeros(count, np.int8)
        self.habit = np.full((count, HABITS), -1, np.int32)
        self.cycle = np.full((count, HABITS), np.inf, np.float32)
        self.due = np.full((count, HABITS), np.inf, np.float32)
        self.units = np.ones((count, HABITS), np.int16)

    def settle(self, rows: np.ndarray, assortment: Assortment, day: int, rng: np.random.Generator) -> None:
        """Draw the persons of `rows` anew, to come from `day` on."""
        n = len(rows)
        weight = 1.0 / np.arange(1, self.stores + 1) ** 0.4
        self.home[rows] = np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(n)).clip(max=self.stores - 1)
        self.gap[rows] = np.clip(rng.lognormal(np.log(7.6), 0.45, n), 2.0, 21.0)
        self.usual_gap[rows] = self.gap[rows]
        self.favourite[rows] = rng.integers(0, 7, n)
        habit = _draw_habits(n, assortment, rng)
        cycles = np.array([category.cycle_days for category in CATEGORIES])[assortment.category[habit]]
        cycle = cycles * rng.lognormal(0.0, 0.35, habit.shape) * CYCLE_FACTOR
        cycle[habit < 0] = np.inf
        self.habit[rows], self.cycle[rows] = habit, cycle
        with np.errstate(invalid="ignore"):
            self.due[rows] = np.where(habit < 0, np.inf, day + rng.random(habit.shape) * cycle)
        self.units[rows] = 1 + (rng.random(habit.shape) < 0.25) + (rng.random(habit.shape) < 0.08)
        self.next_visit[rows] = day + (rng.random(n) * self.gap[rows]).astype(np.int32)
        self.visits[rows] = 0
        self.changed_on[rows] = -NEVER

    def schedule(self, rows: np.ndarray, day: int, rng: np.random.Generator) -> None:
        """Set the next visit of those who came on `day`: their usual gap, moved to a day on which people shop."""
        target = day + np.maximum(1, np.rint(rng.gamma(10.0, self.gap[rows] / 10.0))).astype(np.int32)
        days = target[:, None] + np.arange(-1, 2)
        weekday = (self.first_weekday + days) % 7
        appeal = WEEKDAYS[weekday] * np.where(weekday == self.favourite[rows, None], 3.0, 1.0)
        appeal[days <= day] = 1e-9
        chosen = np.argmin(rng.exponential(size=appeal.shape) / appeal, axis=1)
        self.next_visit[rows] = days[np.arange(len(rows)), chosen]

    def replace_leavers(
        self, rows: np.ndarray, assortment: Assortment, day: int, rng: np.random.Generator
    ) -> list[tuple[int, int | None]]:
        """Let some of those who came on `day` leave and newcomers take their rows.

        Returns who left, and the day on which it shows: when the silence has grown to three usual gaps, as for those
        who fall silent; None where too few visits tell what is usual.
        """
        stays = day - self.changed_on[rows] < 2 * CHANGED_DAYS
        leaving = rows[(rng.random(len(rows)) < self.gap[rows] / STAY_DAYS) & ~stays]
        shown = day + np.rint(3 * self.gap[leaving]).astype(np.int64)
        known = self.visits[leaving] >= MIN_VISITS_BEFORE_CHANGE
        gone = [
            (number, int(on) if is_known else None)
            for number, on, is_known in zip(self.number[leaving].tolist(), shown, known, strict=True)
        ]
        if len(leaving):
            self.settle(leaving, assortment, day + 1, rng)
            self.number[leaving] = self.next_number + np.arange(len(leaving))
            self.next_number += len(leaving)
        return gone

    def calm_down(self, day: int) -> None:
        """Let changes of timing and size end; other products stay."""
        rows = np.flatnonzero(self.changed_on == day - CHANGED_DAYS)
        self.gap[rows] = self.usual_gap[rows]
        larger = rows[(self.units[rows] >= LARGER).all(axis=1)]
        self.units[larger] //= LARGER

    def turn_to(self, place: int, other: int) -> None:
        """All buyers of a delisted place's product take another one from now on."""
        taken = (self.habit == other).any(axis=1)
        rows, columns = np.nonzero(self.habit == place)
        self.habit[rows, columns] = np.where(taken[rows], -1, other)
        self.due[self.habit < 0] = np.inf

    def adopt(self, place: int, assortment: Assortment, share: float, rng: np.random.Generator) -> None:
        """A share of those who buy a launched product's category take it in place of an earlier habit."""
        same = (self.habit >= 0) & (assortment.category[self.habit] == assortment.category[place])
        rows = np.flatnonzero(same.any(axis=1) & ~(self.habit == place).any(axis=1))
        rows = rows[rng.random(len(rows)) < share]
        self.habit[rows, np.argmax(same[rows], axis=1)] = place

    def expected_units(self, place: int) -> np.ndarray:
        """Units of a place's product that habits ask for per day, by store."""
        rows, columns = np.nonzero(self.habit == place)
        units = self.units[rows, columns] / self.cycle[rows, columns]
        return np.bincount(self.home[rows], units, self.stores)

    def change(
        self, kinds: list[tuple[str, str]], rows: np.ndarray, day: int, assortment: Assortment, rng: np.random.Generator
    ) -> list[Change]:
        """Change the behaviour of one of `rows`, today's visitors, per kind; today's basket is the first to show it.

        Only customers with enough earlier visits are taken, and none twice in a long time. A change of timing shows
        later: with the next visit, or when the silence has grown to three usual gaps.
        """
        changes = []
        for kind, detail in kinds:
            known = (self.visits[rows] >= MIN_VISITS_BEFORE_CHANGE) & (day - self.changed_on[rows] > 3 * CHANGED_DAYS)
            if detail == "silent":
                known &= self.gap[rows] <= 4.0
            elif detail == "more often":
                known &= self.gap[rows] >= 5.0
            if not known.any():
                continue
            row = int(rng.choice(rows[known]))
            self.changed_on[row] = day
            first, shown = day, day
            if kind == "content":
                self._take_other_products(row, assortment, rng)
            elif kind == "size":
                self.units[row] *= LARGER
            elif detail == "silent":
                first = day + max(1, round(float(self.gap[row])))
                shown = day + round(3 * float(self.gap[row]))
                self.next_visit[row] = day + CHANGED_DAYS + int(rng.integers(0, 8))
            else:
                self.gap[row] = 1.2
                first = shown = day + 1
                self.next_visit[row] = first
            changes.append(Change(int(self.number[row]), first, shown, kind, detail))
        return changes

    def _take_other_products(self, row: int, assortment: Assortment, rng: np.random.Generator) -> None:
        """Replace every habit by a product never bought before, of unfamiliar categories as far as there are any."""
        used = self.habit[row] >= 0
        before = self.habit[row][used]
        strange = assortment.listed & ~np.isin(np.arange(assortment.places), before)
        unfamiliar = strange & ~np.isin(assortment.category, assortment.category[before])
        pool = np.flatnonzero(unfamiliar if unfamiliar.sum() >= len(before) else strange)
        count = min(len(pool), len(before))
        fresh = np.full(len(before), -1)
        fresh[:count] = rng.choice(pool, count, replace=False)
        self.habit[row, used] = fresh
        self.due[row, self.habit[row] < 0] = np.inf


def _draw_habits(n: int, assortment: Assortment, rng: np.random.Generator) -> np.ndarray:
    """Draw places [n, K]: few favoured categories per person, popular products more often; -1 if twice."""
    weight = assortment.popularity * assortment.listed
    mass = np.bincount(assortment.category, weight, len(CATEGORIES)) > 0
    shares = np.array([category.share for category in CATEGORIES]) * mass
    taste = np.cumsum(rng.gamma(0.7, size=(n, len(CATEGORIES))) * shares + 1e-12 * mass, axis=1)
    draw = rng.random((n, HABITS)) * taste[:, -1:]
    category = (draw[:, :, None] >= taste[:, None, :]).sum(axis=2)
    ends = np.cumsum(weight)
    start = np.concatenate([[0.0], ends])[np.searchsorted(assortment.category, np.arange(len(CATEGORIES)))]
    stop = ends[np.searchsorted(assortment.category, np.arange(len(CATEGORIES)), side="right") - 1]
    point = start[category] + rng.random((n, HABITS)) * (stop - start)[category]
    habit = np.sort(np.searchsorted(ends, point, side="right").clip(max=assortment.places - 1), axis=1)
    habit[:, 1:][habit[:, 1:] == habit[:, :-1]] = -1
    return habit
