"""Methods together: the weighted sum of their scores, each in its own standard deviations over what is in store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.evaluation.style_problem import Problem

_NO_SPREAD = 1e-9


class _Method(Protocol):
    def scores(self, problem: Problem) -> np.ndarray: ...

    def settings(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Kept:
    """What a finished trial of a method has found already. Args: scores: float32 [C, S]; seconds: that it took."""

    scores: np.ndarray
    parameters: int
    seconds: float


class Together:
    """The sum.

    Where `kept` is set, it gives what a method of a name and configuration has found already, None for nothing; what
    that took is in `kept_seconds`.

    Args: parts: methods and their weights, by name; none of them reads the scores of another.
    """

    def __init__(self, parts: Mapping[str, tuple[_Method, float]]) -> None:
        self.vectors_folder: Path | None = None
        self.kept: Callable[[str, dict[str, Any]], Kept | None] | None = None
        self._parts = dict(parts)
        self.parameters, self.kept_seconds = 0, 0.0

    def scores(self, problem: Problem) -> np.ndarray:
        """Of the customers asked."""
        total = np.zeros((len(problem.customers), len(problem.store)), np.float32)
        self.parameters, self.kept_seconds = 0, 0.0
        for name, (method, weight) in self._parts.items():
            found = self._of_part(name, method, problem)
            total += np.float32(weight) * _standard(found.scores)
            self.parameters += found.parameters
            self.kept_seconds += found.seconds
        return total

    def _of_part(self, name: str, method: _Method, problem: Problem) -> Kept:
        if self.kept is not None and (known := self.kept(name, method.settings())) is not None:
            return known
        if hasattr(method, "vectors_folder"):
            method.vectors_folder = self.vectors_folder
        return Kept(method.scores(problem), getattr(method, "parameters", 0), 0.0)

    def settings(self) -> dict[str, Any]:
        """Those of the parts, and their weights."""
        return {name: {"weight": weight} | method.settings() for name, (method, weight) in self._parts.items()}


def _standard(scores: np.ndarray) -> np.ndarray:
    """Scores around each customer's mean, in the customer's standard deviations."""
    around = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(around / np.maximum(around.std(axis=1, keepdims=True), _NO_SPREAD), np.float32)
