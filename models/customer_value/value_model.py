"""A fitted model of customer value: methods tried on a window gone by, the best fitted again, its level and bands.

Everything is decided on the last `horizon` days before `end`, by methods that knew only what came before them. The
figures of those days are what users of the model compare; what comes after `end` was never seen.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from models.customer_value.bands import Bands
from models.customer_value.kinds import COMBINATIONS
from models.customer_value.level import daily_totals, known_shares, store_forecast
from models.customer_value.methods import BgNbdGammaGamma, Expected, ValueMethod, value_method
from models.customer_value.metrics import value_scores
from models.customer_value.purchase_days import PurchaseDays
from models.refusal import Refusal

CHOSEN_BY = "spend_gini"
_LEAST = 1e-9


@dataclass(frozen=True)
class StoreDays:
    """Sums of all customers' days until a business date, the latest last; float64 [N] each."""

    baskets: np.ndarray
    spend: np.ndarray

    @classmethod
    def of(cls, purchases: PurchaseDays, day: int) -> "StoreDays":
        """What was known when `day` began."""
        first = int(purchases.days.min())
        return cls(*(daily_totals(purchases.days, each, first, day) for each in (purchases.baskets, purchases.spend)))

    def forecast(self, days: int) -> np.ndarray:
        """Baskets and spend of the next `days`, all customers together; float64 [2]."""
        return np.array([store_forecast(each, days).sum() for each in (self.baskets, self.spend)])


@dataclass(frozen=True)
class ValueModel:
    """What predicts.

    name: of COMBINATIONS; members: the fitted methods; closed_form: says who still is a customer, and how longer
    horizons go on; shares: of the store's baskets and spend, what known customers made in the validated window, which
    began `days_before` days after the first one; validated: scores of every combination there.
    """

    name: str
    horizon: int
    members: dict[str, ValueMethod]
    closed_form: BgNbdGammaGamma
    shares: np.ndarray
    days_before: int
    baskets_bands: Bands
    spend_bands: Bands
    validated: dict[str, dict[str, float]]

    @classmethod
    def fitted(
        cls,
        purchases: PurchaseDays,
        end: int,
        horizon: int,
        names: Sequence[str] = tuple(COMBINATIONS),
        *,
        seed: int = 0,
    ) -> "ValueModel":
        """Choose among `names` and fit. Nothing on or after day `end` is read.

        Raises: Refusal: for too short a history; the message says what to change.
        """
        known = purchases.before(end)
        start = end - horizon
        before, customers = known.before(start), known.known(start)
        if not len(customers):
            raise Refusal(
                f"no customer bought before the {2 * horizon} days that customer values are learned and measured on; "
                "deliver more history or lower tasks.customer_values.training.holdout_days"
            )
        observed = tuple(np.maximum(total[customers], 0.0) for total in known.totals(start, end))
        tried = fit_methods(before, start, horizon, {each for name in names for each in COMBINATIONS[name]}, seed)
        level = np.array([total.sum() for total in observed])
        expected = {
            name: at_level(combined(predicted_by(tried, COMBINATIONS[name], before, start, customers)), level)
            for name in names
        }
        pair = (observed[0], observed[1])
        validated = {name: value_scores(each, pair) for name, each in expected.items()}
        best = max(names, key=lambda name: validated[name][CHOSEN_BY])
        everyone = np.array([total.sum() for total in known.totals(start, end)])
        closed_form = BgNbdGammaGamma(leaves_after_first=True)
        closed_form.fit(known, end, horizon)
        return cls(
            best,
            horizon,
            fit_methods(known, end, horizon, set(COMBINATIONS[best]), seed),
            closed_form,
            np.clip(level / np.maximum(everyone, _LEAST), 0.0, 1.0),
            start - int(known.days.min()),
            Bands.of(expected[best][0], observed[0]),
            Bands.of(expected[best][1], observed[1]),
            validated,
        )

    def ranked(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Baskets and spend of the horizon up to one factor that all customers share; two float64 [n]."""
        return combined(predicted_by(self.members, COMBINATIONS[self.name], purchases, day, customers))

    def level(self, store: StoreDays) -> np.ndarray:
        """Baskets and spend of the horizon, all known customers together; float64 [2]."""
        shares = known_shares(self.shares, self.days_before, len(store.spend))
        found: np.ndarray = shares * store.forecast(self.horizon)
        return found

    def predict(self, purchases: PurchaseDays, day: int) -> tuple[np.ndarray, Expected, Expected]:
        """All customers known on a day: their rows, baskets and spend of the horizon, and the band of spend."""
        customers = purchases.known(day)
        level = self.level(StoreDays.of(purchases, day))
        baskets, spend = at_level(self.ranked(purchases, day, customers), level)
        return customers, (baskets, spend), self.spend_bands.around(spend, float(spend.mean()))

    def going_on(self, own: dict[str, np.ndarray], days: float) -> np.ndarray:
        """Expected baskets of the next `days` as a multiple of those of the horizon, in closed form; float64 [n].

        Args: own: as of `numbers_of`.
        """
        numbers = (own["repeats"], own["latest"], own["age"])
        counts = self.closed_form.counts
        horizon = np.maximum(counts.expected(*numbers, self.horizon), _LEAST)
        found: np.ndarray = counts.expected(*numbers, days) / horizon
        return found

    def to_json(self) -> str:
        """The whole model as text, the same for the same model."""
        state = {
            "name": self.name,
            "horizon": self.horizon,
            "members": {name: member.state() for name, member in sorted(self.members.items())},
            "closed_form": self.closed_form.state(),
            "shares": self.shares.tolist(),
            "days_before": self.days_before,
            "baskets_bands": _bands_state(self.baskets_bands),
            "spend_bands": _bands_state(self.spend_bands),
            "validated": self.validated,
        }
        return json.dumps(state, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "ValueModel":
        """The model of such a text, which is read as data. Raises: ValueError, KeyError, TypeError: it is none."""
        state = json.loads(text)
        members = {}
        for name, learned in state["members"].items():
            members[name] = value_method(name)
            members[name].restore(learned)
        closed_form = BgNbdGammaGamma()
        closed_form.restore(state["closed_form"])
        if set(members) != set(COMBINATIONS[state["name"]]):
            raise ValueError(f"the file holds {', '.join(members)}, which is not what {state['name']} is made of")
        shares = np.array(state["shares"], float)
        return cls(
            name=state["name"],
            horizon=int(state["horizon"]),
            members=members,
            closed_form=closed_form,
            shares=shares,
            days_before=int(state.get("days_before", 0)),  # older models do not say
            baskets_bands=_bands_of(state["baskets_bands"]),
            spend_bands=_bands_of(state["spend_bands"]),
            validated=state["validated"],
        )


def _bands_state(bands: Bands) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in asdict(bands).items()}


def _bands_of(state: dict[str, list[float]]) -> Bands:
    return Bands(**{name: np.array(values, float) for name, values in state.items()})


def fit_methods(purchases: PurchaseDays, end: int, horizon: int, names: set[str], seed: int) -> dict[str, ValueMethod]:
    """New methods, each fitted on what came before `end`."""
    fitted = {}
    for name in sorted(names):
        fitted[name] = value_method(name, seed)
        fitted[name].fit(purchases, end, horizon)
    return fitted


def predicted_by(
    methods: dict[str, ValueMethod], names: Sequence[str], purchases: PurchaseDays, day: int, customers: np.ndarray
) -> list[Expected]:
    """What each of some methods expects."""
    return [methods[name].predict(purchases, day, customers) for name in names]


def combined(expected: Sequence[Expected]) -> Expected:
    """Geometric means, in which a method's own level is a factor alike for all customers."""
    means = [np.exp(np.mean([np.log(np.maximum(each[of], _LEAST)) for each in expected], axis=0)) for of in (0, 1)]
    return means[0], means[1]


def at_level(expected: Expected, level: np.ndarray) -> Expected:
    """Scaled to sum to a level, [2]: baskets and spend."""
    scaled = [each * (of / max(float(each.sum()), _LEAST)) for each, of in zip(expected, level, strict=True)]
    return scaled[0], scaled[1]
