"""A supply plan for retailers who deliver no stock and no resupply files, derived from what was sold.

The shelf is assumed to be run by the periodic-review, order-up-to rule that most grocers use. Every product has a
level, the units that `cover_days` days of its mean daily sales need, rounded up. On fixed delivery weekdays the shelf
is filled up to it. So at the opening of the business date there is on hand what is left of the level after the sales
since the last delivery day; the next delivery fills up to the level what the planner expected to be sold until then,
at the mean; and each later one brings the mean sales since the one before. A product is short in this plan if it sold,
or is predicted to sell, clearly faster than its mean: what stock-out detection looks for.

Source: the (R, S) policy of inventory theory (Silver, Pyke, Thomas: Inventory and Production Management in Supply
Chains, chapter 7), with the level set by days of cover instead of a service level.
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

# Monday and Thursday, as `date.weekday` counts: three and four days between deliveries.
DELIVERY_WEEKDAYS = (0, 3)


class DerivedPlan(NamedTuple):
    """Units. Shapes: on_hand float64 [P], at the opening of the business date, before that day's delivery;
    resupplies float64 [P, D], by day of the horizon, the business date first."""

    on_hand: np.ndarray
    resupplies: np.ndarray


def derive_plan(daily_units: np.ndarray, business_date: date, cover_days: int, horizon_days: int) -> DerivedPlan:
    """Stock and deliveries that fit the sales of the trailing days.

    Shapes: P products, H days of history, D days of the horizon.
    Args:    daily_units: [P, H], units sold per day, the day before the business date last; 0 or more.
    Returns: whole units, 0 or more.
    Raises:  ValueError: if there is no day of history, or units are negative or not finite.
    """
    sold = np.asarray(daily_units, dtype=np.float64)
    if sold.ndim != 2 or sold.shape[1] == 0:
        raise ValueError(f"daily units must be [products, days] with at least one day, not {sold.shape}")
    if not np.isfinite(sold).all() or (sold < 0).any():
        raise ValueError("daily units must be finite and 0 or more")
    mean = sold.mean(axis=1)
    # Means of whole units carry rounding errors; without the allowance 7 x (1/7) would order 2 units.
    level = np.ceil(mean * cover_days - 1e-9)
    since = min(_days_since_delivery(business_date), sold.shape[1])
    on_hand = np.maximum(level - sold[:, sold.shape[1] - since :].sum(axis=1), 0.0)
    on_hand = np.floor(on_hand + 1e-9)

    resupplies = np.zeros((len(sold), horizon_days))
    planned = np.zeros(len(sold))
    for day in range(horizon_days):
        if (business_date + timedelta(days=day)).weekday() in DELIVERY_WEEKDAYS:
            # Fill to the level what is left at the mean; the plan is cumulative, so rounding does not add up.
            wanted = level - on_hand + mean * day
            units = np.maximum(np.round(wanted - planned), 0.0)
            resupplies[:, day] = units
            planned += units
    return DerivedPlan(on_hand, resupplies)


def _days_since_delivery(business_date: date) -> int:
    """Days of sales between the last delivery (before opening) and the opening of the business date."""
    return next(ago for ago in range(1, 8) if (business_date - timedelta(days=ago)).weekday() in DELIVERY_WEEKDAYS)
