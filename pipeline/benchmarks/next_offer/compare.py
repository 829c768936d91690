"""Compare methods that predict the next offer and when; each method and seed runs in its own process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.benchmarks.next_offer.methods import offer_method
from pipeline.benchmarks.next_offer.metrics import offer_scores
from pipeline.benchmarks.next_offer.problems import END_DAY, READINGS, TEST_DAY, VALIDATION_DAY, Problem, open_problem
from pipeline.benchmarks.report.report import cell, rows_file, spread
from pipeline.benchmarks.trials import Stopwatch, finished_trial, in_own_process, write_trial
from pipeline.dataset.offer_examples import OfferCases, buckets_of

PREDICTED = "predicted.parquet"
PARTS = {"validation": (VALIDATION_DAY, TEST_DAY), "test": (TEST_DAY, END_DAY)}
_TOP = 5
_SHOWN = {
    "acc@1": "acc@1",
    "acc@3": "acc@3",
    "acc@5": "acc@5",
    "gap_acc": "gap acc",
    "gap_f1": "gap F1",
    "joint": "joint",
    "log_loss_offer": "log loss, offer",
    "log_loss_gap": "log loss, gap",
    "ece_offer": "ECE, offer",
    "ece_gap": "ECE, gap",
}


def compare(
    file: Path,
    models: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    reading: str,
    part: str,
    say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Run every method with every seed; scores by method. Writes all predictions to `out`/predicted.parquet.

    Trials that `out` holds already are not run again.

    Args:   reading: of READINGS; part: of PARTS, the cases that are measured; training uses all cases before them.
    Raises: ValueError: for an unknown method, reading or part.
    """
    for what, name, known in (("reading", reading, READINGS), ("part", part, tuple(PARTS))):
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    for model in models:
        offer_method(model, 0)
    out.mkdir(parents=True, exist_ok=True)
    dataset = [reading, part]
    trials: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    with rows_file(out / PREDICTED) as add:
        for model in models:
            for seed in seeds:
                folder = out / "trials" / f"{model}_{seed}"
                trial = finished_trial(folder, offer_method(model, seed).settings(), dataset)
                if trial is None:
                    trial = in_own_process(run, file, model, seed, reading=reading, part=part, folder=folder)
                trials[model].append(trial)
                add(pq.read_table(folder / PREDICTED))
                say(f"{model}, seed {seed}: " + ", ".join(f"{k} {v:.4f}" for k, v in trial["scores"].items()))
    return {model: _summary(list(seeds), of_model) for model, of_model in trials.items()}


def run(file: Path, model: str, seed: int, *, reading: str, part: str, folder: Path) -> dict[str, Any]:
    """One method and seed: its scores; writes a folder with them and one row per case that is measured."""
    problem = open_problem(file, reading)
    pasts, (first, end) = problem.pasts(), PARTS[part]
    cases = problem.cases(first, end)
    method = offer_method(model, seed)
    stopwatch = Stopwatch()
    method.fit(problem, pasts, first)
    stopwatch.lap("fit")
    joint = method.predict(cases.rows)
    stopwatch.lap("predict")
    trial: dict[str, Any] = {
        "dataset": [reading, part],
        "configured": method.settings(),
        "cases": {"train": len(problem.cases(0, first)), part: len(cases)},
        "edges": problem.edges,
        **stopwatch.used(),
        "scores": offer_scores(joint, cases.offers, buckets_of(cases.days, np.array(problem.edges))),
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(_rows(problem, cases, joint, model, seed), folder / PREDICTED)
    write_trial(folder, trial)
    return trial


def table(result: dict[str, Any]) -> str:
    """Mean and standard deviation over seeds, as Markdown."""
    lines = [
        "| method | " + " | ".join(_SHOWN.values()) + " | fit s | peak MB |",
        "|---" * (len(_SHOWN) + 3) + "|",
    ]
    for model, summary in result["models"].items():
        cells = [cell(summary["scores"].get(name)) for name in _SHOWN]
        spent = (summary["seconds"]["fit"], summary["peak_mb"])
        lines.append(f"| {model} | " + " | ".join(cells + [f"{figure['mean']:.0f}" for figure in spent]) + " |")
    return "\n".join(lines) + "\n"


def _rows(problem: Problem, cases: OfferCases, joint: np.ndarray, model: str, seed: int) -> pa.Table:
    """One row per case: what came, the most probable offers, and the probabilities from which scores follow."""
    names = np.array(["", "", "", *problem.names], object)
    of_offer = joint.sum(axis=2)
    best = np.argsort(-of_offer, axis=1, kind="stable")[:, :_TOP]
    events, n = problem.events, len(cases)
    probabilities = np.take_along_axis(of_offer, best, axis=1).astype(np.float32)
    buckets = joint.sum(axis=1).astype(np.float32)
    return pa.table(
        {
            "model": pa.array([model] * n).dictionary_encode(),
            "seed": np.full(n, seed, np.int32),
            "customer": pa.array(problem.customers[events.customers[cases.rows]].tolist(), pa.string()),
            "begun_on": events.days[cases.rows].astype("datetime64[D]"),
            "days": cases.days,
            "offer": pa.array(names[cases.offers].tolist(), pa.string()),
            "predicted_offers": pa.FixedSizeListArray.from_arrays(
                pa.array(names[best].ravel().tolist(), pa.string()), _TOP
            ),
            "probabilities": pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), _TOP),
            "probability_of_offer": of_offer[np.arange(n), cases.offers].astype(np.float32),
            "bucket_probabilities": pa.FixedSizeListArray.from_arrays(pa.array(buckets.ravel()), buckets.shape[1]),
        }
    )


def _summary(seeds: list[int], trials: list[dict[str, Any]]) -> dict[str, Any]:
    first = trials[0]
    return {
        "seeds": seeds,
        "settings": first["configured"],
        "cases": first["cases"],
        "edges": first["edges"],
        "scores": {name: spread([trial["scores"][name] for trial in trials]) for name in first["scores"]},
        "seconds": {name: spread([trial["seconds"][name] for trial in trials], 1) for name in first["seconds"]},
        "peak_mb": spread([trial["peak_mb"] for trial in trials], 0),
    }
