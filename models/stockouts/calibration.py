"""What a stated probability of being short came to be worth in the last weeks.

Shelves are not stocked at random: who plans deliveries by the mean is short where the forecast is high, which is where
it is too high. A forecast whose bands are right can then still state .50 where .30 comes. So the probabilities of past
weeks' shelves are held against what became of them, store by store, and tonight's are brought to that: Platt scaling,
drawn towards leaving them as they are where a store has few shelves in doubt.

Source: Platt, "Probabilistic outputs for support vector machines", 1999; on the logit, with a normal prior.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Array = NDArray[np.float64]

# Probabilities below this are none, and their complement is certainty.
LEAST = 1e-3
# Shelves in doubt that the wish to change nothing counts as, for the intercept and the slope.
PRIOR_SHELVES = 5.0
SLOPES, SHIFTS = (0.25, 4.0), (-8.0, 8.0)
MIN_SHELVES = 20


@dataclass(frozen=True)
class Calibration:
    """`logit p' = intercept + slope logit p`; rising, so that it reorders nothing. 0 and 1 change nothing."""

    intercept: float = 0.0
    slope: float = 1.0

    def apply(self, probability: Array) -> Array:
        """The calibrated probabilities; those of next to none stay."""
        inner = np.clip(probability, LEAST, 1.0 - LEAST)
        return np.where(probability > LEAST, expit(self.intercept + self.slope * logit(inner)), probability)

    def invert(self, probability: float) -> float:
        """The probability that becomes this one."""
        if not 0.0 < probability < 1.0:
            return probability
        return float(expit((logit(probability) - self.intercept) / self.slope))


UNCHANGED = Calibration()


def fit_calibration(stated: Array, happened: NDArray[np.bool_]) -> Calibration:
    """The likeliest calibration of past shelves, [n] each; nothing is changed where too few were in doubt."""
    in_doubt = (stated > LEAST) & (stated < 1.0 - LEAST)
    if in_doubt.sum() < MIN_SHELVES:
        return Calibration()
    x, y = logit(stated[in_doubt]), happened[in_doubt].astype(np.float64)

    def loss(parameters: Array) -> float:
        score = parameters[0] + np.exp(parameters[1]) * x
        return float(np.logaddexp(0.0, score).sum() - y @ score + PRIOR_SHELVES * (parameters**2).sum() / 2.0)

    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[SHIFTS, tuple(np.log(SLOPES))])
    # Rounded, because the last bits of an optimum are the optimizer's.
    return Calibration(round(float(found.x[0]), 4), round(float(np.exp(found.x[1])), 4))


def calibration_error(stated: Array, happened: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance of stated probability and share that came, over equally wide bins weighted by their number."""
    place = np.minimum((stated * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    apart = np.bincount(place, weights=stated - happened, minlength=bins)
    return float(np.abs(apart).sum() / max(count.sum(), 1))
