"""Simple predictions of returns from the features of lines: running rates, a logistic regression, boosted trees."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from models.boosting import Trees

_TINY = 1e-6
_LARGEST = 4.0  # standard deviations: one mistyped price must not decide
_MOST_ITERATIONS = 300


class LogisticReturns:
    """Linear in standardised features.

    Args: ridge: strength of the penalty on squared weights, in lines.
    """

    def __init__(self, numbers: np.ndarray, returned: np.ndarray, ridge: float = 2000.0) -> None:
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
    n_leaves: int = 8
    feature_share: float = 0.3
    n_trees: int = 150
    row_share: float = 0.7
    ridge: float = 20.0


class BoostedReturns:
    """LightGBM.

    Args: text: of the trees, as LightGBM writes them; it holds no code.
    """

    def __init__(self, text: str) -> None:
        import lightgbm as lgb

        self.text = text
        self._booster = lgb.Booster(model_str=text)

    @classmethod
    def fit(cls, numbers: np.ndarray, returned: np.ndarray, trees: ReturnTrees) -> "BoostedReturns":
        """Grow the trees; the same ones for the same arguments."""
        import lightgbm as lgb

        parameters = trees.parameters(
            "binary", bagging_fraction=trees.row_share, bagging_freq=1, lambda_l2=trees.ridge, num_threads=1
        )
        data = lgb.Dataset(numbers, returned.astype(np.int32))
        return cls(lgb.train(parameters, data, trees.n_trees).model_to_string())

    def log_odds(self, numbers: np.ndarray) -> np.ndarray:
        """Log odds of coming back."""
        found: np.ndarray = np.asarray(self._booster.predict(numbers, raw_score=True, num_threads=1))
        return found


def rate_log_odds(rates: np.ndarray) -> np.ndarray:
    """Log odds of running rates; float64 [n]."""
    found: np.ndarray = logit(np.clip(rates, _TINY, 1.0 - _TINY))
    return found
