"""The probability that a product which has been silent for some time is still on sale.

A product that sold on most days and then on none for weeks was probably withdrawn; one that sells once a month and has
been silent for three weeks probably was not. While it is on sale, it sells on a day with a probability known from the
days between its first and its latest sale, which makes the probability of a silence a negative binomial one; on every
day it may also be withdrawn, with a small constant probability. Bayes' rule weighs the two. Days on which the shelf was
empty say nothing of demand, but a shelf that ran empty is filled again soon, and that of a withdrawn product is not.

Source: the BG/NBD argument of customer base analysis (Fader, Hardie, Lee: "Counting your customers" the easy way, 2005)
for products instead of customers, with a constant hazard.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Probability that a product is withdrawn on one day.
DAILY_HAZARD = 1.0 / 250.0
# Probability that an empty shelf is filled on one day: 86 of 381 days of the simulated shop's.
DAILY_REFILL = 0.23
# Points at which the day of withdrawal is integrated over, as shares of the silence.
_GRID = np.linspace(0.0, 1.0, 17) ** 2


def still_on_sale(
    sales_days: Array,
    active_days: Array,
    silent_days: Array,
    empty_days: Array | None = None,
    hazard: float = DAILY_HAZARD,
) -> Array:
    """Probability that each product is still on sale; 1 without any silence, [N].

    Args:
        sales_days: [N]; days with a sale.
        active_days: [N]; days on the shelf from the first sale to the latest, both included.
        silent_days: [N]; days on the shelf since the latest sale. Days without trade, or with an empty shelf, count in
            neither.
        empty_days: [N]; days since the latest sale on which the shelf is known to have been empty; None: none.
    """
    active = np.maximum(active_days, 1.0) + 1.0
    # One day more than was seen, so that a product that sold on each of three days is not certain to sell daily.
    sold = np.minimum(sales_days, active)

    empty = np.zeros_like(silent_days) if empty_days is None else empty_days

    def log_kept(part: Array) -> Array:
        """Log probability of that part of the silence, [N, P], of a product that is on sale through it."""
        silent, emptied = silent_days[:, None] * part, empty[:, None] * part
        chance = sold[:, None] * np.log(active[:, None] / (active[:, None] + silent))
        values: Array = chance + emptied * np.log1p(-DAILY_REFILL) + (silent + emptied) * np.log1p(-hazard)
        return values

    kept = np.exp(log_kept(np.ones((1, 1))))[:, 0]
    days = (silent_days + empty)[:, None] * _GRID[None, :]
    density = hazard * np.exp(log_kept(_GRID[None, :]))
    withdrawn = ((density[:, 1:] + density[:, :-1]) / 2.0 * np.diff(days, axis=1)).sum(axis=1)
    values: Array = kept / (kept + withdrawn)
    return values
