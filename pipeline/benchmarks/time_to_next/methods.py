"""Who predicts days until the next basket: medians, boosted trees, Cox's model, and LENS."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.boosting import Trees
from models.catalog import ARCHITECTURES
from models.names import unknown_name
from pipeline.benchmarks.time_to_next.features import at_risk, gap_features, lasted, on_day, weekday_of
from pipeline.benchmarks.time_to_next.gaps import Gaps
from pipeline.benchmarks.time_to_next.lens import LensTimes
from pipeline.benchmarks.time_to_next.predictions import DAYS, HORIZON_DAYS, Predicted, TimeMethod


class Median:
    """The median of gaps that ended: one's own, with so many gaps of everyone's median added.

    Args: shrink: the number of gaps to add; infinite for everyone's median.
    """

    def __init__(self, shrink: float) -> None:
        self._shrink, self._median = shrink, np.nan

    def fit(self, learned: Gaps, chosen_by: Gaps) -> None:
        """Take everyone's median."""
        self._median = float(np.median(learned.days[learned.observed]))

    def predict(self, gaps: Gaps) -> Predicted:
        """A point forecast."""
        if np.isinf(self._shrink):
            return Predicted(np.full(len(gaps), self._median))
        found = gap_features(gaps)
        own, count = found["median_gap"].fillna(self._median), found["n_gaps"]
        weight: np.ndarray = (count / np.maximum(count + self._shrink, 1)).to_numpy()
        return Predicted(weight * own.to_numpy() + (1.0 - weight) * self._median)

    def settings(self) -> dict[str, Any]:
        """Gaps of everyone's median that are added."""
        return {"shrink": str(self._shrink)}


@dataclass(frozen=True)
class TreesConfig(Trees):
    """Trees of both boosted methods; the number is chosen by the validation customers' loss."""

    learning_rate: float = 0.05
    n_leaves: int = 15
    feature_share: float = 0.8
    most_trees: int = 600
    stop_after: int = 30


class BoostedRegressor:
    """LightGBM on gaps that ended, mean absolute error."""

    def __init__(self, seed: int) -> None:
        self._config, self._trees = TreesConfig(seed=seed), None

    def fit(self, learned: Gaps, chosen_by: Gaps) -> None:
        """Grow trees on the features of the past."""
        ended, judged = (each.take(np.flatnonzero(each.observed)) for each in (learned.settled, chosen_by.settled))
        rows, rows_judged = ((gap_features(each), each.days) for each in (ended, judged))
        self._trees = _grown("l1", self._config, rows, rows_judged)

    def predict(self, gaps: Gaps) -> Predicted:
        """A point forecast."""
        return Predicted(np.maximum(_fitted(self._trees).predict(gap_features(gaps)), 0.5))

    def settings(self) -> dict[str, Any]:
        """The trees' configuration."""
        return asdict(self._config)


class BoostedHazard:
    """LightGBM on days at risk: whether a basket comes on the k-th day, given that none has (discrete-time hazard)."""

    def __init__(self, seed: int) -> None:
        self._config, self._trees = TreesConfig(most_trees=400, min_rows_in_leaf=400, seed=seed), None

    def fit(self, learned: Gaps, chosen_by: Gaps) -> None:
        """Grow trees on one row per gap and day at risk."""
        self._trees = _grown(
            "binary", self._config, at_risk(learned.settled, HORIZON_DAYS), at_risk(chosen_by.settled, HORIZON_DAYS)
        )

    def predict(self, gaps: Gaps) -> Predicted:
        """The survival of each day."""
        table, weekday = gap_features(gaps), weekday_of(gaps)
        trees = _fitted(self._trees)
        hazards = [trees.predict(on_day(table, weekday, np.full(len(table), day))) for day in DAYS]
        return Predicted.by_survival(np.cumprod(1.0 - np.stack(hazards, axis=1), axis=1))

    def settings(self) -> dict[str, Any]:
        """The trees' configuration."""
        return asdict(self._config)


class KaplanMeier:
    """One survival for everyone (lifelines)."""

    def fit(self, learned: Gaps, chosen_by: Gaps) -> None:
        """Estimate it, gaps that have not ended included."""
        from lifelines import KaplanMeierFitter

        learned = learned.settled
        fitted = KaplanMeierFitter().fit(lasted(learned), learned.observed)
        self._survival = fitted.survival_function_at_times(DAYS).to_numpy()

    def predict(self, gaps: Gaps) -> Predicted:
        """The same for all."""
        return Predicted.by_survival(np.tile(self._survival, (len(gaps), 1)))

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}


class Cox:
    """Cox's proportional hazards (lifelines) on the features, standardised, missing ones at their mean.

    The penalty is chosen by the validation customers' concordance.
    """

    PENALTIES = (0.001, 0.01, 0.1)

    def fit(self, learned: Gaps, chosen_by: Gaps) -> None:
        """Fit one model per penalty; keep the best."""
        from lifelines import CoxPHFitter
        from lifelines.utils import concordance_index

        learned, chosen_by = learned.settled, chosen_by.settled
        table = gap_features(learned)
        self._mean, self._deviation = table.mean(), table.std().clip(lower=1e-6)
        rows = self._standardised(table).assign(lasted=lasted(learned), observed=learned.observed)
        best = -np.inf
        for penalty in self.PENALTIES:
            model = CoxPHFitter(penalizer=penalty).fit(rows, "lasted", "observed")
            risk = model.predict_log_partial_hazard(self._standardised(gap_features(chosen_by)))
            found = concordance_index(chosen_by.days, -risk, chosen_by.observed)
            if found > best:
                best, self._model, self._penalty = found, model, penalty

    def predict(self, gaps: Gaps) -> Predicted:
        """The survival of each day."""
        rows = self._standardised(gap_features(gaps))
        return Predicted.by_survival(self._model.predict_survival_function(rows, times=DAYS).to_numpy().T)

    def settings(self) -> dict[str, Any]:
        """The penalties that it chooses from."""
        return {"penalties": list(self.PENALTIES)}

    def _standardised(self, table: pd.DataFrame) -> pd.DataFrame:
        return ((table - self._mean) / self._deviation).fillna(0.0)


METHODS: dict[str, Callable[[int], TimeMethod]] = {
    "global-median": lambda seed: Median(np.inf),
    "personal-median": lambda seed: Median(0.0),
    "shrunk-median": lambda seed: Median(3.0),
    "boosted-regressor": BoostedRegressor,
    "kaplan-meier": lambda seed: KaplanMeier(),
    "cox": lambda seed: Cox(),
    "boosted-hazard": BoostedHazard,
}


def gap_method(name: str, seed: int) -> TimeMethod:
    """A new method of that name. Raises ValueError that lists the known ones."""
    if name in ARCHITECTURES:
        return LensTimes(name, seed)
    if name not in METHODS:
        raise ValueError(unknown_name("model", name, [*ARCHITECTURES, *METHODS]))
    return METHODS[name](seed)


_Rows = tuple[pd.DataFrame, np.ndarray]


def _grown(objective: str, config: TreesConfig, rows: _Rows, judged: _Rows) -> Any:
    import lightgbm as lgb

    learned = lgb.Dataset(*rows)
    stop = lgb.early_stopping(config.stop_after, verbose=False)
    return lgb.train(
        config.parameters(objective),
        learned,
        config.most_trees,
        valid_sets=[lgb.Dataset(*judged, reference=learned)],
        callbacks=[stop],
    )


def _fitted(trees: Any) -> Any:
    if trees is None:
        raise RuntimeError("predict before fit")
    return trees
