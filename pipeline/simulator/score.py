"""Alerts against the simulated shop's truth: precision and recall of stock-outs and of behaviour changes.

A stock-out is a product and store whose true demand exceeds stock and planned resupplies on a day of the horizon; the
detector is right whether the shortage was planted or came about by itself, and the planted ones have a recall of their
own. A behaviour change, planted or a customer who left, is to be found when it first showed in the last ten delivered
days; an alert is right when the customer changed within the last weeks, for a first night also tells what went on
before it, or has left, even if three usual gaps have not passed yet. Both truths are those of the shop's last business
date.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.simulator.shop import HORIZON_DAYS, ShopSettings

if TYPE_CHECKING:
    import numpy as np

SHOWN_DAYS = 10
"""Latest days in which a behaviour change must have shown to be looked for."""
LEFT = "left for good"
CHANGED_DAYS = 45
"""Latest days in which it must have shown for an alert to be right: planted changes last thirty days or more."""


class ScoreError(Exception):
    """The alerts cannot be held against this shop's truth; the message says why and what to do."""


@dataclass(frozen=True)
class Score:
    """Recall and precision of alerts for a part of the truth; `precision` is None where alerts do not name the part.

    right: alerts that are right, where that is more than what was looked for.
    """

    name: str
    true: int
    found: int
    alerts: int | None = None
    right: int | None = None

    @property
    def recall(self) -> float | None:
        """Share of the truth that was found; None when there is nothing to find."""
        return self.found / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        """Share of the alerts that are right; None without alerts, or where precision has no meaning."""
        return (self.found if self.right is None else self.right) / self.alerts if self.alerts else None


def read_shop(folder: Path) -> ShopSettings:
    """The settings of the shop under `folder`; ScoreError when none was simulated there."""
    described = folder / "raw" / "shop.json"
    if not described.is_file() or not (folder / "truth").is_dir():
        raise ScoreError(f"{folder} holds no simulated shop; run `larder simulate --out {folder}` first")
    return ShopSettings.model_validate_json(described.read_text())


def score_stockouts(folder: Path, alerts: Iterable[tuple[str, str]], horizon_days: int) -> list[Score]:
    """Scores of (store_id, product_id) alerts against the shelves short within `horizon_days` of the business date."""
    if horizon_days > HORIZON_DAYS:
        raise ScoreError(f"the truth reaches {HORIZON_DAYS} days ahead; demand.horizon_days is {horizon_days}")
    until = read_shop(folder).business_date + timedelta(days=horizon_days)
    short: dict[str, set[tuple[str, str]]] = {"planted": set(), "natural": set()}
    for row in _rows(folder / "truth" / "stockouts.csv"):
        if row["period"] == "horizon" and date.fromisoformat(row["day"]) < until:
            short[row["kind"]].add((row["store_id"], row["product_id"]))
    alerted = set(alerts)
    every = short["planted"] | short["natural"]
    return [
        Score("stock-outs", len(every), len(every & alerted), len(alerted)),
        Score("stock-outs, planted", len(short["planted"]), len(short["planted"] & alerted)),
    ]


def score_changes(folder: Path, alerts: Iterable[str]) -> list[Score]:
    """Scores of customers alerted against the behaviour changes that showed in the last days, all and by kind."""
    end = read_shop(folder).business_date
    lately: dict[str, set[str]] = {kind: set() for kind in ("content", "size", "timing", LEFT)}
    changed: set[str] = set()
    leavers = ({"kind": LEFT, **row} for row in _rows(folder / "truth" / "leavers.csv"))
    for row in [*_rows(folder / "truth" / "changes.csv"), *leavers]:
        # There is no day from which the absence of a rare customer shows.
        age = (end - date.fromisoformat(row["shown_on"])).days if row["shown_on"] else 0
        if 0 < age <= SHOWN_DAYS:
            lately[row["kind"]].add(row["customer_id"])
        if age <= CHANGED_DAYS:
            changed.add(row["customer_id"])
    alerted = set(alerts)
    every = set.union(*lately.values())
    total = Score("behaviour changes", len(every), len(every & alerted), len(alerted), len(changed & alerted))
    kinds = (Score(f"behaviour changes, {kind}", len(who), len(who & alerted)) for kind, who in lately.items())
    return [total, *kinds]


def return_ranks(folder: Path, probabilities: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Rank correlation of forecast returns with how much customers and products were planted to return.

    Args: probabilities: of `returns_against_others`; none where the shop plants no such differences.
    """
    from scipy.stats import spearmanr

    path = folder / "truth" / "returns.csv"
    if not path.is_file():
        return {}
    truth = _rows(path)
    found = {}
    for kind, forecast in probabilities.items():
        known = [
            (forecast[row["id"]], float(row["times"])) for row in truth if row["kind"] == kind and row["id"] in forecast
        ]
        if len(known) > 1:
            found[kind] = float(spearmanr(*zip(*known, strict=True)).statistic)
    return found


def returns_against_others(
    customers: Sequence[str], products: Sequence[str], probabilities: "np.ndarray"
) -> dict[str, dict[str, float]]:
    """Expected returns of each `customer` over what everyone's lines of the same products have, and so for `product`.

    Means alone would mix both: who only buys what everyone sends back does not return more than others.
    """
    import numpy as np

    names, rows = zip(*(np.unique(each, return_inverse=True) for each in (customers, products)), strict=True)
    sums = [np.bincount(of, probabilities) for of in rows]
    means = [(total / np.bincount(of))[of] for total, of in zip(sums, rows, strict=True)]
    found = {}
    for kind, own, other in (("customer", 0, 1), ("product", 1, 0)):
        against = sums[own] / np.bincount(rows[own], means[other])
        found[kind] = dict(zip(names[own].tolist(), against.tolist(), strict=True))
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
