"""Compare methods of customer value; each method and seed runs in its own process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.customer_value.kinds import COMBINATIONS
from models.customer_value.methods import METHODS, Expected, ValueMethod
from models.customer_value.metrics import value_scores
from models.customer_value.value_model import ValueModel
from models.names import unknown_name
from pipeline.benchmarks.report.report import rows_file, spread
from pipeline.benchmarks.trials import Stopwatch, finished_trial, in_own_process, write_trial
from pipeline.benchmarks.value.data import ValueProblem, open_problem
from pipeline.benchmarks.value.network import NetworkValue

PREDICTED = "predicted.parquet"
ALONE: dict[str, Callable[[int], ValueMethod]] = METHODS | {
    "network_rfm": lambda seed: NetworkValue(seed, reads_events=False),
    "network": NetworkValue,
}
"""Methods at their own level."""
SEEDLESS = frozenset({"own_rate", "past_spend", "bg_nbd", "mbg_nbd"})
"""Closed forms, which are fitted once."""
CHOSEN = "larder"
"""What the nightly task would take: chosen among COMBINATIONS on the horizon before, with its level and its band."""
_SHOWN = {
    "spend_gini": "Gini, spend",
    "spend_top_decile": "top decile",
    "spend_mae": "MAE, spend",
    "spend_bias": "bias, spend",
    "coverage": "in the 80 % band",
    "baskets_mae": "MAE, baskets",
    "baskets_bias": "bias, baskets",
    "baskets_rank_correlation": "rank corr., baskets",
}


def method_names() -> list[str]:
    """All of them: methods alone at their own level, and models as the nightly task makes them."""
    return [*ALONE, *(f"{CHOSEN}:{name}" for name in COMBINATIONS), CHOSEN]


def compare(
    dataset: str,
    path: Path | None,
    models: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    part: str,
    horizon: int | None,
    say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Run every method with every seed; scores by method. Writes one row per customer to `out`/predicted.parquet.

    Trials that `out` holds already are not run again.

    Raises: ValueError: for an unknown method, part or data set.
    """
    for model in models:
        if model not in method_names():
            raise ValueError(unknown_name("method", model, method_names()))
    described = [dataset, part, *([str(horizon)] if horizon else [])]
    out.mkdir(parents=True, exist_ok=True)
    trials: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    with rows_file(out / PREDICTED) as add:
        for model in models:
            for seed in seeds[:1] if model in SEEDLESS else seeds:
                folder = out / "trials" / f"{model.replace(':', '_')}_{seed}"
                trial = finished_trial(folder, {"method": model}, described)
                if trial is None:
                    trial = in_own_process(
                        run, dataset, path, model, seed, part=part, horizon=horizon, folder=folder, described=described
                    )
                trials[model].append(trial)
                add(pq.read_table(folder / PREDICTED))
                say(f"{model}, seed {seed}: " + ", ".join(f"{k} {v:.4f}" for k, v in trial["scores"].items()))
    return {model: _summary(list(seeds[: len(of_model)]), of_model) for model, of_model in trials.items()}


def run(
    dataset: str,
    path: Path | None,
    model: str,
    seed: int,
    *,
    part: str,
    horizon: int | None,
    folder: Path,
    described: list[str],
) -> dict[str, Any]:
    """One method and seed: its scores; writes a folder with them and one row per customer."""
    problem = open_problem(dataset, path, part, horizon)
    stopwatch = Stopwatch()
    chosen, expected, band = predicted(problem, model, seed)
    stopwatch.lap("fit and predict")
    rows = problem.purchases.known(problem.cutoff)
    observed = problem.purchases.totals(problem.cutoff, problem.cutoff + problem.horizon)
    pair = (observed[0][rows], np.maximum(observed[1][rows], 0.0))
    trial: dict[str, Any] = {
        "dataset": described,
        "configured": {"method": model},
        "chosen": chosen,
        "customers": len(rows),
        **stopwatch.used(),
        "scores": value_scores(expected, pair, band),
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(_rows(problem.customers[rows], expected, pair, band, model=model, seed=seed), folder / PREDICTED)
    write_trial(folder, trial)
    return trial


def predicted(problem: ValueProblem, model: str, seed: int) -> tuple[str, Expected, Expected | None]:
    """Which combination or method it is, baskets and spend of each known customer, and the band where it has one."""
    known = problem.purchases.before(problem.cutoff)
    kind, _, name = model.partition(":")
    if kind == CHOSEN:
        names = (name,) if name else tuple(COMBINATIONS)
        fitted = ValueModel.fitted(known, problem.cutoff, problem.horizon, names, seed=seed)
        _, expected, band = fitted.predict(known, problem.cutoff)
        return fitted.name, expected, band
    method = ALONE[model](seed)
    method.fit(known, problem.cutoff, problem.horizon)
    return model, method.predict(known, problem.cutoff, known.known(problem.cutoff)), None


def table(result: dict[str, Any]) -> str:
    """Means over seeds, with the standard deviation of what ranks customers, as Markdown."""
    lines = ["| method | " + " | ".join(_SHOWN.values()) + " | s |", "|---" * (len(_SHOWN) + 2) + "|"]
    for model, summary in result["models"].items():
        cells = [_cell(name, summary["scores"].get(name)) for name in _SHOWN]
        named = model if summary["chosen"] == [model] else f"{model} ({', '.join(summary['chosen'])})"
        lines.append(f"| {named} | " + " | ".join(cells) + f" | {summary['seconds']['cpu']['mean']:.1f} |")
    return "\n".join(lines) + "\n"


def _cell(name: str, figure: dict[str, float] | None) -> str:
    if figure is None:
        return ""
    if name == "spend_mae":
        return f"{figure['mean']:,.0f}"
    deviation = f" ± {figure['sd']:.4f}" if figure["sd"] and name in {"spend_gini", "spend_top_decile"} else ""
    return f"{figure['mean']:.4f}" + deviation


def _rows(
    customers: np.ndarray, expected: Expected, observed: Expected, band: Expected | None, *, model: str, seed: int
) -> pa.Table:
    """One row per customer: what was expected, and what came."""
    n = len(customers)
    low, high = band if band is not None else (np.full(n, np.nan),) * 2
    return pa.table(
        {
            "model": pa.array([model] * n).dictionary_encode(),
            "seed": np.full(n, seed, np.int32),
            "customer": pa.array(customers.tolist(), pa.string()),
            "expected_baskets": expected[0],
            "expected_spend": expected[1],
            "spend_low": low,
            "spend_high": high,
            "baskets": observed[0],
            "spend": observed[1],
        }
    )


def _summary(seeds: list[int], trials: list[dict[str, Any]]) -> dict[str, Any]:
    first = trials[0]
    return {
        "seeds": seeds,
        "chosen": sorted({trial["chosen"] for trial in trials}),
        "customers": first["customers"],
        "scores": {name: spread([trial["scores"][name] for trial in trials]) for name in first["scores"]},
        "seconds": {name: spread([trial["seconds"][name] for trial in trials], 1) for name in first["seconds"]},
        "peak_mb": spread([trial["peak_mb"] for trial in trials], 0),
    }
