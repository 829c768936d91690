"""`make results`: docs/results.md and its plots, from the small result files kept in docs/results.

    python -m pipeline.benchmarks.results

A result file is the scores.json of a benchmark, kept as KIND_DATASET.json; it says with which command and when it was
measured. A benchmark that writes a page of its own has it kept as NAME.md; overview.md comes first. Nothing is
measured here.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.benchmarks.actions import compare as actions
from pipeline.benchmarks.anomalies import compare as anomalies
from pipeline.benchmarks.demand_routes import page as demand_routes
from pipeline.benchmarks.next_basket import compare as next_basket
from pipeline.benchmarks.next_offer import compare as next_offer
from pipeline.benchmarks.report.calibration import expected_calibration_error
from pipeline.benchmarks.returns import compare as returns
from pipeline.benchmarks.stockouts import page as stockouts
from pipeline.benchmarks.styles import compare as styles
from pipeline.benchmarks.time_to_next import compare as time_to_next
from pipeline.benchmarks.training_speed import compare as training_speed
from pipeline.benchmarks.value import compare as value
from pipeline.settings import REPOSITORY

FOLDER, PAGE = REPOSITORY / "docs" / "results", REPOSITORY / "docs" / "results.md"
OVERVIEW = "overview"

_SECTIONS: dict[str, tuple[str, str, Callable[[dict[str, Any]], str]]] = {
    "next_basket": (
        "Next basket",
        "Every product ranked for each test customer; mean ± standard deviation over seeds, each of which divides the "
        "customers anew. Methods with `-whole` are trained on the training customers' whole sequences as well. nDCG is "
        "defined as for the data set: Reality-Check divides by the ideal over the whole basket.",
        next_basket.table,
    ),
    "time_to_next": (
        "Days until the next basket",
        "Gaps that begin on days 61 to 90 of the data. Training uses what was known before day 61; gaps that had not "
        "ended by then are censored. Mean ± standard deviation over seeds.",
        time_to_next.table,
    ),
    "next_offer": (
        "Next offer",
        "Dearest category of a customer's next day and the bucket of days until it, among the 100 most frequent "
        "categories; cases by the day of the next event, trained on all before. Mean ± standard deviation over seeds. "
        "`joint`: the most probable offer and the most probable bucket are both right.",
        next_offer.table,
    ),
    "value": (
        "Customer value",
        "Baskets and spend of every known customer in the days after a cutoff, from the days before it. "
        "`larder:NAME` and `larder` have level and band of the nightly task; `larder` chooses among the others on the "
        "horizon before, and all else stands at its own level. Means over seeds; seconds of processor time.",
        value.table,
    ),
    "returns": (
        "Returns, line by line",
        "Which order lines come back within 30 days, from what is known when the order is placed; trained on lines "
        "whose return window is over before the first line that is measured. Mean ± standard deviation over seeds.",
        returns.table,
    ),
    "actions": (
        "The remaining actions of a case",
        "The first two thirds of the cases by their start train; every moment of the others with two actions done and "
        "one to come is predicted. `similarity`: 1 - Damerau-Levenshtein distance / longer length, without the end. "
        "`positions, padding counted`: padded to the longest rest, as the use case was published. Mean ± standard "
        "deviation over seeds.",
        actions.table,
    ),
    "styles": (
        "Style: what is bought among everything in store",
        "Means over three cutoffs; what customers buy in the 8 days after each, ranked among all that anyone buys from "
        "30 days before to 38 days after. AUC: mean over bought pairs of the share of the ranking below them; "
        "`explore`: never bought before by the customer, among such articles; `new`: by nobody; `10 % within`: rank "
        "that covers a tenth of what was bought. Mean ± standard deviation over seeds. `dynamic...` as published, "
        "`styles...` ours.",
        styles.table,
    ),
    "training_speed": (
        "Training, beside torch",
        "The same batches, processors and layers, full softmax over all products; in turns, each a process of its own.",
        training_speed.table,
    ),
    "stockouts": (
        "Demand and stock-out alerts",
        "Means of four windows of seven days, each forecast from the days before it alone "
        "(pipeline/benchmarks/stockouts/metrics.py says what the columns are).",
        stockouts.table,
    ),
    "demand_routes": (
        "Routes to expected demand",
        "Means of the last four windows of seven days. `store`: the nightly forecast; `model`: what the model expects "
        "its customers to buy and a share of the store's forecast for all others; `placebo`: the same with average "
        "customers; `paper`: LENS, Algorithm 2, unscaled; `blend`: the store's with the weight that the model earned "
        "on the four weeks before.",
        demand_routes.table,
    ),
    "anomalies": (
        "Changes of behaviour",
        "Changes injected into 2 % of the last baskets; ROC-AUC / average precision / precision among the first 50, "
        "means over seeds.",
        anomalies.table,
    ),
}

# Title and axes of each kind of reliability.
_PANELS = {
    "products": ("products of the next basket", "predicted probability", "share that was bought"),
    "units": ("units of products bought", "predicted units", "units bought"),
    "week": ("a basket within 7 days", "predicted probability", "share that came"),
    "next action": ("the most probable next action", "predicted probability", "share that came"),
}


def page(folder: Path = FOLDER) -> str:
    """All kept results as Markdown.

    Raises: ValueError: for a file that no benchmark is known to write.
    """
    parts = ["# Results\n\nMade by `make results` from the files in docs/results, each the scores of one command.\n"]
    pages = [file for file in sorted(folder.glob("*.md")) if not file.with_suffix(".json").is_file()]
    parts += [_as_section(file) for file in pages if file.stem == OVERVIEW]
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
            if reliabilities(result):
                parts.append(f"![Predicted against observed](results/{_plot_of(file).name})\n")
            if file.with_name(ranks := f"{file.stem}_ranks.png").is_file():
                parts.append(f"![Ranks of what was bought](results/{ranks})\n")
    parts += [_as_section(file) for file in pages if file.stem != OVERVIEW]
    return "\n".join(parts)


def reliabilities(result: dict[str, Any]) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Bins of each method by kind of prediction (see pipeline/benchmarks/report/calibration.py)."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for model, summary in result.get("models", {}).items():
        for what, bins in summary.get("reliability", {}).items():
            found.setdefault(what, {})[model] = bins
    return found


def plot_reliability(result: dict[str, Any], target: Path) -> None:
    """Plot predictions against observations, one panel per kind; methods without probabilities are left out."""
    from matplotlib.figure import Figure

    found = reliabilities(result)
    figure = Figure(figsize=(6 * len(found), 6), layout="constrained")
    for axes, (what, methods) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        for model, bins in methods.items():
            shown = [[each[name] for each in bins] for name in ("predicted", "observed")]
            axes.plot(*shown, marker="o", markersize=4, label=f"{model} (error {expected_calibration_error(bins):.3f})")
        _, predicted, observed = _PANELS[what]
        most = max(each[name] for bins in methods.values() for each in bins for name in ("predicted", "observed"))
        axes.plot([0, most], [0, most], color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel=predicted, ylabel=observed, title=_PANELS[what][0])
        axes.legend(frameon=False)
    figure.savefig(target, dpi=110, metadata={"Software": None})


def _as_section(file: Path) -> str:
    """The page, its headings one level lower and its links to docs as from there."""
    return re.sub("^#", "##", file.read_text(), flags=re.MULTILINE).replace("](../", "](")


def _plot_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}_reliability.png")


def _dataset(file: Path, kind: str) -> str:
    return file.stem.removeprefix(f"{kind}_").replace("_", "-")


def main() -> None:
    """Write the page and the plots."""
    PAGE.write_text(page())
    for file in sorted(FOLDER.glob("*.json")):
        result = json.loads(file.read_text())
        if reliabilities(result):
            plot_reliability(result, _plot_of(file))


if __name__ == "__main__":
    main()
