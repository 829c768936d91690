"""What a planner would take from a library instead: the smoothers of statsforecast, one series at a time.

Every series is whole and zero-filled from the first day of the data, as these methods expect.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Class of statsforecast, by our name of the method, and its arguments.
SMOOTHERS: dict[str, dict[str, Any]] = {
    "seasonal-naive-7": {"model": "SeasonalNaive", "season_length": 7},
    "window-average-28": {"model": "WindowAverage", "window_size": 28},
    "window-average-112": {"model": "WindowAverage", "window_size": 112},
    "window-average-42": {"model": "WindowAverage", "window_size": 42},
    "auto-ets": {"model": "AutoETS", "season_length": 7},
    "croston-sba": {"model": "CrostonSBA"},
    "tsb": {"model": "TSB", "alpha_d": 0.1, "alpha_p": 0.1},
    "imapa": {"model": "IMAPA"},
}


def smoother(name: str) -> Callable[[Array, int], Array]:
    """A forecaster `(units [N, T], horizon) -> mean [N, H]` of that name, never negative."""
    from statsforecast import models

    arguments = dict(SMOOTHERS[name])
    model = getattr(models, arguments.pop("model"))(**arguments)

    def forecast(units: Array, horizon: int) -> Array:
        means = np.zeros((len(units), horizon))
        for row, series in enumerate(units):
            if series.any():
                means[row] = np.maximum(np.nan_to_num(model.forecast(y=series, h=horizon)["mean"]), 0.0)
        return means

    return forecast
