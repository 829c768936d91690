"""Compare methods that predict the rest of a case; each method and seed runs in its own process."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.actions.action_log import remainders
from models.actions.consensus import Remainder, similarity
from models.names import unknown_name
from pipeline.benchmarks.actions.logs import open_log, part_of
from pipeline.benchmarks.actions.methods import Predicted, configured, method_names, predict_with
from pipeline.benchmarks.report.calibration import pooled, reliability
from pipeline.benchmarks.report.report import cell, rows_file, spread
from pipeline.benchmarks.trials import Stopwatch, finished_trial, in_own_process, write_trial
from pipeline.dataset.action_examples import NamedLog
from pipeline.evaluation.actions import rest_metrics, win_metrics

PREDICTED = "predicted.parquet"
_SHOWN = {
    "similarity": "similarity",
    "next_accuracy": "next action",
    "exact": "exact",
    "padded_accuracy": "positions, padding counted",
    "position_accuracy": "positions",
    "win_brier": "Brier score, won",
}
_LONGEST_SHOWN = 6


def compare(
    dataset: str,
    path: Path | None,
    models: Sequence[str],
    seeds: Sequence[int],
    *,
    part: str,
    out: Path,
    say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Run every method with every seed; scores by method. Writes all predictions to `out`/predicted.parquet.

    Trials that `out` holds already are not run again.

    Args:   part: `test`, or `validation`, on which choices are made (`logs.part_of`).
    Raises: ValueError: for an unknown method or part.
    """
    for model in models:
        if model not in method_names(dataset):
            raise ValueError(unknown_name("method", model, method_names(dataset)))
    part_of(open_log(dataset, path), part)
    out.mkdir(parents=True, exist_ok=True)
    trials: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    with rows_file(out / PREDICTED) as add:
        for model in models:
            for seed in seeds:
                folder = out / "trials" / f"{model}_{seed}"
                trial = finished_trial(folder, configured(model, seed), [dataset, part])
                if trial is None:
                    trial = in_own_process(run, dataset, path, model, seed, part=part, folder=folder)
                trials[model].append(trial)
                add(pq.read_table(folder / PREDICTED))
                shown = (f"{name} {trial['scores'][name]:.4f}" for name in ("similarity", "next_accuracy", "exact"))
                say(f"{model}, seed {seed}: {', '.join(shown)}, {trial['seconds']['cpu']:.0f} CPU s")
    return {model: _summary(list(seeds), of_model) for model, of_model in trials.items()}


def run(dataset: str, path: Path | None, model: str, seed: int, *, part: str, folder: Path) -> dict[str, Any]:
    """One method and seed: its scores; writes a folder with them and one row per measured moment."""
    named = part_of(open_log(dataset, path), part)
    stopwatch = Stopwatch()
    found = predict_with(model, named, seed, dataset)
    stopwatch.lap("fit and predict")
    moments = found.examples.held_out
    observed = remainders(named.log, moments)
    trial: dict[str, Any] = {
        "dataset": [dataset, part],
        "configured": configured(model, seed),
        "moments": {"train": len(found.examples.train), part: len(moments)},
        **stopwatch.used(),
        "scores": rest_metrics(found.remainders, observed, found.next_probabilities)
        | win_metrics(found.win_probabilities, named.log.won[moments.rows]),
        "by_length": _by_length(found.remainders, observed, moments.ends),
        "reliability": {},
    }
    if found.next_probabilities is not None:
        best = found.next_probabilities.argmax(axis=1)
        came = best == np.array([rest[0] for rest in observed])
        trial["reliability"] = {"next action": reliability(found.next_probabilities.max(axis=1), came)}
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows_of(found, named, observed, model, seed), folder / PREDICTED)
    write_trial(folder, trial)
    return trial


def rows_of(found: Predicted, named: NamedLog, observed: list[Remainder], model: str, seed: int) -> pa.Table:
    """One row per test moment with both rests, from which every score can be computed again."""
    moments = found.examples.held_out
    names = ("", "unknown", "end", *named.action_names)
    n = len(moments)
    best = np.zeros(n) if found.next_probabilities is None else found.next_probabilities.max(axis=1)
    return pa.table(
        {
            "model": pa.array([model] * n).dictionary_encode(),
            "seed": np.full(n, seed, np.int32),
            "case": pa.array(named.case_ids[moments.rows].tolist(), pa.string()),
            "actions_done": moments.ends.astype(np.int32),
            "predicted": pa.array([[names[action] for action in rest] for rest in found.remainders]),
            "observed": pa.array([[names[action] for action in rest] for rest in observed]),
            "next_probability": best.astype(np.float64),
        }
    )


def table(result: dict[str, Any]) -> str:
    """Mean and standard deviation over seeds, as Markdown, and similarity by the number of actions done."""
    lines = ["| method | " + " | ".join(_SHOWN.values()) + " | CPU s | peak MB |", "|---" * (len(_SHOWN) + 3) + "|"]
    for model, summary in result["models"].items():
        cells = [cell(summary["scores"].get(name)) for name in _SHOWN]
        spent = (summary["seconds"]["cpu"], summary["peak_mb"])
        lines.append(f"| {model} | " + " | ".join(cells + [f"{figure['mean']:.0f}" for figure in spent]) + " |")
    lengths = sorted({int(length) for summary in result["models"].values() for length in summary["by_length"]})
    lengths = lengths[:_LONGEST_SHOWN]
    lines += ["", "| similarity after | " + " | ".join(f"{each} actions" for each in lengths) + " |"]
    lines.append("|---" * (len(lengths) + 1) + "|")
    for model, summary in result["models"].items():
        cells = [cell(summary["by_length"].get(str(each))) for each in lengths]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _by_length(predicted: list[Remainder], observed: list[Remainder], ends: np.ndarray) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for rest, true, end in zip(predicted, observed, ends.tolist(), strict=True):
        found[str(end)].append(similarity(rest, true))
    return {length: float(np.mean(values)) for length, values in found.items()}


def _summary(seeds: list[int], trials: list[dict[str, Any]]) -> dict[str, Any]:
    first = trials[0]
    return {
        "seeds": seeds,
        "settings": first["configured"],
        "moments": first["moments"],
        "scores": {name: spread([trial["scores"][name] for trial in trials]) for name in first["scores"]},
        "by_length": {name: spread([trial["by_length"][name] for trial in trials]) for name in first["by_length"]},
        "seconds": {name: spread([trial["seconds"][name] for trial in trials], 1) for name in first["seconds"]},
        "peak_mb": spread([trial["peak_mb"] for trial in trials], 0),
        "reliability": {
            what: pooled([trial["reliability"][what] for trial in trials]) for what in first["reliability"]
        },
    }
