"""The next-offer question on Ta-Feng: events of the 100 most frequent categories, cases split by the day of the next.

A case asks for the next event of a customer from all events before it, at least two. Cases whose next event falls
before day 84 are for training, on days 84 to 97 for validation, on days 98 to 119 for the test (day 0 is the first of
the data). Settings are chosen on the validation cases; a test is measured after training on both.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, read_lines
from pipeline.dataset.offer_events import OfferEvents, Popularity, events_of
from pipeline.dataset.offer_examples import OfferCases, OfferCut, OfferPasts, cases_between, quantile_edges

READINGS = ("repeat", "adoption")
"""`adoption`: an event is the first purchase of a category, and owned ones are not offered."""
N_OFFERS, N_BUCKETS, MIN_EVENTS = 100, 5, 2
VALIDATION_DAY, TEST_DAY, END_DAY = 84, 98, 120
_BURN_IN_DAYS = 56


@dataclass(frozen=True)
class Problem:
    """What a method is given.

    first_day: of the data, since 1970-01-01; first_target: day from which cases are used; edges: see
    `pipeline.dataset.offer_examples.buckets_of`; names: of the offers from index FIRST_PRODUCT on; customers: by row.
    """

    events: OfferEvents
    first_day: int
    first_target: int
    edges: list[float]
    names: list[str]
    customers: np.ndarray
    owned_again: bool

    def pasts(self, max_events: int = 10) -> OfferPasts:
        """Inputs as of events; the popularity of a day reads no later one."""
        cut = OfferCut(max_events, owned_again=self.owned_again)
        return OfferPasts(self.events, Popularity.of_events(self.events), cut)

    def cases(self, first: int, end: int, *, min_events: int = MIN_EVENTS, waiting: bool = False) -> OfferCases:
        """Cases whose next event falls on days of the data from `first` to before `end`."""
        first = max(first, self.first_target) + self.first_day
        return cases_between(self.events, first, end + self.first_day, min_events, waiting)


def open_problem(file: Path, reading: str) -> Problem:
    """The question on Ta-Feng's fetched file."""
    lines = read_lines(file, {name: ours for name, ours in SALES_COLUMNS.items() if ours != "product"})
    day = (lines["sold_on"] - pd.Timestamp(0)).dt.days.to_numpy()
    first_day = int(day.min())
    counts = lines["category"][day - first_day < VALIDATION_DAY].value_counts()
    names = sorted(counts.index, key=lambda name: (-counts[name], name))[:N_OFFERS]
    index = {name: row for row, name in enumerate(names, FIRST_PRODUCT)}
    customers, customer = np.unique(lines["customer"].to_numpy(str), return_inverse=True)
    sold = pd.DataFrame(
        {
            "customer": customer,
            "day": day,
            "offer": lines["category"].map(index),
            "amount_cents": 100.0 * lines["amount"].astype(float),
        }
    ).dropna()
    sold["offer"] = sold["offer"].astype(int)
    owned_again = reading == "repeat"
    events = events_of(sold, len(customers), FIRST_PRODUCT + len(names), owned_again)
    first_target = 0 if owned_again else _BURN_IN_DAYS
    problem = Problem(events, first_day, first_target, [], names, customers, owned_again)
    edges = quantile_edges(problem.cases(0, VALIDATION_DAY).days, N_BUCKETS)
    return Problem(events, first_day, first_target, edges, names, customers, owned_again)
