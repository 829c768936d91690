"""What a stated probability of being short came to be worth in the last weeks.

Shelves are not stocked at random: who plans deliveries by the mean is short where the forecast is high, which is where
it is too high. A forecast whose bands are right can then still state .50 where .30 comes. So the probabilities of past
weeks' shelves are held against what became of them, store by store, and tonight's are brought to that: Platt scaling,
drawn towards leaving them as they are where a store has few shelves in doubt.

Shelves of one week share its weather and its holidays, and may say what does not hold in the next one. So only the
share of the correction is taken that, made from the other weeks, would have been best for each past week; of a single
week, which cannot show it, half.

Source: Platt, "Probabilistic outputs for support vector machines", 1999; on the logit, with a normal prior.
"""

from collections.abc import Sequence
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
# Parts of a correction that may be taken; of that of a single week.
SHARES, SHARE_OF_ONE_WEEK = (0.0, 0.25, 0.5, 0.75, 1.0), 0.5

# Of the shelves of one week, [n] each: the probability that was stated, and whether the shelf was short.
Week = tuple[Array, NDArray[np.bool_]]


@dataclass(frozen=True)
class Calibration:
    """`logit p' = intercept + slope logit p`; rising, so that it reorders nothing. 0 and 1 change nothing."""

    intercept: float = 0.0
    slope: float = 1.0

    def apply(self, probability: Array) -> Array:
        """The calibrated probabilities; those of next to none stay."""
        inner = np.clip(probability, LEAST, 1.0 - LEAST)
        return np.where(probability > LEAST, expit(self.intercept + self.slope * logit(inner)), probability)

    def part(self, share: float) -> "Calibration":
        """A share of the correction: 0 changes nothing, 1 is all of it."""
        return Calibration(round(share * self.intercept, 4), round(self.slope**share, 4))


UNCHANGED = Calibration()


def fit_calibration(weeks: Sequence[Week]) -> Calibration:
    """The likeliest calibration of past weeks, as far as it holds from week to week.

    Nothing is changed where fewer than MIN_SHELVES shelves were in doubt.
    """
    if not weeks:
        return UNCHANGED
    if len(weeks) == 1:
        return _platt(*weeks[0]).part(SHARE_OF_ONE_WEEK)
    left_out = [_platt(*_joined([*weeks[:number], *weeks[number + 1 :]])) for number in range(len(weeks))]
    losses = [
        sum(_log_loss(made.part(share), *week) for made, week in zip(left_out, weeks, strict=True)) for share in SHARES
    ]
    return _platt(*_joined(weeks)).part(SHARES[int(np.argmin(losses))])


def _joined(weeks: Sequence[Week]) -> Week:
    return np.concatenate([stated for stated, _ in weeks]), np.concatenate([happened for _, happened in weeks])


def _in_doubt(stated: Array) -> NDArray[np.bool_]:
    return (stated > LEAST) & (stated < 1.0 - LEAST)


def _log_loss(calibration: Calibration, stated: Array, happened: NDArray[np.bool_]) -> float:
    """Minus the log likelihood of the shelves in doubt."""
    in_doubt = _in_doubt(stated)
    came = np.clip(calibration.apply(stated[in_doubt]), LEAST, 1.0 - LEAST)
    return -float(np.log(np.where(happened[in_doubt], came, 1.0 - came)).sum())


def _platt(stated: Array, happened: NDArray[np.bool_]) -> Calibration:
    """The likeliest calibration of shelves, [n] each, with the prior."""
    in_doubt = _in_doubt(stated)
    if in_doubt.sum() < MIN_SHELVES:
        return UNCHANGED
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
