"""Compare who predicts days until the next basket, each method and seed in a process of its own."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.benchmarks.data.tafeng import TaFeng
from pipeline.benchmarks.report.calibration import pooled, reliability
from pipeline.benchmarks.report.report import cell, rows_file, spread, write_results
from pipeline.benchmarks.time_to_next.gaps import Gaps, learned_and_tested
from pipeline.benchmarks.time_to_next.methods import gap_method
from pipeline.benchmarks.time_to_next.metrics import WEEK, gap_scores
from pipeline.benchmarks.time_to_next.predictions import DAYS, Predicted

FORETOLD = "predicted.parquet"
_MEGABYTE = 1024.0  # kilobytes
_SHOWN = {
    "mae_days": "MAE of gaps that ended, days",
    "concordance": "concordance",
    "ibs": "Brier score, 28 days",
    "ece_week": "calibration error, P(7 days)",
}


def compare(
    file: Path, models: Sequence[str], seeds: Sequence[int], out: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Scores of each method over the seeds; what each predicted goes to `out`.

    Raises: ValueError: for an unknown method.
    """
    for model in models:
        gap_method(model, 0)
    out.mkdir(parents=True, exist_ok=True)
    trials: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    context = multiprocessing.get_context("spawn")
    with rows_file(out / FORETOLD) as add:
        for model in models:
            for seed in seeds:
                with ProcessPoolExecutor(1, mp_context=context) as alone:
                    trial, rows = alone.submit(run, file, model, seed).result()
                trials[model].append(trial)
                add(rows)
                shown = (f"{name} {value:.4f}" for name, value in trial["scores"].items())
                say(f"{model}, seed {seed}: {', '.join(shown)}")
    return {model: _summary(list(seeds), of_model) for model, of_model in trials.items()}


def run(file: Path, model: str, seed: int) -> tuple[dict[str, Any], pa.Table]:
    """One method and seed: what was found, and a row per gap of the test."""
    dataset = TaFeng(file, min_baskets=1)
    learned, chosen_by, tested = learned_and_tested(dataset.sequences)
    method = gap_method(model, seed)
    clock, spent = time.monotonic(), time.process_time()
    method.fit(learned, chosen_by)
    fitted = time.monotonic()
    predicted = method.predict(tested)
    trial = {
        "settings": method.settings(),
        "gaps": {"learned": len(learned), "chosen_by": len(chosen_by), "tested": len(tested)},
        "seconds": {
            "fit": fitted - clock,
            "predict": time.monotonic() - fitted,
            "cpu": time.process_time() - spent,
        },
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE,
        "scores": gap_scores(predicted, tested),
        "reliability": {},
    }
    if predicted.survival is not None:
        came = tested.observed & (tested.days <= WEEK)
        trial["reliability"] = {"week": reliability(1.0 - predicted.survival[:, WEEK - 1], came)}
    customers = dataset.customer_names[tested.histories.ids[tested.funnels].astype(np.int64)]
    return trial, rows_of(predicted, tested, customers, model, seed)


def rows_of(predicted: Predicted, gaps: Gaps, customers: np.ndarray, model: str, seed: int) -> pa.Table:
    """Everything by which anyone can score again."""
    survival = np.full((len(gaps), len(DAYS)), np.nan) if predicted.survival is None else predicted.survival
    return pa.table(
        {
            "model": pa.array([model] * len(gaps)).dictionary_encode(),
            "seed": np.full(len(gaps), seed, np.int32),
            "customer": pa.array(customers.tolist(), pa.string()),
            "begun_on": gaps.begun_on,
            "days": gaps.days,
            "is_observed": gaps.observed,
            "predicted_days": predicted.days,
            "survival": pa.FixedSizeListArray.from_arrays(pa.array(survival.astype(np.float32).ravel()), len(DAYS)),
        }
    )


def write(scores: dict[str, dict[str, Any]], out: Path, described: dict[str, Any]) -> str:
    """Write scores.json and the Markdown table made from it; returns the table."""
    result = described | {"models": scores}
    return write_results(out, result, table(result))


def table(result: dict[str, Any]) -> str:
    """Mean and standard deviation over seeds, as Markdown."""
    lines = [
        "| method | " + " | ".join(_SHOWN.values()) + " | fit s | predict s | peak MB |",
        "|---" * (len(_SHOWN) + 4) + "|",
    ]
    for model, summary in result["models"].items():
        cells = [cell(summary["scores"].get(name)) for name in _SHOWN]
        spent = (summary["seconds"]["fit"], summary["seconds"]["predict"], summary["peak_mb"])
        lines.append(f"| {model} | " + " | ".join(cells + [f"{figure['mean']:.0f}" for figure in spent]) + " |")
    return "\n".join(lines) + "\n"


def _summary(seeds: list[int], trials: list[dict[str, Any]]) -> dict[str, Any]:
    first = trials[0]
    return {
        "seeds": seeds,
        "settings": first["settings"],
        "gaps": first["gaps"],
        "scores": {name: spread([trial["scores"][name] for trial in trials]) for name in first["scores"]},
        "seconds": {name: spread([trial["seconds"][name] for trial in trials], 1) for name in first["seconds"]},
        "peak_mb": spread([trial["peak_mb"] for trial in trials], 0),
        "reliability": {
            what: pooled([trial["reliability"][what] for trial in trials]) for what in first["reliability"]
        },
    }
