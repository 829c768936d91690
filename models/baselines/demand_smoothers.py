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
    """A forecaster `(units [N, T], horizon) -> mean [N, H]` of that name, never negative.

    A window that is longer than the series is the whole series, as a planner's mean would be.

    Raises: FloatingPointError: of the forecaster, where the library gives no number for a series.
    """
    from statsforecast import models

    arguments = dict(SMOOTHERS[name])
    kind = getattr(models, arguments.pop("model"))

    def forecast(units: Array, horizon: int) -> Array:
        shortened = {"window_size": min(arguments["window_size"], units.shape[1])} if "window_size" in arguments else {}
        model = kind(**arguments | shortened)
        means = np.zeros((len(units), horizon))
        for row, series in enumerate(units):
            if series.any():
                means[row] = np.maximum(model.forecast(y=series, h=horizon)["mean"], 0.0)
        if not np.isfinite(means).all():
            row = int(np.flatnonzero(~np.isfinite(means).all(axis=1))[0])
            raise FloatingPointError(f"{name} has no forecast for series {row} of {units.shape[1]} days")
        return means

    return forecast
