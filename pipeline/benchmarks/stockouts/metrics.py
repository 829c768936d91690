"""Metrics of demand forecasts, and of the alerts made from them, over one window.

WAPE: absolute error over units sold, of days and of the whole window. It rewards forecasting low, so beside it stand
the bias (forecast less sold, over sold), RMSSE (root mean squared error of days over that of yesterday's units since
the product's first sale, mean over products) and the pinball loss of the window's 50 and 90 % quantiles over units.
Coverage: share of products whose window lies in the band from the 10 to the 90 % quantile, ends included. A band of
small counts cannot hold less than its end points, so even the right distribution's holds more than four fifths; in
`coverage_week_even`, and of days, an end point counts by the part of its probability that lies within the band.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from models.demand.counts import exceed_probability, quantile, share_within
from models.demand.forecast import DemandForecast
from models.stockouts.first_shortage import short_by

Array = NDArray[np.float64]

QUANTILES = (0.1, 0.5, 0.9)
BAND = QUANTILES[0], QUANTILES[-1]


def demand_scores(forecast: DemandForecast, units: Array, past: Array) -> dict[str, float]:
    """Scores by name; units [N, H] as sold, past [N, T] before the window."""
    scores = point_scores(forecast.mean, units)
    error = np.sqrt(((forecast.mean - units) ** 2).mean(axis=1))
    scale = _naive_scale(past)
    scores["rmsse"] = float((error[scale > 0] / scale[scale > 0]).mean())
    sold, mean, variance = units.sum(axis=1), forecast.cumulative_mean[:, -1], forecast.cumulative_variance[:, -1]
    low, median, high = (quantile(mean, variance, share) for share in QUANTILES)
    scores["pinball_p50"] = float(pinball_losses(median, sold, 0.5).sum() / sold.sum())
    scores["pinball_p90"] = float(pinball_losses(high, sold, 0.9).sum() / sold.sum())
    scores["coverage_week"] = float(((sold >= low) & (sold <= high)).mean())
    scores["coverage_week_even"] = share_within(mean, variance, sold, *BAND)
    scores["coverage_day"] = share_within(forecast.mean, forecast.variance, units, *BAND)
    return scores


def point_scores(mean: Array, units: Array) -> dict[str, float]:
    """WAPE of days and of the window, and the bias."""
    total = units.sum()
    return {
        "day_wape": float(np.abs(mean - units).sum() / total),
        "week_rmse": float(np.sqrt(((mean.sum(axis=1) - units.sum(axis=1)) ** 2).mean())),
        "week_wape": float(np.abs(mean.sum(axis=1) - units.sum(axis=1)).sum() / total),
        "bias": float((mean.sum() - total) / total),
    }


def alert_scores(
    forecast: DemandForecast, supply: Array, short: NDArray[np.bool_], min_probability: float
) -> dict[str, float]:
    """Scores by name of the alerts that a plan's supply [N, H] gives; `short` [N, H] is what happened.

    `precision`, `recall`, `f1`: an alert is a cumulated forecast above the cumulated supply on some day.
    `..._at_threshold`: an alert is a probability of at least `min_probability`, the nightly job's rule.
    `lead_days`: days from the opening of the window to the first short day, mean over true alerts; `day_error` how far
    the expected first short day lies from it.
    """
    chance, on_some_day = short_probability(forecast, supply), some_day_probability(forecast, supply)
    expected: NDArray[np.bool_] = forecast.cumulative_mean > supply
    is_short, alert = np.any(short, axis=1), np.any(expected, axis=1)
    scores = {
        "prevalence": float(is_short.mean()),
        "ap_product": float(average_precision_score(is_short, on_some_day)),
        "ap_product_day": float(average_precision_score(short.ravel(), chance.ravel())),
    }
    scores |= _precision_recall(alert, is_short, "")
    scores |= _precision_recall(on_some_day >= min_probability, is_short, "_at_threshold")
    true = alert & is_short
    if true.any():
        scores["lead_days"] = float(short[true].argmax(axis=1).mean())
        scores["day_error"] = float(np.abs(short[true].argmax(axis=1) - expected[true].argmax(axis=1)).mean())
    return scores


def short_probability(forecast: DemandForecast, supply: Array) -> Array:
    """Probability that the units through each day exceed the supply through it, [N, H]."""
    return exceed_probability(forecast.cumulative_mean, forecast.cumulative_variance, supply)


def some_day_probability(forecast: DemandForecast, supply: Array) -> Array:
    """Probability of being short on some day, [N]: what an alert states."""
    chance = short_probability(forecast, supply)
    return short_by(chance, forecast.mean, forecast.variance, forecast.cumulative_variance)[:, -1]


def _precision_recall(alert: NDArray[np.bool_], is_short: NDArray[np.bool_], suffix: str) -> dict[str, float]:
    hits = float((alert & is_short).sum())
    precision, recall = hits / max(alert.sum(), 1), hits / max(is_short.sum(), 1)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {f"precision{suffix}": precision, f"recall{suffix}": recall, f"f1{suffix}": f1}


def _naive_scale(past: Array) -> Array:
    steps = np.diff(past, axis=1) ** 2
    known = (
        np.arange(steps.shape[1])[None, :]
        >= np.where((past > 0).any(axis=1), (past > 0).argmax(axis=1), 10**9)[:, None]
    )
    scale: Array = np.sqrt((steps * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
    return scale


def pinball_losses(forecast: Array, units: Array, share: float) -> Array:
    """Pinball loss of each quantile forecast."""
    over = units - forecast
    return np.maximum(share * over, (share - 1.0) * over)
