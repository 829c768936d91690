"""BG/NBD: how often each customer comes, and whether it still is one, from three numbers a customer.

While a customer it buys as a Poisson process at a rate that differs between customers by a gamma distribution; after
each purchase it leaves with a probability that differs by a beta distribution. Source: Fader, Hardie and Lee, "Counting
Your Customers the Easy Way: An Alternative to the Pareto/NBD Model", Marketing Science 24(2), 2005, equations 6 and 10.

There, nobody leaves after the first purchase, so that who bought once is a customer for ever. With
`leaves_after_first` the first purchase counts as the others do. Source: Batislam, Denizel and Filiztekin, "Empirical
validation and comparison of models for customer base analysis", International Journal of Research in Marketing 24(3),
2007.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

_PENALTY = 1e-3
_START = (0.0, 3.0, 0.0, 0.5)
_BOUNDS = ((-6.0, 6.0), (-3.0, 9.0), (-6.0, 6.0), (-6.0, 9.0))


@dataclass(frozen=True)
class Counts:
    """Customers alike in all three numbers count as one row, so that a source's size costs no time in fitting.

    repeats: days with a basket after the first one; latest: days from the first to the latest; age: days from the
    first to the cutoff; customers: how many; all float64 [K].
    """

    repeats: np.ndarray
    latest: np.ndarray
    age: np.ndarray
    customers: np.ndarray

    @classmethod
    def of(cls, repeats: np.ndarray, latest: np.ndarray, age: np.ndarray) -> "Counts":
        """Of single customers."""
        rows, customers = np.unique(np.column_stack([repeats, latest, age]), axis=0, return_counts=True)
        found = rows.astype(float)
        return cls(found[:, 0], found[:, 1], found[:, 2], customers.astype(float))


@dataclass(frozen=True)
class BgNbd:
    """r, alpha: shape and rate (in days) of the purchase rates; a, b: of the probability to leave."""

    r: float
    alpha: float
    a: float
    b: float
    leaves_after_first: bool = False

    @classmethod
    def fitted(cls, counts: Counts, leaves_after_first: bool = False) -> "BgNbd":
        """Maximum likelihood, with a weak penalty on log parameters that keeps them finite where nobody leaves."""
        total = counts.customers.sum()

        def loss(logs: np.ndarray) -> float:
            likelihood = cls._of(np.exp(logs), leaves_after_first).log_likelihood(
                counts.repeats, counts.latest, counts.age
            )
            return float(-(counts.customers * likelihood).sum() / total + _PENALTY * (logs**2).mean())

        found = minimize(loss, _START, method="L-BFGS-B", bounds=_BOUNDS)
        return cls._of(np.exp(found.x), leaves_after_first)

    @classmethod
    def _of(cls, parameters: np.ndarray, leaves_after_first: bool) -> "BgNbd":
        r, alpha, a, b = map(float, parameters)
        return cls(r, alpha, a, b, leaves_after_first)

    def chances(self, repeats: np.ndarray) -> np.ndarray:
        """Purchases after which each customer could have left."""
        return repeats + 1.0 if self.leaves_after_first else repeats

    def log_likelihood(self, repeats: np.ndarray, latest: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Of each customer; float64 [n]."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        chances = self.chances(repeats)
        common = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        stayed = betaln(a, b + chances) - (r + repeats) * np.log(alpha + age)
        left = betaln(a + 1.0, b + np.maximum(chances, 1.0) - 1.0) - (r + repeats) * np.log(alpha + latest)
        found: np.ndarray = common + np.logaddexp(stayed, np.where(chances > 0, left, -np.inf))
        return found

    def still_customer(self, repeats: np.ndarray, latest: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Probability of not having left; float64 [n]."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        chances = self.chances(repeats)
        waited = (r + repeats) * (np.log(alpha + age) - np.log(alpha + latest))
        log_odds = np.log(a / (b + np.maximum(chances, 1.0) - 1.0)) + waited
        return np.where(chances > 0, 1.0 / (1.0 + np.exp(np.minimum(log_odds, 700.0))), 1.0)

    def expected(self, repeats: np.ndarray, latest: np.ndarray, age: np.ndarray, days: float) -> np.ndarray:
        """Expected days with a basket in the next `days`; float64 [n]."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        chances = self.chances(repeats)
        series = hyp2f1(r + repeats, b + chances, a + b + chances - 1.0, days / (alpha + age + days))
        shrinking = ((alpha + age) / (alpha + age + days)) ** (r + repeats)
        most = (a + b + chances - 1.0) / (a - 1.0) * (1.0 - shrinking * series)
        found: np.ndarray = np.maximum(most, 0.0) * self.still_customer(repeats, latest, age)
        return found

    def median_wait(self, repeats: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Days within which the next purchase comes with a probability of one half, of who still is a customer."""
        found: np.ndarray = (self.alpha + age) * (2.0 ** (1.0 / (self.r + repeats)) - 1.0)
        return found
