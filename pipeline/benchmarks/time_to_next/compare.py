"""Compare methods that predict the days until the next basket; each method and seed runs in its own process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.benchmarks.data.tafeng import TaFeng
from pipeline.benchmarks.report.calibration import pooled, reliability
from pipeline.benchmarks.report.report import cell, rows_file, spread
from pipeline.benchmarks.time_to_next.gaps import Gaps, train_validation_test
from pipeline.benchmarks.time_to_next.methods import gap_method
from pipeline.benchmarks.time_to_next.metrics import WEEK, gap_scores
from pipeline.benchmarks.time_to_next.predictions import DAYS, GapPrediction
from pipeline.benchmarks.trials import Stopwatch, in_own_process

PREDICTED = "predicted.parquet"
_SHOWN = {
    "mae_days": "MAE of gaps that ended, days",
    "concordance": "concordance",
    "ibs": "Brier score, 28 days",
    "ece_week": "calibration error, P(7 days)",
}


def compare(
    file: Path, models: Sequence[str], seeds: Sequence[int], out: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Run every method with every seed; scores by method. Writes all predictions to `out`/predicted.parquet.

    Raises: ValueError: for an unknown method.
    """
    for model in models:
        gap_method(model, 0)
    out.mkdir(parents=True, exist_ok=True)
    trials: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    with rows_file(out / PREDICTED) as add:
        for model in models:
            for seed in seeds:
                trial, rows = in_own_process(run, file, model, seed)
                trials[model].append(trial)
                add(rows)
                shown = (f"{name} {value:.4f}" for name, value in trial["scores"].items())
                say(f"{model}, seed {seed}: {', '.join(shown)}")
    return {model: _summary(list(seeds), of_model) for model, of_model in trials.items()}


def run(file: Path, model: str, seed: int) -> tuple[dict[str, Any], pa.Table]:
    """One method and seed: its scores, and one row per test gap."""
    dataset = TaFeng(file, min_baskets=1)
    train, validation, test = train_validation_test(dataset.sequences)
    method = gap_method(model, seed)
    stopwatch = Stopwatch()
    method.fit(train, validation)
    stopwatch.lap("fit")
    predicted = method.predict(test)
    stopwatch.lap("predict")
    trial: dict[str, Any] = {
        "settings": method.settings(),
        "gaps": {"train": len(train), "validation": len(validation), "test": len(test)},
        **stopwatch.used(),
        "scores": gap_scores(predicted, test),
        "reliability": {},
    }
    if predicted.survival is not None:
        came = test.observed & (test.days <= WEEK)
        trial["reliability"] = {"week": reliability(1.0 - predicted.survival[:, WEEK - 1], came)}
    customers = dataset.customer_names[test.histories.ids[test.funnels].astype(np.int64)]
    return trial, rows_of(predicted, test, customers, model, seed)


def rows_of(predicted: GapPrediction, gaps: Gaps, customers: np.ndarray, model: str, seed: int) -> pa.Table:
    """One row per gap with the prediction and the outcome, from which every score can be computed again."""
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
