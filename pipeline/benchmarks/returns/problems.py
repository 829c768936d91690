"""The question of returns: which order lines come back within some days, from what is known when the order is placed.

A file in the columns of UCI Online Retail is divided by days as published; a source's own lines by its last days.
Between the last line of training and the first one that is measured lies a return window, so that every label of
training was known by then.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np

from models.days import day_of, epoch_day
from pipeline.benchmarks.data.online_retail import described_words, order_line_table, read_invoices
from pipeline.dataset.item_history import ItemHistory
from pipeline.dataset.order_lines import OrderLines, order_lines_of, read_item_words, read_order_lines
from pipeline.dataset.return_batches import ReturnPasts
from pipeline.dataset.return_outcomes import returned_within

ONLINE_RETAIL = "online_retail"
HORIZON = 30
PARTS = ("validation", "test", "test-as-published")
"""`test` trains on every line whose window is over before it; `test-as-published` on the published training days."""
_PUBLISHED = {
    "train": (date(2011, 1, 1), date(2011, 6, 30)),
    "validation": (date(2011, 8, 1), date(2011, 9, 9)),
    "test": (date(2011, 10, 10), date(2011, 11, 9)),
}
_PART_DAYS = 28


@dataclass(frozen=True)
class Problem:
    """What a method is given.

    described: words of each product; days: first and last day of `train`, `validation` and `test`, since 1970-01-01.
    """

    lines: OrderLines
    described: dict[str, list[str]]
    horizon: int
    days: dict[str, tuple[int, int]]

    @cached_property
    def returned(self) -> np.ndarray:
        """Whether each line came back within the horizon; bool [L]."""
        return returned_within(self.lines, self.horizon)

    @cached_property
    def history(self) -> ItemHistory:
        """What everyone did with each product; it is read before a line's own day alone."""
        return ItemHistory(self.lines, self.described)

    def pasts(self, longest: int) -> ReturnPasts:
        """Inputs of models for every line."""
        return ReturnPasts(self.lines, self.history, longest)

    def train_rows(self, part: str) -> np.ndarray:
        """Lines whose window was over before the first day of a part, from the first day of training on."""
        if part == "test-as-published":
            return self._between(*self.days["train"])
        first = self.days[part][0]
        return self._between(self.days["train"][0], first - self.horizon - 1)

    def measured_rows(self, part: str) -> np.ndarray:
        """Lines that are measured."""
        return self._between(*self.days["test" if part.startswith("test") else part])

    def _between(self, first: int, last: int) -> np.ndarray:
        day = self.lines.days[self.lines.orders]
        return np.flatnonzero((day >= first) & (day <= last))


def open_problem(dataset: str, path: Path | None) -> Problem:
    """A file in the columns of UCI Online Retail, or the published `order_lines` of a source.

    Args:   dataset: `online_retail`, whose file lies at `path`, or a source.
    Raises: FileNotFoundError, LakeError, SourceError: where there is none; ValueError: too few days for the division,
            or a path where none or one is needed.
    """
    if (dataset == ONLINE_RETAIL) != (path is not None):
        raise ValueError("give the path of the file after `--dataset online_retail`, and none after a source")
    if path is not None:
        invoices = read_invoices(path)
        days = {name: (epoch_day(first), epoch_day(last)) for name, (first, last) in _PUBLISHED.items()}
        return Problem(order_lines_of(order_line_table(invoices)), described_words(invoices), HORIZON, days)
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.workspace import Workspace

    source = load_source(dataset)
    lake = Workspace.of(Settings(), source.name).lake
    version = lake.resolve("order_lines")
    end = lake.manifest("order_lines", version).business_date
    tables = {name: lake.path(name, lake.resolve(name)) for name in ("order_lines", "products")}
    lines = read_order_lines(tables, end)
    return Problem(lines, read_item_words(tables), source.return_days, _last_days(lines, end, source.return_days))


def _last_days(lines: OrderLines, end: date, horizon: int) -> dict[str, tuple[int, int]]:
    """Test and validation of four weeks each, every window over before the next part begins."""
    test = epoch_day(end) - horizon - _PART_DAYS
    validation = test - horizon - _PART_DAYS
    first = int(lines.days.min(initial=0)) + horizon
    last = validation - horizon - 1
    if last < first:
        needed = 4 * horizon + 2 * _PART_DAYS
        raise ValueError(
            f"returns within {horizon} days need more than {needed} days of sales before {end} to compare methods, and "
            f"the first is of {day_of(first - horizon)}; simulate or deliver more days"
        )
    return {
        "train": (first, last),
        "validation": (validation, validation + _PART_DAYS - 1),
        "test": (test, test + _PART_DAYS - 1),
    }
