"""Errors of a week's forecast, by which methods are compared on the same products."""

import numpy as np
from numpy.typing import NDArray

from models.demand.counts import quantile
from models.demand.forecast import DemandForecast
from models.demand.paired_bootstrap import WeekErrors
from pipeline.benchmarks.stockouts.metrics import pinball_losses

Array = NDArray[np.float64]


def week_errors(forecast: DemandForecast, units: Array) -> WeekErrors:
    """Absolute error of the window's units, and pinball loss of its 90 % quantile; units [N, H]."""
    sold, mean, variance = units.sum(axis=1), forecast.cumulative_mean[:, -1], forecast.cumulative_variance[:, -1]
    losses = {
        "week WAPE": np.abs(mean - sold),
        "p90": pinball_losses(quantile(mean, variance, 0.9), sold, 0.9),
    }
    return WeekErrors(sold, losses)
