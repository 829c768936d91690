"""`make results`: docs/results.md and its plots, from the small result files kept in docs/results.

    python -m pipeline.benchmarks.results

A result file is the scores.json of a benchmark, kept as KIND_DATASET.json; it says with which command and when it was
measured. A benchmark that writes a page of its own has it kept as NAME.md. Nothing is measured here.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.benchmarks import anomalies, next_basket, stockouts_page, time_to_next, training_speed
from pipeline.settings import REPOSITORY

FOLDER, PAGE = REPOSITORY / "docs" / "results", REPOSITORY / "docs" / "results.md"
RELIABILITY = "time_to_next_reliability.png"

_SECTIONS: dict[str, tuple[str, str, Callable[[dict[str, Any]], str]]] = {
    "next_basket": (
        "Next basket",
        "Every product ranked for each test customer; mean ± standard deviation over seeds, each of which divides the "
        "customers anew. Methods with `-whole` learn from the training customers' whole sequences as well. nDCG is the "
        "data set's own: Reality-Check divides by the ideal over the whole basket.",
        next_basket.table,
    ),
    "time_to_next": (
        "Days until the next basket",
        "Gaps that begin on day 61 to 90 of the data, what is learned from being known before day 61; gaps that have "
        "not ended are censored. Mean ± standard deviation over seeds.",
        time_to_next.table,
    ),
    "training_speed": (
        "Training, beside torch",
        "The same batches, processors and layers, full softmax over all products; in turns, each a process of its own.",
        training_speed.table,
    ),
    "stockouts": (
        "Demand and stock-out alerts",
        "Means of four windows of seven days, each forecast from the days before it alone "
        "(pipeline/benchmarks/demand_scores.py says what the columns are).",
        stockouts_page.table,
    ),
    "anomalies": (
        "Changes of behaviour",
        "Changes injected into 2 % of the last baskets; ROC-AUC / average precision / precision among the first 50, "
        "means over seeds.",
        anomalies.table,
    ),
}


def page(folder: Path = FOLDER) -> str:
    """All kept results as Markdown.

    Raises: ValueError: for a file that no benchmark is known to write.
    """
    parts = ["# Results\n\nMade by `make results` from the files in docs/results, each the scores of one command.\n"]
    known = {kind: sorted(folder.glob(f"{kind}_*.json")) for kind in _SECTIONS}
    for file in sorted(folder.glob("*.json")):
        if not any(file in files for files in known.values()):
            raise ValueError(f"{file}: its name must begin with one of {', '.join(_SECTIONS)}")
    for kind, (title, words, table) in _SECTIONS.items():
        for file in known[kind]:
            result = json.loads(file.read_text())
            parts.append(f"## {title}: {_dataset(file, kind)}\n\n{words}\n")
            more = file.with_suffix(".md")
            aside = f" [What to know about it](results/{more.name})." if more.is_file() else ""
            parts.append(f"`{result['command']}`, measured on {result['measured_on']}.{aside}\n\n{table(result)}")
            if kind == "time_to_next":
                parts.append(
                    f"![Probability of a basket within 7 days against the share that came](results/{RELIABILITY})\n"
                )
    parts += [f"#{file.read_text()}" for file in sorted(folder.glob("*.md")) if not file.with_suffix(".json").is_file()]
    return "\n".join(parts)


def plot_reliability(result: dict[str, Any], target: Path) -> None:
    """Foretold probability of a basket within a week against the share that came, by method."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    for model, summary in result["models"].items():
        bins = summary.get("reliability_week")
        if bins:
            error = summary["scores"]["ece_week"]["mean"]
            shares = [[each[name] for each in bins] for name in ("probability", "share")]
            axes.plot(*shares, marker="o", markersize=4, label=f"{model} (error {error:.3f})")
    axes.set(
        xlabel="foretold probability of a basket within 7 days", ylabel="share that came", xlim=(0, 1), ylim=(0, 1)
    )
    axes.legend(frameon=False)
    figure.savefig(target, dpi=110, metadata={"Software": None})


def _dataset(file: Path, kind: str) -> str:
    return file.stem.removeprefix(f"{kind}_").replace("_", "-")


def main() -> None:
    """Write the page and the plots."""
    PAGE.write_text(page())
    for file in sorted(FOLDER.glob("time_to_next_*.json")):
        plot_reliability(json.loads(file.read_text()), FOLDER / RELIABILITY)


if __name__ == "__main__":
    main()
