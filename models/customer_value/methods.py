"""Methods that expect baskets and spend of each customer over one horizon, behind one interface, by name."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from models.boosting import Trees
from models.customer_value.bg_nbd import BgNbd, Counts
from models.customer_value.features import rfm_features, sequence_columns, sequence_features
from models.customer_value.gamma_gamma import GammaGamma
from models.customer_value.purchase_days import PurchaseDays
from models.names import look_up
from models.refusal import Refusal

_CUTOFFS, _LEAST_HISTORY, _TWEEDIE, _LEAST = 6, 0.8, 1.5, 1e-12
_TYPICAL = ("recency", "age", "frequency", "monetary")
Expected = tuple[np.ndarray, np.ndarray]


class ValueMethod(Protocol):
    """A method. Its figures rank customers; the level of their sum is set by others (`models.customer_value.level`)."""

    def fit(self, purchases: PurchaseDays, end: int, horizon: int) -> None:
        """Learn from what came before day `end` alone."""

    def predict(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Baskets and spend of the horizon from `day` on; two float64 [n].

        Args: customers: rows with a basket before `day`, ascending; nothing on or after `day` is read.
        """

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take back a `state`."""


def numbers_of(purchases: PurchaseDays, day: int, customers: np.ndarray) -> dict[str, np.ndarray]:
    """`recency`, `age`, `frequency`, `monetary` as in `sequence_features`; `repeats`, `latest` as in `Counts`."""
    table, names = sequence_features(purchases, day, customers), sequence_columns()
    found = {name: table[:, names.index(name)] for name in _TYPICAL}
    return found | {"repeats": found["frequency"] - 1.0, "latest": found["age"] - found["recency"]}


class OwnRate:
    """What the customer did so far, per day since its first basket."""

    def fit(self, purchases: PurchaseDays, end: int, horizon: int) -> None:
        """Nothing is learned but the horizon."""
        self._horizon = horizon

    def predict(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Rate times horizon."""
        own = numbers_of(purchases, day, customers)
        baskets = own["frequency"] * self._horizon / own["age"]
        return baskets, baskets * own["monetary"]

    def state(self) -> dict[str, Any]:
        """The horizon."""
        return {"horizon": self._horizon}

    def restore(self, state: dict[str, Any]) -> None:
        """The horizon."""
        self._horizon = int(state["horizon"])


class PastSpend(OwnRate):
    """What the customer did so far, whenever it began."""

    def predict(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Everyone's history counts as equally long."""
        own = numbers_of(purchases, day, customers)
        baskets = own["frequency"] * self._horizon / max(float(own["age"].max()), 1.0)
        return baskets, baskets * own["monetary"]


class BgNbdGammaGamma:
    """The closed form: BG/NBD for baskets, Gamma-Gamma for what one of them brings.

    Args: leaves_after_first: see `BgNbd`.
    """

    def __init__(self, leaves_after_first: bool = False) -> None:
        self._leaves_after_first = leaves_after_first

    def fit(self, purchases: PurchaseDays, end: int, horizon: int) -> None:
        """Maximum likelihood."""
        own = numbers_of(purchases, end, purchases.known(end))
        self.horizon = horizon
        self.counts = BgNbd.fitted(Counts.of(own["repeats"], own["latest"], own["age"]), self._leaves_after_first)
        paid = own["monetary"] > 0
        self.spend = GammaGamma.fitted(own["frequency"][paid], own["monetary"][paid])

    def predict(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Both in closed form."""
        own = numbers_of(purchases, day, customers)
        baskets = self.counts.expected(own["repeats"], own["latest"], own["age"], self.horizon)
        return baskets, baskets * self.spend.expected(own["frequency"], own["monetary"])

    def state(self) -> dict[str, Any]:
        """Seven parameters."""
        return {"horizon": self.horizon, "counts": asdict(self.counts), "spend": asdict(self.spend)}

    def restore(self, state: dict[str, Any]) -> None:
        """Seven parameters."""
        self.horizon = int(state["horizon"])
        self.counts, self.spend = BgNbd(**state["counts"]), GammaGamma(**state["spend"])


@dataclass(frozen=True)
class ValueTrees(Trees):
    """Few small trees: customers are fewer than sales lines, and the spend of a few is most of all."""

    learning_rate: float = 0.05
    n_leaves: int = 8
    feature_share: float = 0.5
    n_trees: int = 60
    row_share: float = 0.7


class BoostedValue:
    """LightGBM, taught by earlier cutoffs whose horizon is over: Poisson for baskets, Tweedie for spend.

    Args: features: `sequence_features`, or `rfm_features` alone; corrects_past: trees multiply what the customer did so
          far, rather than make the whole expectation.
    """

    def __init__(
        self,
        features: Callable[..., np.ndarray] = sequence_features,
        *,
        corrects_past: bool = False,
        seed: int = 0,
    ) -> None:
        self._features, self._corrects_past, self._config = features, corrects_past, ValueTrees(seed=seed)

    def fit(self, purchases: PurchaseDays, end: int, horizon: int) -> None:
        """Grow both.

        Raises: Refusal: where the history holds no horizon with purchases before it, or nobody bought in one.
        """
        import lightgbm as lgb

        config = self._config
        rows = [self._rows(purchases, day, horizon) for day in training_cutoffs(purchases, end, horizon)]
        table, past, targets = (np.concatenate([row[place] for row in rows]) for place in range(3))
        if not (targets.sum(axis=0) > 0).all():
            raise Refusal(
                f"no customer bought again within {horizon} days of the days that customer values are learned from; "
                "deliver more history or lower tasks.customer_values.training.holdout_days"
            )
        # Trees learn proportions: targets have a mean of one, and so has the past that they begin from.
        self._means = np.maximum(targets.mean(axis=0), _LEAST)
        self._offsets = -np.log(np.exp(past).mean(axis=0))
        starts = past + self._offsets
        # On some ten thousand rows, threads wait for each other longer than they work.
        sampled = {"bagging_fraction": config.row_share, "bagging_freq": 1, "num_threads": 1}
        self._boosters = []
        for of, objective in enumerate(("poisson", "tweedie")):
            parameters = config.parameters(objective, **sampled)
            if objective == "tweedie":
                parameters["tweedie_variance_power"] = _TWEEDIE
            target = targets[:, of] / self._means[of]
            data = lgb.Dataset(table, target, init_score=starts[:, of].copy() if self._corrects_past else None)
            self._boosters.append(lgb.train(parameters, data, config.n_trees))

    def predict(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Both by their trees, at the level of the cutoffs that they learned from."""
        table = self._features(purchases, day, customers)
        scores = [np.asarray(booster.predict(table, raw_score=True), float) for booster in self._boosters]
        if self._corrects_past:
            starts = log_past(purchases, day, customers) + self._offsets
            scores = [score + starts[:, of] for of, score in enumerate(scores)]
        return self._means[0] * np.exp(scores[0]), self._means[1] * np.exp(scores[1])

    def state(self) -> dict[str, Any]:
        """LightGBM's own text of both, their level and where they begin."""
        trees = [booster.model_to_string() for booster in self._boosters]
        return {"trees": trees, "means": self._means.tolist(), "offsets": self._offsets.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        """From LightGBM's text, which is read as data."""
        import lightgbm as lgb

        self._boosters = [lgb.Booster(model_str=text) for text in state["trees"]]
        self._means, self._offsets = np.array(state["means"], float), np.array(state["offsets"], float)

    def _rows(self, purchases: PurchaseDays, day: int, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        customers = purchases.known(day)
        baskets, spend = (total[customers] for total in purchases.totals(day, day + horizon))
        targets = np.column_stack([baskets, np.maximum(spend, 0.0)])
        return self._features(purchases, day, customers), log_past(purchases, day, customers), targets


def log_past(purchases: PurchaseDays, day: int, customers: np.ndarray) -> np.ndarray:
    """Logarithms of baskets and spend so far; float64 [n, 2]. No average is in them: a part predicts as the whole."""
    own = numbers_of(purchases, day, customers)
    spend = own["frequency"] * own["monetary"]
    found: np.ndarray = np.log(np.column_stack([own["frequency"], np.maximum(spend, 1.0)]))
    return found


def training_cutoffs(purchases: PurchaseDays, end: int, horizon: int) -> list[int]:
    """Days from which a whole horizon lies before `end`, the latest first, a quarter of it apart.

    Raises: Refusal: where there is none with four fifths of a horizon of purchases before it.
    """
    first = int(purchases.days.min()) if len(purchases.days) else end
    step = max(7, horizon // 4)
    latest = end - horizon
    found = [latest - step * back for back in range(_CUTOFFS)]
    least = max(round(_LEAST_HISTORY * horizon), 7)
    found = [day for day in found if day - first >= least]
    if not found:
        raise Refusal(
            f"customer values of {horizon} days need {horizon + least} days of purchases before the "
            f"days they are measured on, and there are {max(end - first, 0)}; deliver more history or lower "
            "tasks.customer_values.training.holdout_days"
        )
    return found


METHODS: dict[str, Callable[[int], ValueMethod]] = {
    "own_rate": lambda seed: OwnRate(),
    "past_spend": lambda seed: PastSpend(),
    "bg_nbd": lambda seed: BgNbdGammaGamma(),
    "mbg_nbd": lambda seed: BgNbdGammaGamma(leaves_after_first=True),
    "boosted_rfm": lambda seed: BoostedValue(rfm_features, seed=seed),
    "boosted": lambda seed: BoostedValue(seed=seed),
    "corrected_rfm": lambda seed: BoostedValue(rfm_features, corrects_past=True, seed=seed),
    "corrected": lambda seed: BoostedValue(corrects_past=True, seed=seed),
}


def value_method(name: str, seed: int = 0) -> ValueMethod:
    """A new method of that name. Raises Refusal for an unknown one, with the known ones."""
    return look_up("method", name, METHODS)(seed)
