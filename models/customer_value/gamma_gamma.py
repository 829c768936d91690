"""Gamma-Gamma: what a customer spends on a day with a basket, its own mean shrunk to everyone's.

Source: Fader, Hardie and Lee, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing
Research 42(4), 2005.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

_PENALTY = 1e-4
_BOUNDS = ((-4.0, 8.0), (0.05, 6.0), (-4.0, 20.0))


@dataclass(frozen=True)
class GammaGamma:
    """p: shape of a customer's days; q, gamma: shape and scale of what differs between customers."""

    p: float
    q: float
    gamma: float

    @classmethod
    def fitted(cls, days: np.ndarray, means: np.ndarray) -> "GammaGamma":
        """Maximum likelihood. Args: days: with a basket, at least 1; means: spend of such a day, above 0; both [n].

        Where nobody paid anything, nothing is expected of anybody.
        """
        if not len(means):
            return cls(1.0, 2.0, 0.0)
        scale = float(np.exp(np.mean(np.log(means))))
        scaled = means / scale

        def loss(logs: np.ndarray) -> float:
            p, gamma = np.exp(logs[0]), np.exp(logs[2])
            q = 1.0 + np.exp(logs[1])
            x = days
            likelihood = (
                gammaln(p * x + q)
                - gammaln(p * x)
                - gammaln(q)
                + q * np.log(gamma)
                + (p * x - 1.0) * np.log(scaled)
                + p * x * np.log(x)
                - (p * x + q) * np.log(gamma + scaled * x)
            )
            return float(-likelihood.mean() + _PENALTY * (logs**2).mean())

        found = minimize(loss, (0.5, 0.5, 0.5), method="L-BFGS-B", bounds=_BOUNDS)
        p, q, gamma = np.exp(found.x[0]), 1.0 + np.exp(found.x[1]), np.exp(found.x[2])
        return cls(float(p), float(q), float(gamma) * scale)

    def expected(self, days: np.ndarray, means: np.ndarray) -> np.ndarray:
        """Expected spend of a day with a basket; float64 [n]."""
        found: np.ndarray = self.p * (self.gamma + days * means) / (self.p * days + self.q - 1.0)
        return found
