"""Forecasts of some windows by one method, in a process of its own.

    python -m pipeline.benchmarks.stockouts.trial --dataset tafeng --model imapa \
        --windows 2001-02-01 --trials FOLDER

For each window writes FOLDER/imapa-2001-02-01/forecast.npz, then trial.json.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.demand.forecast import DemandForecast
from pipeline.benchmarks.data.daily_sales import DailySales, read_source, read_tafeng
from pipeline.benchmarks.data.tafeng_lines import fetched_file
from pipeline.benchmarks.stockouts.methods import Forecast, demand_method
from pipeline.benchmarks.trials import Stopwatch, write_trial
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace

FORECAST = "forecast.npz"


def scored_products(sales: DailySales, cutoff: int, planned: NDArray[np.int64]) -> NDArray[np.int64]:
    """Products that a slow method has to forecast: the top ones and those of the plans, in order."""
    return np.union1d(sales.top(cutoff), planned)


def read_sales(dataset: str) -> DailySales:
    """Ta-Feng, or the sales that the source of that name or description ingested.

    Raises: FileNotFoundError: where Ta-Feng was not fetched; SourceError, LakeError: where there is no such source, or
        it has not been ingested.
    """
    if dataset == "tafeng":
        return read_tafeng(fetched_file())
    return read_source(Workspace.of(Settings(), load_source(dataset).name).lake)


def run(
    dataset: str, sales: DailySales, model: str, window: date, planned: NDArray[np.int64]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Forecast one window; returns settings and resources, and the arrays of the forecast."""
    method, cutoff = demand_method(model), sales.day(window)
    products = np.arange(len(sales.units)) if method.all_products else scored_products(sales, cutoff, planned)
    stopwatch = Stopwatch()
    forecast = method.forecast(sales, cutoff, products)
    stopwatch.lap("forecast")
    found = {
        "dataset": [dataset],
        "model": model,
        "window": window.isoformat(),
        "configured": method.settings,
        "products": len(products),
        **stopwatch.used(),
    }
    return found, {"products": products} | _arrays(forecast)


def read_forecast(folder: Path) -> tuple[NDArray[np.int64], Forecast]:
    """Products and forecast of a finished trial."""
    with np.load(folder / FORECAST, allow_pickle=False) as stored:
        if "variance" not in stored:
            return stored["products"], stored["mean"]
        forecast = DemandForecast(stored["mean"], stored["variance"], stored["cumulative_variance"])
        return stored["products"], forecast


def _arrays(forecast: Forecast) -> dict[str, Any]:
    if isinstance(forecast, np.ndarray):
        return {"mean": forecast}
    return {name: getattr(forecast, name) for name in ("mean", "variance", "cumulative_variance")}


def main(argv: list[str] | None = None) -> None:
    """One trial, written to a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="tafeng, or a source that was ingested")
    parser.add_argument("--model", required=True)
    parser.add_argument("--windows", type=date.fromisoformat, nargs="+", required=True, help="first test days")
    parser.add_argument("--trials", type=Path, required=True, help="holds planned-DAY.npy, products of the plans")
    arguments = parser.parse_args(argv)
    sales = read_sales(arguments.dataset)
    for window in arguments.windows:
        planned = np.load(arguments.trials / f"planned-{window}.npy", allow_pickle=False)
        found, arrays = run(arguments.dataset, sales, arguments.model, window, planned)
        folder = arguments.trials / f"{arguments.model}-{window}"
        folder.mkdir(exist_ok=True)
        np.savez_compressed(folder / FORECAST, **arrays)
        write_trial(folder, found)


if __name__ == "__main__":
    main()
