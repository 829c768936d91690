"""Back-test demand forecasts and the stock-out alerts made from them, window by window, against what was sold.

The cutoff moves on by weeks; each method forecasts a week from the sales before it. A trial whose method is configured
differently today is made again. A night judges its alerts by four past mornings, so the four weeks before the first
scored one are forecast as well, as far as the data reach; they calibrate, and of a method that predicts means alone a
week's errors give the spread of the next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.demand.choice import SPREAD_WEEKS
from models.demand.counts import quantile
from models.demand.forecast import DemandForecast, Spread, fit_spread, with_spread
from models.demand.paired_bootstrap import WeekErrors, differences
from models.stockouts.calibration import calibration_error, fit_calibration
from pipeline.benchmarks.data.daily_sales import HORIZON_DAYS, MIN_PAST_DAYS, TOP_PRODUCTS, DailySales
from pipeline.benchmarks.report.report import rows_file
from pipeline.benchmarks.stockouts.methods import PLACEBO, Forecast, demand_method
from pipeline.benchmarks.stockouts.metrics import (
    QUANTILES,
    alert_scores,
    demand_scores,
    point_scores,
    short_probability,
    some_day_probability,
)
from pipeline.benchmarks.stockouts.supply_plans import PlannedSupply, make_plans
from pipeline.benchmarks.stockouts.trial import read_forecast, scored_products
from pipeline.benchmarks.stockouts.week_errors import week_errors
from pipeline.benchmarks.subprocesses import run_module
from pipeline.benchmarks.trials import finished_trial, read_trial

FORECASTS = "forecasts.parquet"
TEST_WINDOWS = tuple(date(2001, 2, day) for day in (1, 8, 15, 22))
_DIGITS = 4
# Settings and resources, the products in order, and their forecast.
Trial = tuple[dict[str, Any], NDArray[np.int64], Forecast]
# Weeks before a window that calibrate its probabilities, as a night has them.
PAST_WINDOWS = SPREAD_WEEKS
# The two whose difference says what knowing the customers adds.
PAIR = "customer-route", PLACEBO


@dataclass(frozen=True)
class Comparison:
    """What is compared: the data, the windows' first days, their supply plans, and how an alert is made."""

    dataset: str
    sales: DailySales
    plans: dict[date, list[PlannedSupply]]
    min_probability: float

    @property
    def windows(self) -> list[date]:
        """First test days, in order."""
        return sorted(self.plans)

    def plans_of(self, window: date) -> list[PlannedSupply]:
        """Plans of a window; of one before the scored ones they are made from sales."""
        return self.plans.get(window) or make_plans(self.sales, window)


def compare(
    comparison: Comparison, models: Sequence[str], out: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Make the trials that are missing under `out`, score every model; scores by model.

    Raises: ValueError: for an unknown method; RuntimeError: where a trial fails, with the end of its error output.
    """
    configured = {model: demand_method(model).settings for model in models}
    out.mkdir(parents=True, exist_ok=True)
    scores: dict[str, dict[str, Any]] = {}
    with rows_file(out / FORECASTS) as add:
        for model in models:
            folders = _folders(comparison, model, out)
            missing = [
                window
                for window in folders
                if not finished_trial(folders[window], configured[model], [comparison.dataset])
            ]
            if missing:
                say(f"{model}: windows {', '.join(map(str, missing))} ...")
                _run(comparison, out / "trials", model, missing)
            scores[model], rows = _scored(comparison, model, _read(folders))
            add(rows)
            say(f"{model}: {_in_short(scores[model]['mean'])}")
    return scores


def what_customers_add(comparison: Comparison, out: Path) -> list[dict[str, Any]]:
    """Differences of the finished trials of PAIR, with intervals, over the top products and over all others."""
    sales = comparison.sales
    found: dict[str, dict[date, WeekErrors]] = {}
    for model in PAIR:
        trials = _read(_folders(comparison, model, out))
        found[model] = {}
        for previous, window in pairwise(sorted(trials)):
            if window not in comparison.plans:
                continue
            cutoff, (_, products, forecast) = sales.day(window), trials[window]
            complete = _complete(sales, forecast, previous, trials[previous])
            found[model][window] = week_errors(complete, sales.units[products, cutoff : cutoff + HORIZON_DAYS])
    top = {window: np.isin(np.arange(len(sales.units)), sales.top(sales.day(window))) for window in comparison.windows}
    groups = {
        f"top {TOP_PRODUCTS:,} products": list(top.values()),
        "all other products": [~chosen for chosen in top.values()],
    }
    ours, other = (list(found[model].values()) for model in PAIR)
    return [
        {"model": PAIR[0], "against": PAIR[1], "products": name} | difference
        for name, chosen in groups.items()
        for difference in differences(ours, other, chosen)
    ]


def _folders(comparison: Comparison, model: str, out: Path) -> dict[date, Path]:
    """Folders of the trials by window, in order: those before the scored ones, as far as the data reach, and these."""
    first, sales = min(comparison.windows), comparison.sales
    before = [first - timedelta(days=HORIZON_DAYS * back) for back in range(PAST_WINDOWS, 0, -1)]
    reached = [window for window in before if (window - sales.first_day).days >= MIN_PAST_DAYS]
    return {window: out / "trials" / f"{model}-{window}" for window in (*reached, *comparison.windows)}


def _read(folders: dict[date, Path]) -> dict[date, Trial]:
    return {window: (read_trial(folder), *read_forecast(folder)) for window, folder in folders.items()}


def _scored(comparison: Comparison, model: str, trials: dict[date, Trial]) -> tuple[dict[str, Any], pa.Table]:
    """Scores of one model by window and their mean, and its forecasts."""
    sales, found, tables = comparison.sales, {}, []
    windows = sorted(trials)
    calibrations = _Calibrations(sales)
    calibrations.learn(windows[0], trials[windows[0]], comparison.plans_of(windows[0]))
    for previous, window in pairwise(windows):
        cutoff, (_, products, forecast) = sales.day(window), trials[window]
        complete = _complete(sales, forecast, previous, trials[previous])
        plans = comparison.plans_of(window)
        if window not in comparison.plans:
            calibrations.learn(window, (trials[window][0], products, complete), plans)
            continue
        top = sales.top(cutoff)
        units = sales.units[:, cutoff : cutoff + HORIZON_DAYS]
        scores = demand_scores(_of(complete, products, top), units[top], sales.units[top, :cutoff])
        if len(products) == len(sales.units):
            every = point_scores(complete.mean, units[products])
            scores |= {f"all_{name}": every[name] for name in ("week_wape", "week_rmse")}
        for plan in plans:
            short = plan.short_on(sales, cutoff)
            of_alerts = alert_scores(
                _of(complete, products, plan.products), plan.supply, short, comparison.min_probability
            )
            of_alerts |= calibrations.scores(window, complete, products, plan, comparison.min_probability)
            scores |= {f"{plan.name}/{name}": value for name, value in of_alerts.items()}
        calibrations.learn(window, (trials[window][0], products, complete), plans)
        found[window.isoformat()] = {name: round(value, _DIGITS) for name, value in scores.items()}
        wanted = scored_products(sales, cutoff, plans[0].products)
        described = {"model": model, "window": window, "products": sales.product_names[wanted]}
        tables.append(_forecast_table(described, _of(complete, products, wanted), wanted, plans))
    names = dict.fromkeys(name for scores in found.values() for name in scores)
    summary = {
        # A window without a true alert has no lead time.
        "mean": {
            name: round(float(np.mean([each[name] for each in found.values() if name in each])), _DIGITS)
            for name in names
        },
        "windows": found,
        "settings": trials[windows[-1]][0]["configured"],
        "seconds": round(float(np.mean([trial[0]["seconds"]["forecast"] for trial in trials.values()])), 1),
        "cpu_seconds": round(float(np.mean([trial[0]["seconds"]["cpu"] for trial in trials.values()])), 1),
        "peak_mb": max(trial[0]["peak_mb"] for trial in trials.values()),
    }
    return summary, pa.concat_tables(tables)


class _Calibrations:
    """What past windows make of stated probabilities, by plan and store: learned window by window, as nights do."""

    def __init__(self, sales: DailySales) -> None:
        self._sales = sales
        self._past: dict[tuple[str, int], list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = {}

    def learn(self, window: date, trial: Trial, plans: Sequence[PlannedSupply]) -> None:
        """What became of a window's shelves; a forecast without a spread states no probability."""
        _, products, forecast = trial
        if isinstance(forecast, np.ndarray):
            return
        for plan in plans:
            stated, came, stores = self._outcome(window, forecast, products, plan)
            for store in np.unique(stores):
                of = stores == store
                self._past.setdefault((plan.name, int(store)), []).append((stated[of], came[of]))

    def scores(
        self, window: date, forecast: DemandForecast, products: NDArray[np.int64], plan: PlannedSupply, least: float
    ) -> dict[str, float]:
        """Calibration errors of all shelves as stated and calibrated, and what calibrated alerts state and keep."""
        stated, came, stores = self._outcome(window, forecast, products, plan)
        calibrated = stated.copy()
        for store in np.unique(stores):
            past, of = self._past.get((plan.name, int(store)), []), stores == store
            if past:
                calibrated[of] = fit_calibration(past[-PAST_WINDOWS:]).apply(stated[of])
        alert = calibrated >= least
        found = {
            "calibration_error_as_stated": calibration_error(stated, came),
            "calibration_error": calibration_error(calibrated, came),
        }
        if alert.any():
            found["alerts_stated"] = float(calibrated[alert].mean())
            found["alerts_came"] = float(came[alert].mean())
        return found

    def _outcome(
        self, window: date, forecast: DemandForecast, products: NDArray[np.int64], plan: PlannedSupply
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
        chance = some_day_probability(_of(forecast, products, plan.products), plan.supply)
        came = np.asarray(plan.short_on(self._sales, self._sales.day(window)).any(axis=1))
        return chance, came, self._sales.stores[plan.products]


def _complete(sales: DailySales, forecast: Forecast, previous: date, before: Trial) -> DemandForecast:
    """The forecast with a spread: its own, or that of the method's errors of the window before."""
    return with_spread(forecast, *_spreads(sales, previous, before)) if isinstance(forecast, np.ndarray) else forecast


def _spreads(sales: DailySales, window: date, trial: Trial) -> tuple[Spread, Spread]:
    """Spread of days and of weeks that a method's errors of one window show, over the top products."""
    cutoff, (_, products, forecast) = sales.day(window), trial
    assert isinstance(forecast, np.ndarray)
    top = sales.top(cutoff)
    mean, units = forecast[np.searchsorted(products, top)], sales.units[top, cutoff : cutoff + HORIZON_DAYS]
    return fit_spread(mean, units), fit_spread(mean.sum(axis=1), units.sum(axis=1))


def _of(forecast: DemandForecast, products: NDArray[np.int64], wanted: NDArray[np.int64]) -> DemandForecast:
    """The forecast's rows of these products; `products` in order."""
    rows = np.searchsorted(products, wanted)
    return DemandForecast(forecast.mean[rows], forecast.variance[rows], forecast.cumulative_variance[rows])


def _forecast_table(
    described: dict[str, Any], forecast: DemandForecast, products: NDArray[np.int64], plans: list[PlannedSupply]
) -> pa.Table:
    """A row per product and day: `p10` to `p90` of the day's units, `through_...` of those through the day."""
    n, days = forecast.mean.shape
    window = described["window"]
    dates = np.array([window + timedelta(days=ahead) for ahead in range(days)], dtype=object)
    columns: dict[str, pa.Array] = {
        "model": pa.array(np.repeat(described["model"], n * days)),
        "window": pa.array(np.repeat(np.array([window], dtype=object), n * days), pa.date32()),
        "product": pa.array(np.repeat(described["products"], days), pa.string()),
        "day": pa.array(np.tile(dates, n), pa.date32()),
        "mean": pa.array(forecast.mean.ravel()),
    }
    for share in QUANTILES:
        columns[f"p{share * 100:.0f}"] = pa.array(quantile(forecast.mean, forecast.variance, share).ravel())
    for share in QUANTILES:
        through = quantile(forecast.cumulative_mean, forecast.cumulative_variance, share)
        columns[f"through_p{share * 100:.0f}"] = pa.array(through.ravel())
    for plan in plans:
        chance = np.full((n, days), np.nan)
        of_plan = _of(forecast, products, plan.products)
        chance[np.searchsorted(products, plan.products)] = short_probability(of_plan, plan.supply)
        columns[f"short_by_{plan.name}"] = pa.array(chance.ravel(), from_pandas=True)
    return pa.table(columns)


def _run(comparison: Comparison, trials: Path, model: str, windows: list[date]) -> None:
    trials.mkdir(parents=True, exist_ok=True)
    for window in windows:
        plans = comparison.plans_of(window)
        planned = np.unique(np.concatenate([np.zeros(0, np.int64), *(plan.products for plan in plans)]))
        np.save(trials / f"planned-{window}.npy", planned)
    arguments = ["--dataset", comparison.dataset, "--model", model, "--windows", *map(str, windows)]
    run_module("pipeline.benchmarks.stockouts.trial", [*arguments, "--trials", str(trials)], model)


def _in_short(mean: dict[str, float]) -> str:
    shown = {"week_wape": "week WAPE", "bias": "bias", "rmsse": "RMSSE", "pinball_p90": "p90", "A/ap_product": "A AP"}
    return ", ".join(f"{label} {mean[name]:.3f}" for name, label in shown.items() if name in mean)
