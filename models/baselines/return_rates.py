"""Simple predictions of returns from the features of lines: running rates, a logistic regression, boosted trees."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logit

from models.boosting import Trees

_TINY = 1e-6
_LARGEST = 4.0  # standard deviations: one mistyped price must not decide
_MOST_ITERATIONS = 300
RIDGE = 2000.0
_LEAVES_OF_LINES = 160  # a leaf holds at least this part of few lines


class LogisticReturns:
    """Linear in standardised features.

    Args: ridge: strength of the penalty on squared weights, in lines.
    """

    def __init__(self, numbers: np.ndarray, returned: np.ndarray, ridge: float = RIDGE) -> None:
        from sklearn.linear_model import LogisticRegression

        self._mean, deviation = numbers.mean(axis=0, dtype=float), numbers.std(axis=0, dtype=float)
        self._deviation = np.where(deviation > 0, deviation, 1.0)
        self._fitted = LogisticRegression(C=1.0 / ridge, max_iter=_MOST_ITERATIONS)
        self._fitted.fit(self._standardised(numbers), returned)

    @property
    def weights(self) -> tuple[np.ndarray, float]:
        """Of the standardised features; float64 [K], and the log odds of an average line."""
        return self._fitted.coef_[0], float(self._fitted.intercept_[0])

    def log_odds(self, numbers: np.ndarray) -> np.ndarray:
        """Log odds of coming back."""
        found: np.ndarray = self._fitted.decision_function(self._standardised(numbers))
        return found

    def _standardised(self, numbers: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.clip((numbers - self._mean) / self._deviation, -_LARGEST, _LARGEST)
        return found


@dataclass(frozen=True)
class ReturnTrees(Trees):
    """Shallow trees, many random parts: there are few returns to learn from."""

    learning_rate: float = 0.03
    n_leaves: int = 16
    min_rows_in_leaf: int = 500
    """Fewer where there are few lines at all."""
    feature_share: float = 0.3
    n_trees: int = 150
    row_share: float = 0.7
    ridge: float = 20.0
    part_of_rates: float = 0.3


class BoostedReturns:
    """LightGBM, which corrects a part of the running rates instead of finding them anew.

    Shallow trees of few returns cut a rate into two or three steps. What they start from keeps the order within a step.

    Args: text: the trees as LightGBM writes them, and what they start from, as JSON; it holds no code.
    """

    def __init__(self, text: str) -> None:
        import lightgbm as lgb

        self.text = text
        stored = json.loads(text)
        self._base, self._rates, self._part = stored["base"], stored["rates"], stored["part"]
        self._booster = lgb.Booster(model_str=stored["trees"])

    @classmethod
    def fit(
        cls, numbers: np.ndarray, returned: np.ndarray, trees: ReturnTrees, rates: Sequence[int] = ()
    ) -> "BoostedReturns":
        """Grow the trees; the same ones for the same arguments.

        Args: rates: columns of logarithms of rates, whose sum times `trees.part_of_rates` is where the trees start.
        """
        import lightgbm as lgb

        trees = replace(trees, min_rows_in_leaf=min(trees.min_rows_in_leaf, 1 + len(numbers) // _LEAVES_OF_LINES))
        parameters = trees.parameters(
            "binary", bagging_fraction=trees.row_share, bagging_freq=1, lambda_l2=trees.ridge, num_threads=1
        )
        base = float(rate_log_odds(np.asarray(returned.mean())))
        start = _start(numbers, base, rates, trees.part_of_rates)
        data = lgb.Dataset(numbers, returned.astype(np.int32), init_score=start)
        grown = lgb.train(parameters, data, trees.n_trees).model_to_string()
        stored = {"base": base, "rates": list(rates), "part": trees.part_of_rates, "trees": grown}
        return cls(json.dumps(stored))

    def log_odds(self, numbers: np.ndarray) -> np.ndarray:
        """Log odds of coming back."""
        raw = np.asarray(self._booster.predict(numbers, raw_score=True, num_threads=1))
        found: np.ndarray = _start(numbers, self._base, self._rates, self._part) + raw
        return found


def _start(numbers: np.ndarray, base: float, rates: Sequence[int], part: float) -> np.ndarray:
    """Log odds that trees start from; float64 [n]."""
    found: np.ndarray = base + part * numbers[:, list(rates)].sum(axis=1, dtype=float)
    return found


def rate_log_odds(rates: np.ndarray) -> np.ndarray:
    """Log odds of running rates; float64 [n]."""
    found: np.ndarray = logit(np.clip(rates, _TINY, 1.0 - _TINY))
    return found
