"""The precision of stock-out alerts as a back-test measured it, where one was made for the source.

`larder benchmark stockouts --dataset tafeng --out var/tafeng/backtest` leaves its scores where the page looks.
"""

import json
from dataclasses import dataclass

from pipeline.workspace import Workspace

FOLDER, SCORES = "backtest", "scores.json"
NIGHTLY_MODEL = "boosted-route"  # the method that forecasts as the nightly run does
MEASURES = ("precision_at_threshold", "recall_at_threshold")


@dataclass(frozen=True)
class Backtest:
    """Precision and recall of the nightly rule, mean over the windows of one supply plan."""

    precision: float
    recall: float
    plan: str
    windows: int


def read_backtest(workspace: Workspace) -> Backtest | None:
    """The source's back-test under its first plan; None where none was made or it did not measure the nightly rule."""
    path = workspace.root / FOLDER / SCORES
    if not path.is_file():
        return None
    scores = json.loads(path.read_text())
    means = scores.get("models", {}).get(NIGHTLY_MODEL, {}).get("mean", {})
    for plan in sorted({name.split("/")[0] for name in means if "/" in name}):
        precision, recall = (means.get(f"{plan}/{measure}") for measure in MEASURES)
        if precision is not None and recall is not None:
            return Backtest(precision, recall, plan, len(scores.get("windows", [])))
    return None
