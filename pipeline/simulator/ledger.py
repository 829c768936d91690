"""The simulated shop's other files: stock, resupplies and catalogue for the jobs, and the truth for scoring.

Truth files (`truth/`, read by `larder simulate score` alone):
- `stockouts.csv`: one row per store, product and day on which demand exceeded the shelf. `period` is `past` (sales lost
  in delivered days) or `horizon` (the 14 days from the business date); `kind` is `planted` where a cut resupply plan
  caused it (`cut_on`: the evening of the cut) or `natural`; units demanded and lost that day.
- `demand.csv`: units demanded per store, product and day of the 14 days from the business date.
- `changes.csv`: planted behaviour changes: `day` is the first day that differs, `shown_on` the first day on which the
  delivered data can show it (three usual gaps for a customer who fell silent), `kind` content, size or timing.
- `leavers.csv`: customers who left for good, the day of their last visit, and the day on which their absence shows, as
  above; empty where they came too rarely for that.
- `returns.csv`, where customers and products differ in what they return: how many times the usual share of lines each
  of them sends back; `kind` is customer or product.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.simulator.catalogue import Assortment, product_id
from pipeline.simulator.categories import CATEGORIES
from pipeline.simulator.customers import Change
from pipeline.simulator.files import as_csv, customer_id, product_ids, store_id, store_ids
from pipeline.simulator.inclinations import ReturnInclinations
from pipeline.simulator.shop import ShopSettings

STOCKOUT_COLUMNS = (
    "store_id", "product_id", "day", "period", "kind", "units_demanded", "units_lost", "cut_on"
)  # fmt: skip


class Ledger:
    """Writes day by day; arrays have one entry per cell (store times places), days are counted from 0."""

    def __init__(self, shop: ShopSettings, assortment: Assortment, raw: Path, truth: Path) -> None:
        self.shop, self.assortment, self.raw, self.truth = shop, assortment, raw, truth
        _append(raw / "resupplies.csv", (), ("store_id", "product_id", "arrives_on", "units"))
        _append(truth / "stockouts.csv", (), STOCKOUT_COLUMNS)
        _append(truth / "demand.csv", (), ("store_id", "product_id", "day", "units"))
        _append(truth / "changes.csv", (), ("customer_id", "day", "shown_on", "kind", "detail"))
        _append(truth / "leavers.csv", (), ("customer_id", "last_visit_on", "shown_on"))

    def arrivals(self, day: int, units: np.ndarray) -> None:
        """Deliveries of one day."""
        self._write_cells(self.raw / "resupplies.csv", np.flatnonzero(units), day, units)

    def stock(self, day: int, on_hand: np.ndarray) -> None:
        """Opening stock of every listed product, counted before that day's delivery is put on the shelf."""
        path = self.raw / "stock" / f"stock_{self.shop.date_of(day)}.csv"
        _append(path, (), ("store_id", "product_id", "on_hand"))
        self._write_cells(path, np.flatnonzero(np.tile(self.assortment.listed, self.shop.stores)), None, on_hand)

    def lost(self, day: int, demand: np.ndarray, lost: np.ndarray, cut_on: np.ndarray, cut: np.ndarray) -> None:
        """Demand that found too little on the shelf; `cut` marks cells that suffer from a cut plan."""
        date, period = self.shop.date_of(day), "past" if day < self.shop.days else "horizon"
        rows = []
        for cell in np.flatnonzero(lost).tolist():
            store, place = divmod(cell, self.assortment.places)
            product = product_id(int(self.assortment.product[place]))
            kind, cut_date = ("planted", self.shop.date_of(int(cut_on[cell]))) if cut[cell] else ("natural", "")
            rows.append((store_id(store), product, date, period, kind, demand[cell], lost[cell], cut_date))
        _append(self.truth / "stockouts.csv", rows)

    def demand(self, day: int, demand: np.ndarray) -> None:
        """Units demanded on a day that is not delivered."""
        self._write_cells(self.truth / "demand.csv", np.flatnonzero(demand), day, demand)

    def changes(self, changes: list[Change]) -> None:
        """Behaviour changes that have become visible."""
        date_of = self.shop.date_of
        rows = ((customer_id(c.number), date_of(c.day), date_of(c.shown_on), c.kind, c.detail) for c in changes)
        _append(self.truth / "changes.csv", rows)

    def leavers(self, day: int, gone: list[tuple[int, int | None]]) -> None:
        """Customers whose last visit was on `day`, and the day on which that shows."""
        date_of = self.shop.date_of
        rows = ((customer_id(who), date_of(day), "" if shown is None else date_of(shown)) for who, shown in gone)
        _append(self.truth / "leavers.csv", rows)

    def inclinations(self, found: ReturnInclinations, n_customers: int, products: np.ndarray) -> None:
        """How much customers and products return, of all there ever were."""
        customers = np.arange(n_customers)
        rows = [
            ("customer", customer_id(int(who)), times)
            for who, times in zip(customers, found.of_customers(customers), strict=True)
        ]
        rows += [
            ("product", product_id(int(what)), times)
            for what, times in zip(products, found.of_products(products), strict=True)
        ]
        _append(self.truth / "returns.csv", rows, ("kind", "id", "times"))

    def catalogue(self) -> None:
        """Every product ever listed; price is the list price in currency."""
        rows = (
            (p.product_id, p.name, CATEGORIES[p.category].name, p.brand, f"{p.cents / 100:.2f}", p.tags)
            for p in self.assortment.catalogue
        )
        _append(self.raw / "catalogue.csv", rows, ("product_id", "name", "category", "brand", "price", "tags"))

    def _write_cells(self, path: Path, cells: np.ndarray, day: int | None, values: np.ndarray) -> None:
        """Append store, product, day if there is one, and value of `cells`."""
        store, place = np.divmod(cells, self.assortment.places)
        columns = [store_ids(store), product_ids(self.assortment.product[place])]
        if day is not None:
            columns.append(pa.array(np.full(len(cells), self.shop.date_of(day), "datetime64[D]")))
        with path.open("ab") as file:
            file.write(as_csv([*columns, pa.array(values[cells])]))


def _append(path: Path, rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if header:
            writer.writerow(header)
        writer.writerows(rows)
