"""Compare methods that predict which order lines come back; each method and seed runs in its own process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import expit

from pipeline.benchmarks.report.report import cell, rows_file, spread
from pipeline.benchmarks.returns.methods import return_method
from pipeline.benchmarks.returns.metrics import return_scores
from pipeline.benchmarks.returns.problems import PARTS, Problem, open_problem
from pipeline.benchmarks.trials import Stopwatch, finished_trial, in_own_process, write_trial

PREDICTED = "predicted.parquet"
_SHOWN = {
    "auc": "AUC",
    "ap": "AP",
    "auc_without": "AUC, one customer left out",
    "ap_without": "AP",
    "log_loss": "log loss",
    "bias": "bias",
    "ece": "ECE",
    "value_in_first_percent": "returned value in first 1 %",
}


def compare(
    dataset: str,
    path: Path | None,
    models: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    part: str,
    say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Run every method with every seed; scores by method. Writes all predictions to `out`/predicted.parquet.

    Trials that `out` holds already are not run again.

    Args:   dataset, path: see `open_problem`; part: of PARTS.
    Raises: ValueError: for an unknown method or part.
    """
    if part not in PARTS:
        raise ValueError(f"unknown part {part!r}; known: {', '.join(PARTS)}")
    for model in models:
        return_method(model, 0)
    out.mkdir(parents=True, exist_ok=True)
    about = [Path(dataset).name, "" if path is None else path.name, part]
    trials: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    with rows_file(out / PREDICTED) as add:
        for model in models:
            for seed in seeds:
                folder = out / "trials" / f"{model}_{seed}"
                trial = finished_trial(folder, return_method(model, seed).settings(), about)
                if trial is None:
                    trial = in_own_process(run, dataset, path, model, seed, part=part, about=about, folder=folder)
                trials[model].append(trial)
                add(pq.read_table(folder / PREDICTED))
                say(f"{model}, seed {seed}: " + ", ".join(f"{k} {v:.4f}" for k, v in trial["scores"].items()))
    return {model: _summary(list(seeds), of_model) for model, of_model in trials.items()}


def run(
    dataset: str, path: Path | None, model: str, seed: int, *, part: str, about: list[str], folder: Path
) -> dict[str, Any]:
    """One method and seed: its scores; writes a folder with them and one row per line that is measured."""
    problem = open_problem(dataset, path)
    train, measured = problem.train_rows(part), problem.measured_rows(part)
    method = return_method(model, seed)
    stopwatch = Stopwatch()
    probabilities = expit(method.fit_predict(problem, train, measured))
    stopwatch.lap("fit and predict")
    returned = problem.returned
    trial: dict[str, Any] = {
        "dataset": about,
        "configured": method.settings(),
        "lines": {"train": len(train), "measured": len(measured)},
        "returned": {"train": int(returned[train].sum()), "measured": int(returned[measured].sum())},
        **stopwatch.used(),
        "scores": return_scores(
            probabilities, returned[measured], problem.lines.cents[measured], _customers(problem, measured)
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(_rows(problem, measured, probabilities, model, seed), folder / PREDICTED)
    write_trial(folder, trial)
    return trial


def table(result: dict[str, Any]) -> str:
    """Mean and standard deviation over seeds, as Markdown."""
    titles = [*_SHOWN.values(), *(f"{title}, 90 % of customers drawn anew" for title in ("AUC", "AP"))]
    lines = ["| method | " + " | ".join(titles) + " | seconds | peak MB |", "|---" * (len(titles) + 3) + "|"]
    for model, summary in result["models"].items():
        cells = [cell(summary["scores"].get(name)) for name in _SHOWN]
        cells += [_interval(summary["scores"], name) for name in ("auc", "ap")]
        spent = (summary["seconds"]["fit and predict"], summary["peak_mb"])
        lines.append(f"| {model} | " + " | ".join(cells + [f"{figure['mean']:.0f}" for figure in spent]) + " |")
    return "\n".join(lines) + "\n"


def _interval(scores: dict[str, Any], name: str) -> str:
    """Ends of an interval; empty where it was not measured."""
    ends = [scores.get(f"{name}_{end}") for end in ("low", "high")]
    return " to ".join(f"{end['mean']:.3f}" for end in ends if end is not None)


def _customers(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """Customer of each line, numbered from 0 on."""
    customer = problem.lines.order_customers[problem.lines.orders[rows]]
    numbered: np.ndarray = np.unique(customer, return_inverse=True)[1]
    return numbered


def _rows(problem: Problem, rows: np.ndarray, probabilities: np.ndarray, model: str, seed: int) -> pa.Table:
    """One row per line: what it is, what was predicted, and whether it came back."""
    lines, n = problem.lines, len(rows)
    order = lines.orders[rows]
    return pa.table(
        {
            "model": pa.array([model] * n).dictionary_encode(),
            "seed": np.full(n, seed, np.int32),
            "customer": pa.array(lines.customers[lines.order_customers[order]].tolist(), pa.string()),
            "order": pa.array(lines.keys[order].tolist(), pa.string()),
            "product": pa.array(lines.products[lines.items[rows]].tolist(), pa.string()),
            "sold_on": lines.days[order].astype("datetime64[D]"),
            "units": lines.units[rows],
            "amount_cents": lines.cents[rows],
            "returned": problem.returned[rows],
            "probability": probabilities,
        }
    )


def _summary(seeds: list[int], trials: list[dict[str, Any]]) -> dict[str, Any]:
    first = trials[0]
    return {
        "seeds": seeds,
        "settings": first["configured"],
        "lines": first["lines"],
        "returned": first["returned"],
        "scores": {name: spread([trial["scores"][name] for trial in trials]) for name in first["scores"]},
        "seconds": {name: spread([trial["seconds"][name] for trial in trials], 1) for name in first["seconds"]},
        "peak_mb": spread([trial["peak_mb"] for trial in trials], 0),
    }
