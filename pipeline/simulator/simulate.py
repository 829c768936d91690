"""The simulated shop, day by day: the embedded default, and the only place where the truth is known.

A day is drawn from (seed, day) and the state of customers and shelves alone, and written before the next one begins:
memory does not grow with days, and a shop simulated one day longer has the same earlier days. Demand is drawn for two
weeks beyond the last delivered day, against the stock and deliveries already planned, so that the truth knows what
will run out. In those two weeks nothing new is planted, launched or delisted.
"""

import fcntl
import json
import shutil
from pathlib import Path

import numpy as np

from pipeline.simulator.baskets import Today, Wanted, fill_baskets, times_of_day, visitors
from pipeline.simulator.catalogue import Assortment
from pipeline.simulator.customers import CHANGE_KINDS, Change, Customers
from pipeline.simulator.files import write_sales
from pipeline.simulator.inclinations import ReturnInclinations
from pipeline.simulator.ledger import Ledger
from pipeline.simulator.shelves import CUT_DAYS, PROMOTION_UPLIFT, Shelves
from pipeline.simulator.shop import HORIZON_DAYS, ShopSettings, count_on

LEARN_DAYS = 28
WARM_UP_DAYS = 2 * LEARN_DAYS
"""Days simulated before the first delivered one: half with full shelves to learn rates, half with ordinary orders."""
STOCK_DAYS = 28
"""Opening stock is delivered for this many latest days, so that earlier business dates can be run again."""
PROMOTED_SHARE = 0.04
"""Share of the assortment on promotion in a week, at `PROMOTION_PRICE` times the list price."""
PROMOTION_PRICE = 0.75
RETURNED_SHARE = 0.012
RETURN_DAYS = 10
LAUNCHED_PER_WEEK = 0.003
"""Share of the assortment that is delisted in a week, and as much launched; launches are novel for `NOVEL_DAYS`."""
NOVEL_DAYS = 21
CHANGE_WINDOW_DAYS = 10


def simulate(shop: ShopSettings, out: Path) -> Path:
    """Write the shop's raw and truth files under `out`, unless they are there already; returns the raw folder.

    Written aside and moved when complete: a killed simulation leaves the earlier shop, or none, never half a one.
    """
    out.mkdir(parents=True, exist_ok=True)
    described = json.dumps(shop.model_dump(mode="json"), indent=1) + "\n"
    with (out / ".simulate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        raw, truth, aside = out / "raw", out / "truth", out / ".simulating"
        marker = raw / "shop.json"
        if marker.is_file() and marker.read_text() == described and truth.is_dir():
            return raw
        shutil.rmtree(aside, ignore_errors=True)
        for folder in ("raw/sales", "raw/stock", "truth"):
            (aside / folder).mkdir(parents=True)
        _Simulation(shop, aside).run()
        (aside / "raw" / "shop.json").write_text(described)
        for earlier in (raw, truth):
            if earlier.exists():
                earlier.rename(aside / f"earlier_{earlier.name}")
        (aside / "truth").rename(truth)
        (aside / "raw").rename(raw)
        shutil.rmtree(aside)
    return raw


class _Simulation:
    """One run of the shop: its state, and what a day does to it."""

    def __init__(self, shop: ShopSettings, aside: Path) -> None:
        self.shop, self.sales = shop, aside / "raw" / "sales"
        rng = self._rng(0, 0)
        self.assortment = Assortment(shop.products, rng)
        self.ledger = Ledger(shop, self.assortment, aside / "raw", aside / "truth")
        weekday = shop.first_day.weekday()
        self.customers = Customers(shop.customers, shop.stores, weekday, -WARM_UP_DAYS)
        for rows in np.array_split(np.arange(shop.customers), shop.customers // 50_000 + 1):
            self.customers.settle(rows, self.assortment, -WARM_UP_DAYS, rng)
        self.shelves = Shelves(shop.stores, self.assortment, weekday)
        self.launched_on = np.full(shop.products, -WARM_UP_DAYS - NOVEL_DAYS)
        self.returns: dict[int, list[dict[str, np.ndarray]]] = {}
        self.inclinations = ReturnInclinations(shop.return_spread, shop.seed)
        self.changes_made = 0
        self.pending: list[Change] = []
        self.learnt = np.zeros(len(self.shelves.place))

    def run(self) -> None:
        """Warm up, deliver every day, then draw the two weeks that only the truth sees."""
        for day in range(-WARM_UP_DAYS, self.shop.days + HORIZON_DAYS):
            if day == self.shop.days:
                self._deliver_plan()
            self._day(day)
        self.ledger.catalogue()
        if self.shop.return_spread:
            products = np.array([product.number for product in self.assortment.catalogue])
            self.ledger.inclinations(self.inclinations, self.customers.next_number, products)

    def _deliver_plan(self) -> None:
        """Deliver the resupply plan of the coming two weeks, as it stands on the business date."""
        for day in range(self.shop.days, self.shop.days + HORIZON_DAYS):
            self.ledger.arrivals(day, self.shelves.plan[day % HORIZON_DAYS])

    def _day(self, day: int) -> None:
        shop, shelves, assortment = self.shop, self.shelves, self.assortment
        delivered, horizon = 0 <= day < shop.days, day >= shop.days
        rng = self._rng(1, day)
        if delivered and (shop.first_day.weekday() + day) % 7 == 0:
            self._renew_assortment(day, rng)
        promoted = self._promoted(day)
        if shop.days - STOCK_DAYS < day <= shop.days and day >= 0:
            self.ledger.stock(day, shelves.on_hand)
        arrived = shelves.receive(day)
        if delivered:
            self.ledger.arrivals(day, arrived)
        self.customers.calm_down(day)
        rows = visitors(self.customers, day, rng)
        self.customers.schedule(rows, day, self._rng(2, day))
        if delivered:
            self._plant_changes(day, rows)
        season = assortment.season(shop.date_of(day).timetuple().tm_yday)
        today = Today(day, season, promoted, day - self.launched_on < NOVEL_DAYS)
        wanted = fill_baskets(self.customers, rows, assortment, today, rng)
        cells = wanted.store * assortment.places + wanted.place
        served = shelves.serve(cells, wanted.units)
        demand = np.bincount(cells, wanted.units, len(shelves.place)).astype(np.int64)
        if day >= 0:
            self.customers.visits[rows] += 1
            lost = demand - np.bincount(cells, served, len(demand)).astype(np.int64)
            self.ledger.lost(day, demand, lost, shelves.cut_on, shelves.cuts_at(day))
        if horizon:
            self.ledger.demand(day, demand)
        elif delivered:
            self._sell(day, wanted, served, promoted, rng)
        gone = self.customers.replace_leavers(rows, assortment, day, self._rng(3, day))
        if delivered:
            self.ledger.leavers(day, gone)
        self._plan(day, demand, promoted)

    def _plan(self, day: int, demand: np.ndarray, promoted: np.ndarray) -> None:
        """The planner's evening: learn, order, and now and then a supplier that fails."""
        shelves = self.shelves
        if day < LEARN_DAYS - WARM_UP_DAYS:
            self.learnt += demand / LEARN_DAYS
            if day == LEARN_DAYS - WARM_UP_DAYS - 1:
                shelves.rate = self.learnt
                shelves.fill()
            return
        shelves.observe(demand, self._uplift(promoted))
        ahead = [self._uplift(self._promoted(day + 1 + step)) for step in range(HORIZON_DAYS + 7)]
        shelves.order(day, np.stack(ahead))
        if 0 <= day < self.shop.days:
            shelves.cut(day, count_on(day, self.shop.planted_stockouts / CUT_DAYS), self._rng(4, day))

    def _sell(
        self, day: int, wanted: Wanted, served: np.ndarray, promoted: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Write what was sold and what came back; some of today's lines will come back within ten days."""
        sold = served > 0
        place, units = wanted.place[sold], served[sold]
        price = np.where(promoted, self.assortment.cents * PROMOTION_PRICE // 10 * 10 + 9, self.assortment.cents)
        lines = {
            "second": wanted.second[sold],
            "store": wanted.store[sold],
            "customer": self.customers.number[wanted.row[sold]],
            "basket": wanted.basket[sold],
            "product": self.assortment.product[place],
            "category": self.assortment.category[place],
            "units": units,
            "cents": price.astype(np.int64)[place] * units,
        }
        self._promise_returns(day, lines, rng)
        due = self.returns.pop(day, [])
        if due:
            back = {name: np.concatenate([part[name] for part in due]) for name in lines}
            count = len(back["second"])
            back["second"] = times_of_day(count, rng)
            back["basket"] = int(wanted.basket.max(initial=-1)) + 1 + np.arange(count)
            lines = {name: np.concatenate([lines[name], back[name]]) for name in lines}
        order = np.argsort(lines["second"], kind="stable")
        lines = {name: values[order] for name, values in lines.items()}
        write_sales(self.sales, self.shop.date_of(day), **lines)

    def _promise_returns(self, day: int, lines: dict[str, np.ndarray], rng: np.random.Generator) -> None:
        """Choose lines that come back, one unit or all of them, at the price paid."""
        share = RETURNED_SHARE * self.inclinations.of_lines(lines["customer"], lines["product"])
        chosen = np.flatnonzero(rng.random(len(lines["units"])) < share)
        after = rng.integers(1, RETURN_DAYS + 1, len(chosen))
        back = {name: values[chosen] for name, values in lines.items()}
        whole = rng.random(len(chosen)) < 0.5
        units = np.where(whole, back["units"], 1)
        back["cents"] = -(back["cents"] // back["units"]) * units
        back["units"] = -units
        for days in range(1, RETURN_DAYS + 1):
            if (after == days).any():
                part = {name: values[after == days] for name, values in back.items()}
                self.returns.setdefault(day + days, []).append(part)

    def _plant_changes(self, day: int, rows: np.ndarray) -> None:
        """Change some of today's visitors, kinds in turn, and record each change on the day it shows."""
        count = count_on(day, self.shop.planted_changes / CHANGE_WINDOW_DAYS)
        kinds = [CHANGE_KINDS[(self.changes_made + step) % len(CHANGE_KINDS)] for step in range(count)]
        self.changes_made += count
        self.pending += self.customers.change(kinds, rows, day, self.assortment, self._rng(5, day))
        shown = [change for change in self.pending if change.shown_on <= day]
        self.pending = [change for change in self.pending if change.shown_on > day]
        self.ledger.changes(shown)

    def _renew_assortment(self, day: int, rng: np.random.Generator) -> None:
        """Every Monday some products leave the assortment and new ones take places that are empty."""
        for _ in range(count_on(day // 7, self.shop.products * LAUNCHED_PER_WEEK)):
            launched = self.assortment.launch(rng)
            if launched is not None:
                self.launched_on[launched] = day
                self.customers.adopt(launched, self.assortment, 0.15, rng)
                self.shelves.stock_up(launched, self.customers.expected_units(launched))
            if leaver := self.assortment.delist(rng):
                self.customers.turn_to(*leaver)
                self.shelves.empty(leaver[0])

    def _promoted(self, day: int) -> np.ndarray:
        """Which places are on promotion in the calendar week of a day; known in advance."""
        week = (self.shop.first_day.weekday() + day) // 7
        return self._rng(6, week).random(self.shop.products) < PROMOTED_SHARE

    def _uplift(self, promoted: np.ndarray) -> np.ndarray:
        return np.where(promoted, PROMOTION_UPLIFT, 1.0)

    def _rng(self, stream: int, day: int) -> np.random.Generator:
        """Random numbers of one purpose and one day, whatever was drawn before."""
        return np.random.Generator(np.random.PCG64([self.shop.seed, stream, day + 100_000]))
