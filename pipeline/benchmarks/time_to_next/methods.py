"""Methods that predict the days until the next basket, by name: medians, boosted trees, survival models, and LENS."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.boosting import Trees
from models.catalog import ARCHITECTURES
from models.names import unknown_name
from pipeline.benchmarks.time_to_next.features import (
    gap_features,
    rows_at_risk,
    survived_days,
    weekday_of,
    with_day_at_risk,
)
from pipeline.benchmarks.time_to_next.gaps import Gaps
from pipeline.benchmarks.time_to_next.lens import LensGapMethod
from pipeline.benchmarks.time_to_next.predictions import DAYS, HORIZON_DAYS, GapMethod, GapPrediction
from pipeline.benchmarks.trained_lens import passes_of


class Median:
    """The median of a customer's gaps that ended, shrunk to the median of all customers.

    Args: shrink: weight of the median of all customers, as a number of gaps; infinite: that median alone.
    """

    def __init__(self, shrink: float) -> None:
        self._shrink, self._median = shrink, np.nan

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Compute the median of all customers' gaps."""
        self._median = float(np.median(train.days[train.observed]))

    def predict(self, gaps: Gaps) -> GapPrediction:
        """Point forecasts in days."""
        if np.isinf(self._shrink):
            return GapPrediction(np.full(len(gaps), self._median))
        found = gap_features(gaps)
        own, count = np.expm1(found["log_median_gap"]).fillna(self._median), np.expm1(found["log_gaps"]).round()
        weight: np.ndarray = (count / np.maximum(count + self._shrink, 1)).to_numpy()
        return GapPrediction(weight * own.to_numpy() + (1.0 - weight) * self._median)

    def settings(self) -> dict[str, Any]:
        """The weight of the median of all customers."""
        return {"shrink": str(self._shrink)}


@dataclass(frozen=True)
class TreesConfig(Trees):
    """Configuration of both boosted methods; the number of trees is chosen by the validation loss."""

    learning_rate: float = 0.05
    n_leaves: int = 15
    feature_share: float = 0.8
    most_trees: int = 600
    stop_after: int = 30


class BoostedRegressor:
    """LightGBM regression on the gaps that ended, trained by mean absolute error."""

    def __init__(self, seed: int) -> None:
        self._config, self._trees = TreesConfig(seed=seed), None

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Train on the gaps that ended."""
        ended = [gaps.take(np.flatnonzero(gaps.observed)) for gaps in (train.settled, validation.settled)]
        self._trees = _trained("l1", self._config, *((gap_features(gaps), gaps.days) for gaps in ended))

    def predict(self, gaps: Gaps) -> GapPrediction:
        """Point forecasts in days."""
        return GapPrediction(np.maximum(_fitted(self._trees).predict(gap_features(gaps)), 0.5))

    def settings(self) -> dict[str, Any]:
        """Configuration of the trees."""
        return asdict(self._config)


class BoostedHazard:
    """LightGBM classifier of days at risk: P(a basket on the k-th day | none before), a discrete-time hazard."""

    def __init__(self, seed: int) -> None:
        self._config, self._trees = TreesConfig(most_trees=400, min_rows_in_leaf=400, seed=seed), None

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Train on one row per gap and day at risk."""
        rows = (rows_at_risk(gaps.settled, HORIZON_DAYS) for gaps in (train, validation))
        self._trees = _trained("binary", self._config, *rows)

    def predict(self, gaps: Gaps) -> GapPrediction:
        """Survival probabilities by day."""
        table, weekday = gap_features(gaps), weekday_of(gaps)
        trees = _fitted(self._trees)
        hazards = [trees.predict(with_day_at_risk(table, weekday, np.full(len(table), day))) for day in DAYS]
        return GapPrediction.by_survival(np.cumprod(1.0 - np.stack(hazards, axis=1), axis=1))

    def settings(self) -> dict[str, Any]:
        """Configuration of the trees."""
        return asdict(self._config)


class KaplanMeier:
    """The Kaplan-Meier estimate (lifelines): one survival function for all customers."""

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Estimate the survival function; gaps that have not ended are censored."""
        from lifelines import KaplanMeierFitter

        train = train.settled
        fitted = KaplanMeierFitter().fit(survived_days(train), train.observed)
        self._survival = fitted.survival_function_at_times(DAYS).to_numpy()

    def predict(self, gaps: Gaps) -> GapPrediction:
        """The same survival function for every gap."""
        return GapPrediction.by_survival(np.tile(self._survival, (len(gaps), 1)))

    def settings(self) -> dict[str, Any]:
        """Nothing to configure."""
        return {}


class Cox:
    """Cox's proportional hazards (lifelines) on standardised features; a missing value is replaced by the mean.

    The penalty is the one with the highest concordance on the validation gaps.
    """

    PENALTIES = (0.001, 0.01, 0.1)

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Fit one model per penalty and keep the best."""
        from lifelines import CoxPHFitter
        from lifelines.utils import concordance_index

        train, validation = train.settled, validation.settled
        table = gap_features(train)
        self._mean, self._deviation = table.mean(), table.std().clip(lower=1e-6)
        rows = self._standardised(table).assign(survived_days=survived_days(train), observed=train.observed)
        best = -np.inf
        for penalty in self.PENALTIES:
            model = CoxPHFitter(penalizer=penalty).fit(rows, "survived_days", "observed")
            risk = model.predict_log_partial_hazard(self._standardised(gap_features(validation)))
            found = concordance_index(validation.days, -risk, validation.observed)
            if found > best:
                best, self._model, self._penalty = found, model, penalty

    def predict(self, gaps: Gaps) -> GapPrediction:
        """Survival probabilities by day."""
        rows = self._standardised(gap_features(gaps))
        return GapPrediction.by_survival(self._model.predict_survival_function(rows, times=DAYS).to_numpy().T)

    def settings(self) -> dict[str, Any]:
        """The penalties that are tried."""
        return {"penalties": list(self.PENALTIES)}

    def _standardised(self, table: pd.DataFrame) -> pd.DataFrame:
        return ((table - self._mean) / self._deviation).fillna(0.0)


METHODS: dict[str, Callable[[int], GapMethod]] = {
    "global-median": lambda seed: Median(np.inf),
    "personal-median": lambda seed: Median(0.0),
    "shrunk-median": lambda seed: Median(3.0),
    "boosted-regressor": BoostedRegressor,
    "kaplan-meier": lambda seed: KaplanMeier(),
    "cox": lambda seed: Cox(),
    "boosted-hazard": BoostedHazard,
}


def gap_method(name: str, seed: int) -> GapMethod:
    """A new method of that name; an architecture may be followed by passes, as in `lens_time@2`.

    Raises: ValueError: for an unknown name, with the known ones, or passes that are no number.
    """
    architecture, passes = passes_of(name)
    if architecture in ARCHITECTURES:
        return LensGapMethod(architecture, seed, passes)
    if name not in METHODS:
        raise ValueError(unknown_name("model", name, [*ARCHITECTURES, *METHODS]))
    return METHODS[name](seed)


_Rows = tuple[pd.DataFrame, np.ndarray]


def _trained(objective: str, config: TreesConfig, train: _Rows, validation: _Rows) -> Any:
    import lightgbm as lgb

    rows = lgb.Dataset(*train)
    stop = lgb.early_stopping(config.stop_after, verbose=False)
    return lgb.train(
        config.parameters(objective),
        rows,
        config.most_trees,
        valid_sets=[lgb.Dataset(*validation, reference=rows)],
        callbacks=[stop],
    )


def _fitted(trees: Any) -> Any:
    if trees is None:
        raise RuntimeError("predict before fit")
    return trees
