"""Compare next-basket methods on one data set: a trial per method and seed, then one table of all.

A trial whose method is configured differently today is made again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.benchmarks.next_basket.methods import method_named
from pipeline.benchmarks.next_basket.metrics import PAIRED
from pipeline.benchmarks.next_basket.trial import CUSTOMERS, RANKINGS
from pipeline.benchmarks.next_basket.window_methods import window_method
from pipeline.benchmarks.next_basket.windows import WINDOWS
from pipeline.benchmarks.report.calibration import expected_calibration_error, pooled
from pipeline.benchmarks.report.report import cell, rows_file, spread
from pipeline.benchmarks.subprocesses import run_module
from pipeline.benchmarks.trials import finished_trial, read_trial


def compare(
    dataset: Sequence[str], models: Sequence[str], seeds: Sequence[int], out: Path, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Run the trials that are missing under `out`; returns all trials of these methods and seeds.

    Raises: ValueError: for an unknown method, or where `out` holds another data set's trials;
            RuntimeError: where a trial fails, with the end of its error output.
    """
    named = window_method if dataset[0] == WINDOWS else method_named
    configured = {model: named(model, 0).settings() for model in models}
    trials = []
    for seed in seeds:
        for model in models:
            folder = out / "trials" / f"{model}-{seed}"
            trial = finished_trial(folder, configured[model], list(dataset))
            if trial is None or not (folder / CUSTOMERS).is_file():
                say(f"{model}, seed {seed} ...")
                _run(folder, dataset, model, seed)
                trial = read_trial(folder)
            metrics, seconds = trial["metrics"], trial["seconds"]
            say(
                f"{model}, seed {seed}: recall@10 {metrics['recall@10']:.4f}, ndcg@10 {metrics['ndcg@10']:.4f}, "
                f"hit ratio@10 {metrics['hit_ratio@10']:.4f}, {seconds['fit'] + seconds['rank']:.0f} s"
            )
            trials.append(trial)
    return trials


def summary(trials: list[dict[str, Any]], out: Path) -> dict[str, Any]:
    """Customers, and the scores of each method over its seeds. Writes rankings.parquet and customers.parquet."""
    models = list(dict.fromkeys(trial["model"] for trial in trials))
    folders = [out / "trials" / f"{trial['model']}-{trial['seed']}" for trial in trials]
    for file in (RANKINGS, CUSTOMERS):
        with rows_file(out / file) as add:
            for folder in folders:
                add(pq.read_table(folder / file))
    return {
        "customers": trials[0]["customers"],
        "paired": {"with": models[0], "differences": paired_differences(pq.read_table(out / CUSTOMERS))},
        "models": {model: _summary([trial for trial in trials if trial["model"] == model]) for model in models},
    }


def paired_differences(customers: pa.Table) -> dict[str, dict[str, dict[str, float]]]:
    """What the first method is ahead of each other one, on the same customers and seeds, with its standard error.

    A customer who is tested by several seeds counts once in the error: the differences of a customer are summed before
    they are squared (a sandwich estimate with customers as clusters).

    Args:    customers: columns model, seed, customer and PAIRED.
    Returns: by method and metric, `mean` and `standard_error`.
    """
    frame = customers.to_pandas()
    models = list(dict.fromkeys(frame["model"]))
    keyed = {model: frame[frame["model"] == model].set_index(["seed", "customer"])[list(PAIRED)] for model in models}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for model in models[1:]:
        difference = (keyed[models[0]] - keyed[model]).dropna()
        found[model] = {}
        for name in PAIRED:
            mean = float(difference[name].mean())
            by_customer = (difference[name] - mean).groupby(level="customer").sum()
            error = float(np.sqrt((by_customer**2).sum()) / len(difference))
            found[model][name] = {"mean": round(mean, 5), "standard_error": round(error, 5)}
    return found


def table(scores: dict[str, Any]) -> str:
    """The metrics that are usually compared, mean and standard deviation over seeds, as Markdown."""
    shown = {
        "recall@10": "R@10",
        "ndcg@10": "nDCG@10",
        "hit_ratio@10": "hit@10",
        "precision@10": "P@10",
        "recall@20": "R@20",
        "ndcg@20": "nDCG@20",
        "hit_ratio@20": "hit@20",
        "precision@1": "P@1",
        "recall@1-10": "R avg",
        "precision@1-10": "P avg",
        "f1_of_means@1-10": "F1 of avgs",
        "f1@basket": "F1 basket",
        "repeat_recall@10": "repeat R@10",
        "explore_recall@10": "explore R@10",
    }
    lines = [
        "| method | "
        + " | ".join(shown.values())
        + " | calibration error | error of units | fit s | rank s | peak MB |",
        "|---" * (len(shown) + 6) + "|",
    ]
    for model, summary in scores["models"].items():
        cells = [cell(summary["metrics"].get(name)) for name in shown]
        spent = (summary["seconds"]["fit"], summary["seconds"]["rank"], summary["peak_mb"])
        cells += [cell(summary["calibration_error"].get(what)) for what in ("products", "units")]
        cells += [f"{figure['mean']:.0f}" for figure in spent]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    if differences := scores.get("paired", {}).get("differences"):
        ahead = f"{scores['paired']['with']} ahead of"
        lines += ["", f"| {ahead} | " + " | ".join(shown[name] for name in PAIRED) + " |"]
        lines.append("|---" * (len(PAIRED) + 1) + "|")
        for model, of in differences.items():
            cells = [f"{of[name]['mean']:+.4f} ± {of[name]['standard_error']:.4f}" for name in PAIRED]
            lines.append(f"| {model} | " + " | ".join(cells) + " |")
        lines += ["", "Differences on the same customers, ± standard error over customers."]
    return "\n".join(lines) + "\n"


def _summary(trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over one method's trials."""
    names = dict.fromkeys(name for trial in trials for name in trial["metrics"])
    reliability = {what: [trial["reliability"][what] for trial in trials] for what in trials[0]["reliability"]}
    return {
        "seeds": [trial["seed"] for trial in trials],
        "settings": trials[0]["settings"],
        "metrics": {name: spread([trial["metrics"][name] for trial in trials]) for name in names},
        "calibration_error": {
            what: spread([expected_calibration_error(bins) for bins in each]) for what, each in reliability.items()
        },
        "reliability": {what: pooled(each) for what, each in reliability.items()},
        "seconds": {name: spread([trial["seconds"][name] for trial in trials], 1) for name in ("fit", "rank", "cpu")},
        "peak_mb": spread([trial["peak_mb"] for trial in trials], 0),
    }


def _run(folder: Path, dataset: Sequence[str], model: str, seed: int) -> None:
    arguments = ["--model", model, "--seed", str(seed), "--out", str(folder), "--dataset", *dataset]
    run_module("pipeline.benchmarks.next_basket.trial", arguments, f"{model}, seed {seed}")
