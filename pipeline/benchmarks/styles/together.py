"""Methods together: the weighted sum of their scores, each in its own standard deviations over what is in store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.evaluation.style_problem import Problem

_NO_SPREAD = 1e-9


class _Method(Protocol):
    def scores(self, problem: Problem) -> np.ndarray: ...

    def settings(self) -> dict[str, Any]: ...


class Together:
    """The sum.

    Args: parts: methods and their weights, by name; none of them reads the scores of another.
    """

    def __init__(self, parts: Mapping[str, tuple[_Method, float]]) -> None:
        self.vectors_folder: Path | None = None
        self._parts = dict(parts)
        self.parameters = 0

    def scores(self, problem: Problem) -> np.ndarray:
        """Of the customers asked."""
        total = np.zeros((len(problem.customers), len(problem.store)), np.float32)
        self.parameters = 0
        for method, weight in self._parts.values():
            if hasattr(method, "vectors_folder"):
                method.vectors_folder = self.vectors_folder
            total += np.float32(weight) * _standard(method.scores(problem))
            self.parameters += getattr(method, "parameters", 0)
        return total

    def settings(self) -> dict[str, Any]:
        """Those of the parts, and their weights."""
        return {name: {"weight": weight} | method.settings() for name, (method, weight) in self._parts.items()}


def _standard(scores: np.ndarray) -> np.ndarray:
    """Scores around each customer's mean, in the customer's standard deviations."""
    around = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(around / np.maximum(around.std(axis=1, keepdims=True), _NO_SPREAD), np.float32)
