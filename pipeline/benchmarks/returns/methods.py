"""Methods that predict returns, by name."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from models.baselines.return_rates import RIDGE, BoostedReturns, LogisticReturns, ReturnTrees, rate_log_odds
from models.names import unknown_name
from models.returns.config import RETURN_ARCHITECTURES, ReturnConfig
from pipeline.benchmarks.returns.neural import NeuralReturns
from pipeline.benchmarks.returns.problems import Problem
from pipeline.dataset.return_features import RATES


class ReturnMethod(Protocol):
    """A method: trained on lines whose window is over, it predicts others."""

    def fit_predict(self, problem: Problem, train: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Log odds of coming back within the horizon of the lines `measured`; float64 [n]."""

    def settings(self) -> dict[str, Any]:
        """The configuration, as it is kept beside the scores."""


class RunningRate:
    """Share of the earlier lines that came back: of the customer's, or of the customer's of that product."""

    def __init__(self, column: int) -> None:
        self._column = column

    def fit_predict(self, problem: Problem, train: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """The rates as of each line's order."""
        return rate_log_odds(problem.pasts(1).features.rates[measured, self._column])

    def settings(self) -> dict[str, Any]:
        """Nothing can be set."""
        return {}


class RateProduct:
    """Everyone's rate times how far customer and product lie from it."""

    def fit_predict(self, problem: Problem, train: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """The products as of each line's order."""
        numbers = problem.pasts(1).features.numbers[measured]
        return rate_log_odds(problem.returned[train].mean()[None]) + numbers[:, list(RATES)].sum(axis=1, dtype=float)

    def settings(self) -> dict[str, Any]:
        """Nothing can be set."""
        return {}


class LineValue:
    """The dearer line first; a probability only in name."""

    def fit_predict(self, problem: Problem, train: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Logarithm of what the line costs, moved so that the mean is that of the training lines."""
        value = np.log1p(problem.lines.cents[measured] / 100.0)
        return value - value.mean() + rate_log_odds(problem.returned[train].mean()[None])

    def settings(self) -> dict[str, Any]:
        """Nothing can be set."""
        return {}


class FeatureMethod:
    """A logistic regression, boosted trees, or the mean of their log odds.

    Args: parts: of `logistic` and `boosted`.
    """

    def __init__(self, parts: tuple[str, ...], seed: int) -> None:
        self._parts, self._trees = parts, ReturnTrees(seed=seed)

    def fit_predict(self, problem: Problem, train: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Mean log odds of the parts."""
        numbers, returned = problem.pasts(1).features.numbers, problem.returned
        found = []
        if "logistic" in self._parts:
            found.append(LogisticReturns(numbers[train], returned[train], RIDGE).log_odds(numbers[measured]))
        if "boosted" in self._parts:
            trees = BoostedReturns.fit(numbers[train], returned[train], self._trees, RATES)
            found.append(trees.log_odds(numbers[measured]))
        mean: np.ndarray = np.mean(found, axis=0)
        return mean

    def settings(self) -> dict[str, Any]:
        """Strength of the penalty, and the trees."""
        known = {"logistic": {"ridge": RIDGE}, "boosted": asdict(self._trees)}
        return {name: known[name] for name in self._parts}


METHODS: dict[str, Callable[[int], ReturnMethod]] = {
    "customer-rate": lambda seed: RunningRate(0),
    "customer-item-rate": lambda seed: RunningRate(1),
    "rate-product": lambda seed: RateProduct(),
    "line-value": lambda seed: LineValue(),
    "logistic": partial(FeatureMethod, ("logistic",)),
    "boosted": partial(FeatureMethod, ("boosted",)),
    "logistic-boosted": partial(FeatureMethod, ("logistic", "boosted")),
    **{name: partial(NeuralReturns, config) for name, config in RETURN_ARCHITECTURES.items()},
    # What each half adds: the network without the trees; the trees alone are `boosted`.
    "returns-net": lambda seed: NeuralReturns(replace(ReturnConfig(), reads_trees=False), seed),
    "returns-x3": lambda seed: NeuralReturns(ReturnConfig(), seed, members=3),
}


def return_method(name: str, seed: int) -> ReturnMethod:
    """A new method of that name. Raises ValueError for an unknown one, with the known ones."""
    if name not in METHODS:
        raise ValueError(unknown_name("model", name, METHODS))
    return METHODS[name](seed)
