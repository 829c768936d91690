"""A global LightGBM over lags and the calendar, as forecasting competitions are won and planners would write it.

One row per product, origin and day ahead; the day's units under the Poisson loss. Features read days before the origin
only. Trained on the origins of the last weeks, whose days all lie before the forecast's own.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boosting import Trees

Array = NDArray[np.float64]

WEEK = 7


@dataclass(frozen=True)
class LagConfig(Trees):
    """Chosen on the windows before the test windows."""

    learning_rate: float = 0.05
    n_leaves: int = 63
    min_rows_in_leaf: int = 200
    feature_share: float = 0.8
    n_trees: int = 300
    origin_days: int = 28


class BoostedLags:
    """Daily units of all products by one model of boosted trees."""

    def __init__(self, config: LagConfig | None = None) -> None:
        self._config = config or LagConfig()

    def settings(self) -> dict[str, Any]:
        """Its configuration."""
        return asdict(self._config)

    def forecast(self, units: Array, weekdays: NDArray[np.int64], horizon: int) -> Array:
        """Mean units, [N, H], after the days of `units` [N, T]; `weekdays` [T + H] go on into the horizon."""
        import lightgbm as lgb

        config, today = self._config, units.shape[1]
        origins = range(max(today - horizon - config.origin_days + 1, 4 * WEEK), today - horizon + 1)
        rows = np.concatenate([lag_features(units, weekdays, origin, horizon) for origin in origins])
        sold = np.concatenate([units[:, origin : origin + horizon].ravel() for origin in origins])
        trees = lgb.train(config.parameters("poisson"), lgb.Dataset(rows, sold, free_raw_data=True), config.n_trees)
        predicted = np.asarray(trees.predict(lag_features(units, weekdays, today, horizon)))
        return predicted.reshape(len(units), horizon)


def lag_features(units: Array, weekdays: NDArray[np.int64], origin: int, horizon: int) -> NDArray[np.float32]:
    """Features of every product and day ahead, [N * H, F], from the days before `origin`."""
    past = units[:, :origin]
    recent = [past[:, -span:].mean(axis=1) for span in (1, 3, 7, 14, 28, 56)]
    spread = [past[:, -span:].std(axis=1) for span in (7, 28)]
    sold = past > 0
    since = np.where(sold.any(axis=1), np.argmax(sold[:, ::-1], axis=1), origin)
    age = np.where(sold.any(axis=1), origin - np.argmax(sold, axis=1), 0)
    shared = np.stack(
        [*recent, *spread, sold[:, -28:].mean(axis=1), past[:, -28:].max(axis=1), since, age], axis=1
    ).astype(np.float32)
    total = np.array([past[:, -span:].sum() / span for span in (7, 28)])
    blocks = []
    for ahead in range(horizon):
        same = past[:, ::-1][:, (WEEK - 1 - ahead % WEEK) :: WEEK][:, :4]
        own = np.concatenate(
            [
                np.pad(same, [(0, 0), (0, 4 - same.shape[1])]),
                same.mean(axis=1, keepdims=True),
                np.broadcast_to([ahead, weekdays[origin + ahead], *total], (len(units), 4)),
            ],
            axis=1,
        ).astype(np.float32)
        blocks.append(np.concatenate([shared, own], axis=1))
    return np.stack(blocks, axis=1).reshape(len(units) * horizon, -1)
