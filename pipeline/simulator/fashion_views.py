"""What customers of the simulated fashion shop look at: before they buy, and on visits that lead to nothing.

Drawn from a stream of its own, so that sales are the same whatever is looked at. Some days before an order its customer
looked at a part of what they then bought, and at other articles of their taste; between orders they come and look, too.
On every visit articles are also shown that say nothing of the customer. Which order a view came before is the truth,
written apart.
"""

import csv
import gzip
import io
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.simulator.fashion_articles import Fashion

VIEW_COLUMNS = ("viewed_at", "customer_id", "article_id", "kind")
VIEW, SHOWN = "view", "shown"
_STREAM = 1
_LEAD_DAYS, _MOST_LEAD_DAYS = 3.0, 14
_LOOKED_AT_BOUGHT, _VISITS_PER_ORDER = 0.6, 1.5
_OTHERS, _BROWSED, _SHOWN = 3.0, 4.0, 2.0
_NOISE = 1.5  # whoever looks is less choosy than whoever buys
_DAY_SECONDS, _VISIT_SECONDS = 86_400, 1_200


class Views:
    """Collects the views of all days, then writes them in order of time."""

    def __init__(self, articles: Fashion, seed: int, stream: int = _STREAM) -> None:
        self._articles, self._random = articles, np.random.default_rng([seed, stream])
        self._rows: list[tuple[int, int, int, str, str | None]] = []

    def browsers(self, rate: np.ndarray) -> np.ndarray:
        """Customers who come to look on a day. Args: rate: float [N], orders a day of each."""
        return np.flatnonzero(self._random.random(len(rate)) < np.minimum(_VISITS_PER_ORDER * rate, 1.0))

    def browse(self, customer: int, day: int, store: np.ndarray, wants: np.ndarray) -> None:
        """A visit that leads to nothing. Args: store: int [S]; wants: float [S], how much each is liked."""
        second = day * _DAY_SECONDS + int(self._random.integers(8 * 3600, 22 * 3600))
        self._visit(customer, second, store, self._liked(store, wants, 1 + self._random.poisson(_BROWSED)), None)

    def before_order(
        self, customer: int, bought: np.ndarray, store: np.ndarray, wants: np.ndarray, *, order: str, second: int
    ) -> None:
        """The visit before an order, of articles that were in store by then. Args: second: of the order."""
        lead = int(min(self._random.exponential(_LEAD_DAYS), _MOST_LEAD_DAYS) * _DAY_SECONDS)
        at = max(second - _VISIT_SECONDS - lead, 0)
        there = self._articles.first <= at // _DAY_SECONDS
        looked = bought[(self._random.random(len(bought)) < _LOOKED_AT_BOUGHT) & there[bought]]
        others = self._liked(store, wants, self._random.poisson(_OTHERS))
        self._visit(customer, at, store[there[store]], np.union1d(looked, others[there[others]]), order)

    def _liked(self, store: np.ndarray, wants: np.ndarray, count: int) -> np.ndarray:
        count = min(count, len(store))
        noisy = wants + _NOISE * self._random.gumbel(size=len(store))
        return store[np.argsort(-noisy, kind="stable")[:count]]

    def _visit(self, customer: int, second: int, store: np.ndarray, looked: np.ndarray, order: str | None) -> None:
        shown = self._random.choice(store, min(self._random.poisson(_SHOWN), len(store)), replace=False)
        seconds = second + self._random.integers(0, _VISIT_SECONDS, len(looked) + len(shown))
        kinds = [VIEW] * len(looked) + [SHOWN] * len(shown)
        for at, article, kind in zip(seconds, [*looked, *shown], kinds, strict=True):
            self._rows.append((int(at), customer, int(article), kind, order if kind == VIEW else None))

    def write(self, first_day: date, raw: Path, truth: Path) -> None:
        """views.csv.gz in `raw`; in `truth` the order that each of its lines came before."""
        self._rows.sort(key=lambda row: row[:4])
        began = datetime.combine(first_day, datetime.min.time())
        with (
            gzip.GzipFile(raw / "views.csv.gz", "wb", mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(VIEW_COLUMNS)
            for second, customer, article, kind, _ in self._rows:
                at = began + timedelta(seconds=second)
                writer.writerow((at, f"c{customer}", self._articles.article_id(article), kind))
        orders = pa.array([row[4] for row in self._rows], pa.string())
        pq.write_table(pa.table({"before_order": orders}), truth / "views.parquet")
