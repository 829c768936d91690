"""What stands on the shelves: stock, deliveries planned two weeks ahead, sales lost, and plans cut on purpose.

A cell is one place of the assortment in one store: `cell = store * places + place`. Orders are placed every evening
for the day two weeks later, so the plan of the coming fortnight is always complete, as a retailer's is. A delivery is
on the shelf before the first sale of its day.
"""

import numpy as np

from pipeline.simulator.catalogue import Assortment
from pipeline.simulator.categories import CATEGORIES
from pipeline.simulator.shop import HORIZON_DAYS

SMOOTHING = 0.05
"""Weight of the latest day in a cell's learnt units a day."""
SAFETY = 2.8
"""Standard deviations of demand kept as safety stock: few shelves run out by themselves."""
UNITS_VARIANCE = 2.0
"""Variance of a cell's daily units over their mean, for the safety stock."""
PROMOTION_UPLIFT = 2.2
"""Times the usual units that the planner orders for a week on promotion."""
BRISK = 0.7
LASTS_DAYS = (1.0, 5.5)
"""Plans are cut of cells that sell at least `BRISK` units a day and whose stock alone lasts this long."""
CUT_DAYS = 10
"""Days of cancelled deliveries when a supplier fails; the backlog arrives the day after."""
UNLIMITED = 10**9


class Shelves:
    """Stock, planner and cut plans; every array has one entry per cell, `plan` one row per coming day."""

    def __init__(self, stores: int, assortment: Assortment, first_weekday: int) -> None:
        self.stores, self.assortment, self.first_weekday = stores, assortment, first_weekday
        cells = stores * assortment.places
        self.place = np.tile(np.arange(assortment.places), stores)
        self.store = np.repeat(np.arange(stores), assortment.places)
        self.on_hand = np.full(cells, UNLIMITED, np.int64)
        self.rate = np.zeros(cells)
        self.plan = np.zeros((HORIZON_DAYS, cells), np.int64)
        self.cut_on = np.full(cells, -UNLIMITED, np.int64)
        category = assortment.category[self.place]
        delivers = np.zeros((len(CATEGORIES), 7), bool)
        for index, kind in enumerate(CATEGORIES):
            delivers[index, list(kind.delivery_weekdays)] = True
        self.delivers = np.stack([delivers[category, (weekday - self.store) % 7] for weekday in range(7)])

    def receive(self, day: int) -> np.ndarray:
        """Put the day's deliveries on the shelf; returns units per cell."""
        arrived = self.plan[day % HORIZON_DAYS].copy()
        self.plan[day % HORIZON_DAYS] = 0
        self.on_hand += arrived
        return arrived

    def serve(self, cells: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Take `units` from the shelf in the given order of customers; returns what each got, the rest is lost."""
        order = np.argsort(cells, kind="stable")
        wanted, cell = units[order], cells[order]
        before = np.cumsum(wanted) - wanted
        first = np.concatenate([[True], cell[1:] != cell[:-1]])[: len(cell)]
        before -= np.maximum.accumulate(np.where(first, before, 0))
        got = np.clip(self.on_hand[cell] - before, 0, wanted)
        self.on_hand -= np.bincount(cell, got, len(self.on_hand)).astype(np.int64)
        served = np.empty_like(got)
        served[order] = got
        return served

    def observe(self, demand: np.ndarray, uplift: np.ndarray) -> None:
        """Learn each cell's usual units a day; `uplift` is what the planner knew of promotions per place."""
        usual = demand / uplift[self.place]
        self.rate += SMOOTHING * (usual - self.rate)

    def order(self, day: int, uplifts: np.ndarray) -> None:
        """In the evening of `day`, order for `HORIZON_DAYS` later up to what is needed until the delivery after it.

        `uplifts` [days, places] are the known promotions from tomorrow on, `HORIZON_DAYS + 7` of them.
        """
        arrives = day + HORIZON_DAYS
        now = self.delivers[(self.first_weekday + arrives) % 7]
        cover = self._days_to_next(arrives)
        days = HORIZON_DAYS - 1 + cover
        cumulated = np.concatenate([np.zeros((1, uplifts.shape[1])), np.cumsum(uplifts, axis=0)])
        target = self.rate * cumulated[days, self.place] + SAFETY * np.sqrt(UNITS_VARIANCE * self.rate * days)
        need = np.where(now, target - self.on_hand - self.plan.sum(axis=0), 0.0)
        pack = self.assortment.pack[self.place]
        units = np.ceil(np.maximum(need, 0.0) / pack).astype(np.int64) * pack
        self.plan[arrives % HORIZON_DAYS] = np.where(self.assortment.listed[self.place] & (self.rate > 0), units, 0)

    def fill(self) -> None:
        """Fill every shelf for the two weeks until the first orders arrive."""
        days = HORIZON_DAYS + 4
        self.on_hand = np.ceil(self.rate * days + SAFETY * np.sqrt(UNITS_VARIANCE * self.rate * days)).astype(np.int64)

    def empty(self, place: int) -> None:
        """Take a delisted product from every shelf and every plan."""
        cells = self.place == place
        self.on_hand[cells], self.rate[cells] = 0, 0.0
        self.plan[:, cells] = 0

    def stock_up(self, place: int, rates: np.ndarray) -> None:
        """Fill a launched product's shelves generously, from its expected units a day per store."""
        cells = self.place == place
        self.rate[cells] = rates
        self.on_hand[cells] = np.ceil(rates * 4 * HORIZON_DAYS + 12).astype(np.int64)
        self.cut_on[cells] = -UNLIMITED

    def cut(self, day: int, count: int, rng: np.random.Generator) -> None:
        """In the evening of `day`, cancel the coming deliveries of `count` cells that will run out without them.

        Where too few cells are so low, those that are lowest are taken: they run out later.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            cover = self.on_hand / self.rate
        running = self.cuts_at(day + 1)
        brisk = self.assortment.listed[self.place] & (self.rate >= BRISK) & ~running & (cover >= LASTS_DAYS[0])
        candidates = np.flatnonzero(brisk & (cover <= LASTS_DAYS[1]))
        if len(candidates) < count:
            candidates = np.flatnonzero(brisk)
            candidates = candidates[np.argsort(cover[candidates], kind="stable")][:count]
        chosen = rng.permutation(candidates)[:count]
        for ahead in range(1, CUT_DAYS + 1):
            self.plan[(day + CUT_DAYS + 1) % HORIZON_DAYS, chosen] += self.plan[(day + ahead) % HORIZON_DAYS, chosen]
            self.plan[(day + ahead) % HORIZON_DAYS, chosen] = 0
        self.cut_on[chosen] = day

    def cuts_at(self, day: int) -> np.ndarray:
        """Which cells wait for cancelled deliveries on `day`."""
        return day <= self.cut_on + CUT_DAYS

    def _days_to_next(self, day: int) -> np.ndarray:
        """Days from a delivery on `day` to the cell's next one, 7 at most."""
        ahead = np.full(len(self.place), 7)
        for days in range(6, 0, -1):
            ahead[self.delivers[(self.first_weekday + day + days) % 7]] = days
        return ahead
