"""One method on one fold: fitted, ranked and scored in a process of its own.

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
from pipeline.benchmarks.trials import Stopwatch, write_trial

RANKINGS = "rankings.parquet"
CUSTOMERS = "customers.parquet"


def run(dataset: Dataset, model: str, seed: int) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    """Fit, rank and score; returns settings, resources and scores, the rankings, and the scores of each customer."""
    fold = dataset.fold(seed)
    method = method_named(model, seed)
    configured = method.settings()
    stopwatch = Stopwatch()
    method.fit(fold.train, fold.validation, fold.histories)
    stopwatch.lap("fit")
    ranking = method.rank(fold.histories, WIDTH)
    stopwatch.lap("rank")
    used = stopwatch.used()
    found = {
        "model": model,
        "seed": seed,
        "customers": {"train": len(fold.train), "validation": len(fold.validation), "test": len(fold.histories)},
        "configured": configured,
        "settings": method.settings(),
        **used,
        "metrics": scores_of(ranking, fold, ndcg_over_whole_basket=dataset.ndcg_over_whole_basket),
        "reliability": reliability_of(ranking, fold),
    }
    return (
        found,
        rankings_table(ranking, fold, dataset, model, seed),
        customers_table(ranking, fold, dataset, model, seed),
    )


def rankings_table(ranking: Ranking, fold: Fold, dataset: Dataset, model: str, seed: int) -> pa.Table:
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


def customers_table(ranking: Ranking, fold: Fold, dataset: Dataset, model: str, seed: int) -> pa.Table:
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
    parser.add_argument("--dataset", nargs="+", required=True, help="reality-check PATH, tafeng, or a source")
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    found, rankings, customers = run(open_dataset(arguments.dataset), arguments.model, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pq.write_table(rankings, arguments.out / RANKINGS)
    pq.write_table(customers, arguments.out / CUSTOMERS)
    write_trial(arguments.out, {"dataset": arguments.dataset} | found)


if __name__ == "__main__":
    main()
