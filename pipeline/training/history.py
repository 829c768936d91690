"""Metrics per epoch, and what they decide: which weights are best, and when to stop.

Every worker holds the same history, all-reduced to the last bit, so every worker decides the same without asking.
"""

import json
import math
from pathlib import Path

from pipeline.files import replace_text

VALIDATION = "validation_"

Epoch = dict[str, float]


def read_history(path: Path, finished_epochs: int | None = None) -> list[Epoch]:
    """All epochs, or the first `finished_epochs`: later ones are of steps that a resumed training does again."""
    epochs: list[Epoch] = json.loads(path.read_text()) if path.is_file() else []
    return epochs[:finished_epochs]


def write_history(path: Path, history: list[Epoch]) -> None:
    """Replace the file, whole or not at all."""
    replace_text(path, json.dumps(history, indent=1))


def best_epoch(history: list[Epoch]) -> int:
    """Index of the epoch with the smallest validation loss, the first of equals; 0 while none is a number."""
    losses = [epoch[VALIDATION + "total"] for epoch in history]
    return min(range(len(losses)), key=lambda index: losses[index] if math.isfinite(losses[index]) else math.inf)


def is_over(history: list[Epoch], epochs: int, patience: int) -> bool:
    """Whether training ends: all epochs done, `patience` epochs without a better validation loss, or a loss is NaN."""
    if not history:
        return False
    if len(history) >= epochs or not all(math.isfinite(value) for value in history[-1].values()):
        return True
    return len(history) - 1 - best_epoch(history) >= patience
