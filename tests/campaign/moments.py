"""Moments of a night at which it can be killed: what its files look like just then.

In the order in which a night reaches them, so that a night which was killed at one can be killed at a later one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.lake.lake import MARKER
from pipeline.workspace import Workspace

# The tables in the order in which a night writes them; those of a row are written at about the same time.
WRITTEN_FIRST = ("transactions", "rejected_transactions", "store_days", "products", "stock_levels", "resupplies")
WRITTEN_THEN = ("baskets", "sequences", "vocabulary")
WRITTEN_LAST = ("predictions", "expected_demand", "stockouts", "anomalies")
CHECKPOINTS = 4


@dataclass(frozen=True)
class Moment:
    """`has_come()` holds from that moment on, for a while at least."""

    name: str
    has_come: Callable[[], bool]


def moments(workspace: Workspace, run_id: str) -> list[Moment]:
    """All that are known, first ones first."""
    training = workspace.runs / run_id / "tasks" / "next_basket" / "training"
    return [
        *_of_tables(workspace, run_id, WRITTEN_FIRST),
        *_of_tables(workspace, run_id, WRITTEN_THEN),
        Moment("training is described", (training / "spec.json").is_file),
        *(Moment(f"checkpoint {number}", _at_least(training, number)) for number in range(1, CHECKPOINTS + 1)),
        Moment("a best model", (training / "best_model.keras").is_file),
        Moment("the model", (training / "model.keras").is_file),
        Moment("the scorecard", (training.parent / "scorecard.json").is_file),
        Moment("the verdict", (training.parent / "verdict.json").is_file),
        *_of_tables(workspace, run_id, WRITTEN_LAST),
        Moment("alerts are written", (workspace.root.parent / "alerts.db-wal").is_file),
    ]


def _of_tables(workspace: Workspace, run_id: str, names: tuple[str, ...]) -> Iterator[Moment]:
    for name in names:
        root = workspace.lake.root / name
        staged, published = root / "staged" / run_id, root / "versions" / run_id
        yield Moment(f"{name} is begun", staged.is_dir)
        yield Moment(f"{name} is written", _either(staged / "manifest.json", published / "manifest.json"))
        yield Moment(f"{name} arrives", _either(published / MARKER, published / "manifest.json"))
        yield Moment(f"{name} is current", _points(root / "CURRENT", run_id))


def _either(*paths: Path) -> Callable[[], bool]:
    return lambda: any(path.exists() for path in paths)


def _points(pointer: Path, run_id: str) -> Callable[[], bool]:
    return lambda: pointer.is_file() and pointer.read_text().strip() == run_id


def _at_least(training: Path, number: int) -> Callable[[], bool]:
    """Checkpoints are numbered by their step, and the latest two are kept."""
    return lambda: any(
        int(path.stem.rpartition("-")[2]) >= number for path in training.glob("checkpoints/ckpt-*.index")
    )
