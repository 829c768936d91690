"""The precision on the tile is the back-test's, or none."""

import json

from pipeline.page.backtest import Backtest, read_backtest
from pipeline.workspace import Workspace


def write(workspace: Workspace, models: dict[str, object]) -> None:
    folder = workspace.root / "backtest"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.json").write_text(json.dumps({"windows": ["2001-02-01", "2001-02-08"], "models": models}))


def test_no_back_test_is_no_figure(workspace: Workspace) -> None:
    assert read_backtest(workspace) is None
    write(workspace, {"lightgbm": {"mean": {"A/precision_at_threshold": 0.9}}})
    assert read_backtest(workspace) is None
    write(workspace, {"boosted-route": {"mean": {"week_wape": 0.6, "A/precision_at_threshold": 0.9}}})
    assert read_backtest(workspace) is None


def test_the_nightly_rule_under_the_first_plan_is_shown(workspace: Workspace) -> None:
    figures = {"B/precision_at_threshold": 0.1, "B/recall_at_threshold": 0.2}
    figures |= {"A/precision_at_threshold": 0.7, "A/recall_at_threshold": 0.5}
    write(workspace, {"boosted-route": {"mean": figures}, "naive": {"mean": {"A/precision_at_threshold": 0.99}}})
    assert read_backtest(workspace) == Backtest(0.7, 0.5, "A", 2)
