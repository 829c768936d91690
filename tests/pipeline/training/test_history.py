"""When training stops, and which epoch's weights it keeps."""

from math import nan
from pathlib import Path

import pytest

from pipeline.training.history import VALIDATION, best_epoch, is_over, read_history, write_history


def history(*losses: float) -> list[dict[str, float]]:
    """Epochs by validation loss."""
    return [{VALIDATION + "total": loss} for loss in losses]


@pytest.mark.parametrize(
    ("losses", "over"),
    [
        ((), False),
        ((3.0, 2.0, 1.0), False),
        ((3.0, 2.0, 2.5), False),
        ((3.0, 2.0, 2.5, 2.1), True),
        ((3.0, 2.0, 2.0, 2.0), True),
        ((5.0, 4.0, 3.0, 2.0, 1.0), True),
        ((nan,), True),
    ],
)
def test_training_ends_after_all_epochs_or_patience_or_nan(losses: tuple[float, ...], over: bool) -> None:
    assert is_over(history(*losses), epochs=5, patience=2) is over


@pytest.mark.parametrize(("losses", "best"), [((3.0, 2.0, 2.0), 1), ((nan, 2.0), 1), ((nan,), 0)])
def test_the_best_epoch_is_the_first_with_the_smallest_loss(losses: tuple[float, ...], best: int) -> None:
    assert best_epoch(history(*losses)) == best


def test_epochs_after_the_checkpoint_are_forgotten(tmp_path: Path) -> None:
    write_history(tmp_path / "history.json", history(3.0, 2.0, 1.0))
    assert read_history(tmp_path / "history.json", 2) == history(3.0, 2.0)
    assert read_history(tmp_path / "none.json", 2) == []
