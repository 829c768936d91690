"""Compare methods that rank what is in store; each method, seed and cutoff runs in its own process."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.names import look_up
from pipeline.benchmarks.report.report import cell, rows_file, spread
from pipeline.benchmarks.styles.methods import style_method
from pipeline.benchmarks.styles.neural import DynamicStyle
from pipeline.benchmarks.styles.problems import open_shop
from pipeline.benchmarks.styles.together import Kept, Together
from pipeline.benchmarks.trials import Stopwatch, finished_trial, in_own_process, write_trial
from pipeline.evaluation.style_metrics import curve, ranks, style_scores
from pipeline.evaluation.style_problem import Problem, problem_at

RANKED, SCORES = "ranked.parquet", "scores.npy"
_TOP = 20
_COLOURS = 10
_SHOWN = {
    "auc": "AUC",
    "auc_explore": "explore",
    "auc_new": "new",
    "auc_by_customer": "by customer",
    "covers_10": "10 % within",
    "covers_50": "50 %",
    "covers_90": "90 %",
    "recall@10": "recall@10",
    "recall@100": "recall@100",
}
_RANKS = {"covers_10", "covers_50", "covers_90"}


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
    """Run every method with every seed at every cutoff of a part; scores by method, means over its cutoffs.

    Writes all ranks to `out`/ranked.parquet. Trials that `out` holds already are not run again.

    Raises: ValueError: for an unknown method, data set or part.
    """
    for model in models:
        style_method(model, 0)
    shop = open_shop(dataset, path)
    cutoffs = look_up("part", part, shop.cutoffs)
    out.mkdir(parents=True, exist_ok=True)
    trials: dict[str, list[list[dict[str, Any]]]] = {model: [] for model in models}
    curves: dict[str, np.ndarray] = {}
    with rows_file(out / RANKED) as add:
        for model in models:
            above: list[np.ndarray] = []
            for seed in seeds:
                of_seed = []
                for cutoff in cutoffs:
                    folder = out / "trials" / f"{model}_{seed}_{cutoff}"
                    configured, named = style_method(model, seed).settings(), [dataset, str(cutoff)]
                    trial = finished_trial(folder, configured, named)
                    if trial is None:
                        trial = in_own_process(run, dataset, path, model, seed, cutoff=cutoff, folder=folder)
                    rows = pq.read_table(folder / RANKED)
                    add(rows)
                    above.append(rows["above"].to_numpy())
                    of_seed.append(trial)
                trials[model].append(of_seed)
                means = ", ".join(f"{name} {value:.4f}" for name, value in _means(of_seed).items())
                say(f"{model}, seed {seed}: {means}")
            curves[model] = curve(np.concatenate(above))[1]
    plot(curves, out / "ranks.png")
    return {model: _summary(list(seeds), of_model) for model, of_model in trials.items()}


def run(dataset: str, path: Path | None, model: str, seed: int, *, cutoff: int, folder: Path) -> dict[str, Any]:
    """One method, seed and cutoff: its figures; writes a folder with them, all scores, and one row per bought pair."""
    problem = problem_at(open_shop(dataset, path), cutoff)
    method, stopwatch = style_method(model, seed), Stopwatch()
    if isinstance(method, DynamicStyle | Together):
        method.vectors_folder = folder.parent / "vectors"
    if isinstance(method, Together):
        method.kept = partial(kept_scores, folder.parent, [dataset, str(cutoff)], seed)
    scores = method.scores(problem)
    stopwatch.lap("rank")
    found, used = ranks(problem, scores), stopwatch.used()
    if isinstance(method, Together):
        used["seconds"]["rank"] = round(used["seconds"]["rank"] + method.kept_seconds, 2)
    trial: dict[str, Any] = {
        "dataset": [dataset, str(cutoff)],
        "configured": method.settings(),
        "parameters": getattr(method, "parameters", 0),
        "cases": {"customers": len(problem.customers), "in store": len(problem.store), "bought": len(problem.rows)},
        **used,
        "scores": style_scores(problem, found),
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / SCORES, scores.astype(np.float32))
    pq.write_table(_rows(problem, found, scores, model, seed), folder / RANKED)
    write_trial(folder, trial)
    return trial


def kept_scores(trials: Path, named: list[str], seed: int, model: str, configured: dict[str, Any]) -> Kept | None:
    """What a finished trial of the method found, if it is configured so; None without one.

    Args: named: data set and cutoff.
    """
    folder = trials / f"{model}_{seed}_{named[1]}"
    trial = finished_trial(folder, configured, named)
    if trial is None or not (folder / SCORES).is_file():
        return None
    return Kept(np.load(folder / SCORES), trial["parameters"], trial["seconds"]["rank"])


def table(result: dict[str, Any]) -> str:
    """Means over cutoffs with their standard deviation over seeds, as Markdown."""
    lines = [
        "| method | " + " | ".join(_SHOWN.values()) + " | weights | seconds a cutoff |",
        "|---" * (len(_SHOWN) + 3) + "|",
    ]
    for model, summary in result["models"].items():
        scores = summary["scores"]
        cells = [f"{scores[name]['mean']:.0f}" if name in _RANKS else cell(scores.get(name)) for name in _SHOWN]
        weights = f"{summary['parameters']:,}" if summary["parameters"] else ""
        lines.append(f"| {model} | " + " | ".join([*cells, weights, f"{summary['seconds']['mean']:.0f}"]) + " |")
    return "\n".join(lines) + "\n"


def plot(curves: dict[str, np.ndarray], target: Path) -> None:
    """Plot the cumulative distributions of ranks, which are ROC curves, with the head of the ranking on log scales."""
    from matplotlib.figure import Figure

    shares = curve(np.zeros(1))[0]
    figure = Figure(figsize=(7, 7.6), layout="constrained")
    axes = figure.subplots()
    inset = axes.inset_axes((0.45, 0.1, 0.5, 0.5), xscale="log", yscale="log", xlim=(1e-3, 1e-1), ylim=(1e-2, 1.0))
    for number, (model, covered) in enumerate(curves.items()):
        # Ten colours, then the same ones dashed.
        line = "-" if number < _COLOURS else "--"
        axes.plot(shares, covered, line, label=model)
        inset.plot(shares[1:], covered[1:], line)
    axes.set(xlabel="share of the ranking", ylabel="share of what was bought", title="Ranks of what was bought")
    figure.legend(frameon=False, loc="outside lower center", ncols=4)
    figure.savefig(target, dpi=110, metadata={"Software": None})


def _rows(problem: Problem, found: dict[str, np.ndarray], scores: np.ndarray, model: str, seed: int) -> pa.Table:
    """One row per bought pair: its rank, and the customer's best articles."""
    top = min(_TOP, scores.shape[1])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    names, n = problem.articles.names[problem.store], len(problem.rows)
    return pa.table(
        {
            "model": pa.array([model] * n).dictionary_encode(),
            "seed": np.full(n, seed, np.int32),
            "cutoff": np.full(n, problem.cutoff, np.int32),
            "customer": problem.customers[problem.rows],
            "article": pa.array(names[problem.columns].tolist(), pa.string()),
            "rank": found["rank"],
            "above": found["above"],
            "above_explore": found["above_explore"],
            "explore": found["explore"],
            "new": found["new"],
            "best": pa.FixedSizeListArray.from_arrays(
                pa.array(names[best[problem.rows]].ravel().tolist(), pa.string()), top
            ),
        }
    )


def _means(trials: list[dict[str, Any]]) -> dict[str, float]:
    """Means over cutoffs; of a figure that a cutoff does not have, over the others."""
    names = dict.fromkeys(name for trial in trials for name in trial["scores"])
    return {
        name: float(np.mean([trial["scores"][name] for trial in trials if name in trial["scores"]])) for name in names
    }


def _summary(seeds: list[int], trials: list[list[dict[str, Any]]]) -> dict[str, Any]:
    first, means = trials[0], [_means(of_seed) for of_seed in trials]
    seconds = [trial["seconds"]["rank"] for of_seed in trials for trial in of_seed]
    return {
        "seeds": seeds,
        "settings": first[0]["configured"],
        "cases": {trial["dataset"][1]: trial["cases"] for trial in first},
        "parameters": first[-1]["parameters"],
        "scores": {name: spread([of_seed[name] for of_seed in means]) for name in means[0]},
        "seconds": spread(seconds, 1),
        "peak_mb": spread([trial["peak_mb"] for of_seed in trials for trial in of_seed], 0),
    }
