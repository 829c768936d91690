"""One method on one fold or window: fitted, ranked and scored in a process of its own.

    python -m pipeline.benchmarks.next_basket.trial --dataset reality-check PATH --model tifu-knn --seed 0 --out FOLDER

Writes FOLDER/rankings.parquet and FOLDER/customers.parquet, then FOLDER/trial.json.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.baselines.next_basket import Ranking
from pipeline.benchmarks.data.catalog import open_dataset
from pipeline.benchmarks.data.folds import Dataset, Fold
from pipeline.benchmarks.next_basket.methods import method_named
from pipeline.benchmarks.next_basket.metrics import WIDTH, customer_scores, reliability_of, scores_of
from pipeline.benchmarks.next_basket.window_methods import window_method
from pipeline.benchmarks.next_basket.windows import WINDOWS, SourceWindows, open_windows
from pipeline.benchmarks.trials import Stopwatch, write_trial

RANKINGS = "rankings.parquet"
CUSTOMERS = "customers.parquet"
PROTOCOLS = ("last-baskets", WINDOWS)


Found = tuple[dict[str, Any], pa.Table, pa.Table]
"""Settings, resources and scores of a trial, its rankings, and the scores of each customer."""


def run(dataset: Dataset, model: str, seed: int) -> Found:
    """Fit a method on a division of the customers, rank and score."""
    fold = dataset.fold(seed)
    method = method_named(model, seed)
    configured = method.settings()
    stopwatch = Stopwatch()
    method.fit(fold.train, fold.validation, fold.histories)
    stopwatch.lap("fit")
    ranking = method.rank(fold.histories, WIDTH)
    stopwatch.lap("rank")
    used = {"configured": configured, "settings": method.settings(), **stopwatch.used()}
    return _found({"model": model, "seed": seed, **used}, ranking, fold, dataset)


def run_window(source: SourceWindows, model: str, window: int) -> Found:
    """Fit a method on what was known on the first morning of a window, rank and score; the window counts as seed."""
    method = window_method(model, 0)
    configured = method.settings()
    with source.morning(window) as morning:
        fold = source.fold(morning)
        stopwatch = Stopwatch()
        method.fit(morning, fold)
        stopwatch.lap("fit")
        ranking = method.rank(morning, fold, WIDTH)
        stopwatch.lap("rank")
        used = {"configured": configured, "settings": method.settings(), **stopwatch.used()}
        used |= {"model": model, "seed": window, "window": morning.day.isoformat()}
        return _found(used, ranking, fold, source)


def _found(used: dict[str, Any], ranking: Ranking, fold: Fold, dataset: Dataset | SourceWindows) -> Found:
    found = {
        **used,
        "customers": {"train": len(fold.train), "validation": len(fold.validation), "test": len(fold.histories)},
        "metrics": scores_of(ranking, fold, ndcg_over_whole_basket=dataset.ndcg_over_whole_basket),
        "reliability": reliability_of(ranking, fold),
    }
    named = fold, dataset, used["model"], used["seed"]
    return found, rankings_table(ranking, *named), customers_table(ranking, *named)


def rankings_table(ranking: Ranking, fold: Fold, dataset: Dataset | SourceWindows, model: str, seed: int) -> pa.Table:
    """One row per customer and ranked product, best first."""
    row, position = np.nonzero(ranking.products)
    names = dataset.product_names[ranking.products[row, position]]
    return pa.table(
        {
            "model": pa.array(np.repeat(model, len(row))).dictionary_encode(),
            "seed": pa.array(np.full(len(row), seed, np.int32)),
            "customer": pa.array(dataset.customer_names[fold.histories.customers[row]], pa.string()),
            "rank": pa.array((position + 1).astype(np.int16)),
            "product": pa.array(names, pa.string()),
            "probability": pa.array(ranking.scores[row, position].astype(np.float32)),
        }
    )


def customers_table(ranking: Ranking, fold: Fold, dataset: Dataset | SourceWindows, model: str, seed: int) -> pa.Table:
    """One row per test customer with its scores."""
    n = len(fold.truth)
    scores = customer_scores(ranking, fold, ndcg_over_whole_basket=dataset.ndcg_over_whole_basket)
    return pa.table(
        {
            "model": pa.array(np.repeat(model, n)).dictionary_encode(),
            "seed": pa.array(np.full(n, seed, np.int32)),
            "customer": pa.array(dataset.customer_names[fold.histories.customers], pa.string()),
            **scores,
        }
    )


def main(argv: list[str] | None = None) -> None:
    """One trial, written to a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dataset", nargs="+", required=True, help="reality-check PATH, tafeng, a source, or windows SOURCE"
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    words, model, seed = arguments.dataset, arguments.model, arguments.seed
    if words[0] == WINDOWS:
        found, rankings, customers = run_window(open_windows(words[1]), model, seed)
    else:
        found, rankings, customers = run(open_dataset(words), model, seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pq.write_table(rankings, arguments.out / RANKINGS)
    pq.write_table(customers, arguments.out / CUSTOMERS)
    write_trial(arguments.out, {"dataset": arguments.dataset} | found)


if __name__ == "__main__":
    main()
