"""Examples of the task returns, cut from a night's tables, and how methods are measured on the held-out lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.baselines.return_rates import BoostedReturns, LogisticReturns, ReturnTrees, rate_log_odds
from models.days import day_of, epoch_day
from models.keys import keys_of
from models.refusal import Refusal
from models.returns.config import RETURN_ARCHITECTURES, architecture_name
from models.returns.timing import ReturnTiming
from pipeline.dataset.item_history import ItemHistory
from pipeline.dataset.order_lines import OrderLines, read_item_words, read_order_lines
from pipeline.dataset.return_batches import ReturnData, ReturnPasts
from pipeline.dataset.return_features import RATES
from pipeline.dataset.return_models import predicted_log_odds
from pipeline.dataset.return_outcomes import return_timing, returned_within
from pipeline.settings import TrainingSettings
from pipeline.task import Batch, Tables

if TYPE_CHECKING:
    from models.line_returns import LineReturns

_VALIDATION_PARTS = 10
METRICS = ("auc", "ap", "log_loss", "expected_share", "returned_share")


@dataclass(frozen=True)
class ReturnExamples:
    """Lines as of a business date; one in ten customers validates.

    A line is an example when its return window is over: before that nobody knows that it stays. Held out are the lines
    of the last `holdout_days` days whose window is over by the business date; trained are those whose window was over
    before the first held-out day, so that no return on or after it is seen.

    first_day: from which lines are examples; before it, too little is known of anyone.
    """

    pasts: ReturnPasts
    horizon: int
    first_day: int
    first_held_out: int
    business_day: int
    seed: int

    @classmethod
    def open(cls, tables: Tables, business_date: date, settings: TrainingSettings) -> "ReturnExamples":
        """Cut the examples. Raises Refusal: if there is nothing to train on; the message says what to change."""
        lines, horizon = read_order_lines(tables, business_date), settings.return_days
        day = epoch_day(business_date)
        held_out = day - horizon - settings.holdout_days
        first = int(lines.days.min(initial=day)) + horizon
        longest = RETURN_ARCHITECTURES[architecture_name(settings.architecture)].longest_past
        pasts = ReturnPasts(lines, ItemHistory(lines, read_item_words(tables)), longest)
        found = cls(pasts, horizon, first, held_out, day, settings.seed)
        n_back = int(found.returned[found.train_rows].sum())
        if n_back == 0 or n_back == len(found.train_rows):
            raise Refusal(
                f"of {len(found.train_rows):,} order lines sold from {day_of(first)} to "
                f"{day_of(held_out - horizon - 1)} {n_back:,} came back within {horizon} days, and some must and some "
                "must not; deliver more history with returns, lower training.holdout_days, or correct `return_days` or "
                "`returns` in the source's description"
            )
        return found

    @property
    def lines(self) -> OrderLines:
        """All lines before the business date."""
        return self.pasts.lines

    @cached_property
    def returned(self) -> np.ndarray:
        """Whether each line came back within the window; bool [L]. Says nothing of lines whose window is not over."""
        return returned_within(self.lines, self.horizon)

    @cached_property
    def train_rows(self) -> np.ndarray:
        """Lines whose window was over before the first held-out day."""
        return self._rows(self.first_day, self.first_held_out - self.horizon)

    @cached_property
    def held_out_rows(self) -> np.ndarray:
        """Lines on which candidate, champion and baselines are measured."""
        return self._rows(self.first_held_out, self.business_day - self.horizon)

    @property
    def n_held_out(self) -> int:
        """Number of `held_out_rows`."""
        return len(self.held_out_rows)

    @property
    def timing(self) -> ReturnTiming:
        """Days and units of the training lines' returns."""
        return return_timing(self.lines, self.train_rows, self.horizon)

    @property
    def base_rate(self) -> float:
        """Share of the training lines that came back."""
        return float(self.returned[self.train_rows].mean())

    @cached_property
    def data(self) -> ReturnData:
        """Training and validation lines."""
        keys = keys_of(self.lines.customers.astype(object)).astype(np.uint64)
        validates = (keys % _VALIDATION_PARTS == 0)[self.lines.order_customers][self.lines.orders[self.train_rows]]
        if validates.all():
            validates = np.zeros(len(validates), bool)
        learned, validation = self.train_rows[~validates], self.train_rows[validates]
        return ReturnData(self.pasts, learned, validation, self.returned, self.seed)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return self.data.steps_per_epoch(batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step."""
        return self.data.batch(step, batch_size, worker, workers)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation customers' lines."""
        return self.data.validation(batch_size, worker, workers)

    def _rows(self, first: int, end: int) -> np.ndarray:
        day = self.lines.days[self.lines.orders]
        return np.flatnonzero((day >= first) & (day < end))


def measure(model: "LineReturns", examples: ReturnExamples, limit: int) -> dict[str, float]:
    """Scorecard metrics of a model."""
    rows = examples.held_out_rows[:limit]
    return scores(predicted_log_odds(model, examples.pasts, rows), examples.returned[rows])


def measure_baselines(examples: ReturnExamples, limit: int) -> dict[str, dict[str, float]]:
    """The same of running rates, a logistic regression, boosted trees, and the mean of the latter two."""
    rows, features = examples.held_out_rows[:limit], examples.pasts.features
    train, returned = examples.train_rows, examples.returned
    numbers = features.numbers
    logistic = LogisticReturns(numbers[train], returned[train]).log_odds(numbers[rows])
    trees = BoostedReturns.fit(numbers[train], returned[train], ReturnTrees(seed=examples.seed), RATES)
    boosted = trees.log_odds(numbers[rows])
    named = {
        "customer_rate": rate_log_odds(features.rates[rows, 0]),
        "customer_item_rate": rate_log_odds(features.rates[rows, 1]),
        "logistic": logistic,
        "boosted": boosted,
        "logistic_boosted": (logistic + boosted) / 2,
    }
    return {name: scores(log_odds, returned[rows]) for name, log_odds in named.items()}


def scores(log_odds: np.ndarray, returned: np.ndarray) -> dict[str, float]:
    """Area under the ROC curve, average precision, cross entropy, and the shares expected and found."""
    from scipy.special import expit
    from sklearn.metrics import average_precision_score, roc_auc_score

    if not len(returned):
        return dict.fromkeys(METRICS, 0.0)
    some_of_each = bool(returned.any() and not returned.all())
    loss = np.logaddexp(0.0, log_odds) - returned * log_odds
    values = (
        roc_auc_score(returned, log_odds) if some_of_each else 0.5,
        average_precision_score(returned, log_odds) if returned.any() else 0.0,
        loss.mean(),
        expit(log_odds).mean(),
        returned.mean(),
    )
    return dict(zip(METRICS, map(float, values), strict=True))
