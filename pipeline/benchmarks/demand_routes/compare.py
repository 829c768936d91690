"""Back-test the routes to expected demand on the last four weeks: the store's, the model's, the paper's, a placebo.

Weights and spreads come from the four weeks before those. The model is trained twice, on what was known before each
four weeks. Every method's spread is fitted to its own errors of the earlier weeks.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.demand.choice import product_classes
from models.demand.earned_weights import LEAST_PRODUCTS, absolute_errors, blended, earned_weights
from models.demand.forecast import DemandForecast, fit_spread, with_spread
from models.demand.model_route import CLASSES, model_demand, with_store_days
from models.demand.paired_bootstrap import differences
from pipeline.benchmarks.data.daily_sales import HORIZON_DAYS, DailySales, last_windows
from pipeline.benchmarks.stockouts.methods import NIGHTLY, demand_method
from pipeline.benchmarks.stockouts.metrics import alert_scores, demand_scores
from pipeline.benchmarks.stockouts.supply_plans import make_plans
from pipeline.benchmarks.subprocesses import run_module
from pipeline.settings import Settings

Array = NDArray[np.float64]

STORE, OWN_LEVEL = "store", "model at its own level"
# Blends by the weights of the least error of the earlier weeks, whether the gain was sure or not.
UNGATED, PLACEBO_UNGATED = "blend of least error", "placebo blend of least error"
CLASS_NAMES = ("sells on most days", "weekly", "rarely")
# What is set against what.
PAIRS = (
    ("model", STORE), (OWN_LEVEL, STORE), ("paper", STORE), ("model", "placebo"), (UNGATED, STORE),
    (UNGATED, PLACEBO_UNGATED), ("blend", STORE), ("blend by store", STORE),
)  # fmt: skip
_DIGITS = 4


@dataclass(frozen=True)
class Block:
    """Consecutive windows: what was sold, [N, H] each, and what each method expected.

    cutoffs: days of the data; means: by method, one [N, H] per window; classes, stores: int64 [N], one per window.
    """

    cutoffs: list[int]
    units: list[Array]
    means: dict[str, list[Array]]
    classes: list[NDArray[np.int64]]


@dataclass(frozen=True)
class Blend:
    """The store's forecast with the weight of another; `is_gated`: only where the gain was sure."""

    name: str
    other: str
    by_store: bool = False
    is_gated: bool = True


BLENDS = (
    Blend("blend", "model"),
    Blend("blend by store", "model", by_store=True),
    Blend(UNGATED, "model", is_gated=False),
    Blend(PLACEBO_UNGATED, "placebo", is_gated=False),
)


def compare(dataset: str, sales: DailySales, out: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Scores by method, differences with intervals, and the weights that were earned.

    Sums of the model that are kept under `out` are not made again.
    Raises: ValueError: for too few days, or sums of other data under `out`; RuntimeError: where the model's process
        fails, with the end of its errors.
    """
    out.mkdir(parents=True, exist_ok=True)
    last = [sales.day(day) for day in last_windows(sales)]
    earlier = [cutoff - HORIZON_DAYS * len(last) for cutoff in last]
    before, test = (_block(dataset, sales, cutoffs, out, say) for cutoffs in (earlier, last))
    found = {blend: _add_blend(blend, before, test, sales) for blend in BLENDS}
    weights = {blend.name: of_groups for blend, of_groups in found.items() if blend.is_gated}
    return {
        "windows": [(sales.first_day + timedelta(days=cutoff)).isoformat() for cutoff in test.cutoffs],
        "weights": weights,
        "models": {name: {"mean": _scores(sales, before, test, name)} for name in test.means},
        "differences": _differences(test),
    }


def _add_blend(blend: Blend, before: Block, test: Block, sales: DailySales) -> dict[str, dict[str, float]]:
    """Add a blend to both blocks, by the weights of the first; returns them by group."""
    names, first_group = dict(enumerate(CLASS_NAMES)), np.zeros(len(sales.stores), np.int64)
    if blend.by_store:
        stores = np.unique([name.partition("/")[0] for name in sales.product_names])
        names = {
            CLASSES * number + label: f"{store}, {name}"
            for number, store in enumerate(stores)
            for label, name in enumerate(CLASS_NAMES)
        }
        first_group = CLASSES * sales.stores
    groups = [each + first_group for each in before.classes]
    found = earned_weights(before.means[STORE], before.means[blend.other], before.units, groups)
    taken = {group: earned.weight if blend.is_gated else earned.best for group, earned in found.items()}
    for block in (before, test):
        of_products = [[taken.get(group, 0.0) for group in (each + first_group).tolist()] for each in block.classes]
        pairs = zip(block.means[STORE], block.means[blend.other], of_products, strict=True)
        block.means[blend.name] = [blended(store, other, np.array(weight)) for store, other, weight in pairs]
    return {names[group]: asdict(earned) for group, earned in found.items()}


def _block(dataset: str, sales: DailySales, cutoffs: list[int], out: Path, say: Callable[[str], None]) -> Block:
    windows = [(sales.first_day + timedelta(days=cutoff)).isoformat() for cutoff in cutoffs]
    file = out / f"sums-{windows[0]}.npz"
    if not file.is_file():
        say(f"model, trained before {windows[0]} ...")
        aside = out / f"making-{windows[0]}.npz"
        run_module(
            "pipeline.benchmarks.demand_routes.sums",
            ["--dataset", dataset, "--windows", *windows, "--out", str(aside)],
            f"model before {windows[0]}",
        )
        aside.rename(file)
    with np.load(file, allow_pickle=False) as stored:
        sums = {name: stored[name] for name in stored.files}
    if str(sums["dataset"]) != dataset:
        raise ValueError(f"{file} is about {sums['dataset']}; choose another --out")
    units = [sales.units[:, cutoff : cutoff + HORIZON_DAYS] for cutoff in cutoffs]
    rows = np.arange(len(sales.units))
    means: dict[str, list[Array]] = {}
    for number, cutoff in enumerate(cutoffs):
        forecast = demand_method(NIGHTLY).forecast(sales, cutoff, rows)
        assert isinstance(forecast, DemandForecast)
        store = forecast.mean
        # A product that the model, or its store, does not know has the store's forecast.
        known = ~np.isnan(sums["model"][number, :, 0])
        others = np.where(known, sums["other_share"][number], np.nan)
        found = {name: np.nan_to_num(sums[name][number]) for name in ("model", "placebo", "paper")}
        for name, of in routes_of(store, found, others, sales.stores).items():
            means.setdefault(name, []).append(of)
    histories = [sales.history(cutoff, rows) for cutoff in cutoffs]
    return Block(cutoffs, units, means, [product_classes(each) for each in histories])


def routes_of(store: Array, found: dict[str, Array], others: Array, stores: NDArray[np.int64]) -> dict[str, Array]:
    """The methods of one window that need no weight, [N, H] each; `others` [N], NaN where the model knows nothing."""
    made = {STORE: store, "paper": found["paper"]}
    for name, route in (("model", "model"), ("placebo", "placebo"), (OWN_LEVEL, "model")):
        units = with_store_days(store, found[route], others, stores, own_level=name == OWN_LEVEL)
        made[name] = model_demand(store, units, others)
    return made


def _scores(sales: DailySales, before: Block, test: Block, method: str) -> dict[str, float]:
    """Means over the windows: of demand, and of the alerts of each plan that is made."""
    past, sold = np.concatenate(before.means[method]), np.concatenate(before.units)
    spreads = fit_spread(past, np.rint(sold)), fit_spread(past.sum(axis=1), np.rint(sold.sum(axis=1)))
    rows: list[dict[str, float]] = []
    least = Settings().demand.min_probability
    for cutoff, mean, units in zip(test.cutoffs, test.means[method], test.units, strict=True):
        forecast = with_spread(mean, *spreads)
        scores = demand_scores(forecast, units, sales.units[:, :cutoff])
        for plan in make_plans(sales, sales.first_day + timedelta(days=cutoff)):
            which = plan.products
            of = DemandForecast(mean[which], forecast.variance[which], forecast.cumulative_variance[which])
            found = alert_scores(of, plan.supply, plan.short_on(sales, cutoff), least)
            scores |= {f"{plan.name}/{name}": found[name] for name in ("ap_product", "ap_product_day")}
        rows.append(scores)
    return {name: round(float(np.mean([row[name] for row in rows])), _DIGITS) for name in rows[0]}


def _differences(test: Block) -> list[dict[str, Any]]:
    """Differences of a week's absolute error over units, with intervals, over all products and by class."""
    groups = {"all": [np.ones(len(each), bool) for each in test.classes]}
    groups |= {
        name: [each == label for each in test.classes]
        for label, name in enumerate(CLASS_NAMES)
        if min((each == label).sum() for each in test.classes) >= LEAST_PRODUCTS
    }
    return [
        {"model": ours, "against": other, "products": name} | found
        for ours, other in PAIRS
        for name, chosen in groups.items()
        for found in differences(
            absolute_errors(test.means[ours], test.units), absolute_errors(test.means[other], test.units), chosen
        )
    ]
