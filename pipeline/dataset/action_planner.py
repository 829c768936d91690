"""A model of next actions in use: moments of cases in, the rest of each case out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models import fields
from models.actions.action_log import ActionLog, Prefixes
from models.actions.consensus import Remainder, consensus, counted
from models.special_ids import END, UNKNOWN
from pipeline.dataset.action_batches import action_batch
from pipeline.dataset.tensors import compiled
from pipeline.task import Batch

if TYPE_CHECKING:
    from models.next_actions import NextActions

SAMPLES = 50
_AT_ONCE = 512
_TARGETS = (fields.TARGET_EVENTS, fields.TARGET_DAYS, fields.TARGET_WON, fields.TARGET_WON_KNOWN)


@dataclass(frozen=True)
class Plans:
    """The predicted rest of B cases.

    Args:
        remainders: actions without END, at least one each.
        next_probabilities: float32 [B, V], of each action to be the next one.
        attention: float32 [B, T], weight of each action read in the prediction of the next one, oldest first.
        step_days: per case, days before each action of its remainder.
        plan_probabilities: float64 [B], share of the samples that are exactly the remainder.
        remaining_steps, remaining_days: float64 [B], means over the samples.
        win_probabilities: float32 [B]; None where the model knows no outcomes.
    """

    remainders: list[Remainder]
    next_probabilities: np.ndarray
    attention: np.ndarray
    step_days: list[list[float]]
    plan_probabilities: np.ndarray
    remaining_steps: np.ndarray
    remaining_days: np.ndarray
    win_probabilities: np.ndarray | None


class ActionPlanner:
    """Decodes plans; one graph serves all batches.

    Args: decoding: "consensus" of samples (the remainder of the largest expected similarity) or "greedy";
          longest_past: latest actions that are read, default: those that the model was trained on.
    """

    def __init__(
        self, model: "NextActions", decoding: str = "consensus", seed: int = 0, longest_past: int | None = None
    ) -> None:
        self.model, self._decoding, self._seed = model, decoding, seed
        self._longest_past = longest_past or model.config.longest_past
        self._plan: Callable[[Batch], Any] = compiled(self._planned)

    def plan(self, log: ActionLog, prefixes: Prefixes, identities: np.ndarray) -> Plans:
        """Plans in the order of the prefixes.

        Args: identities: int64 [B]; a case gets the same samples in whatever batch it is.
        """
        starts = range(0, len(prefixes), _AT_ONCE)
        parts = [self._part(log, prefixes, identities, start) for start in starts]
        return _joined(parts)

    def _part(self, log: ActionLog, prefixes: Prefixes, identities: np.ndarray, start: int) -> Plans:
        chosen = np.arange(start, min(start + _AT_ONCE, len(prefixes)))
        config = self.model.config
        batch = action_batch(
            log, prefixes.select(chosen), longest_past=self._longest_past, longest_rest=config.longest_rest
        )
        inputs = {name: array for name, array in batch.items() if name not in (*_TARGETS, fields.EXAMPLE_WEIGHTS)}
        inputs["uniforms"] = self._uniforms(identities[chosen], config.longest_rest)
        found = {name: np.asarray(value) for name, value in self._plan(inputs).items()}
        samples = [[_actions(row) for row in rows] for rows in found["samples"]]
        counts = [counted(each) for each in samples]
        if self._decoding == "greedy":
            remainders = [_actions(row) for row in found["greedy"]]
        else:
            remainders = [consensus(each) for each in counts]
        days = found["days_of_action"]
        step_days = [[float(days[row, action]) for action in rest] for row, rest in enumerate(remainders)]
        lengths = np.array([[len(rest) for rest in each] for each in samples], np.float64)
        spent = np.array(
            [np.mean([sum(days[row, action] for action in rest) for rest in each]) for row, each in enumerate(samples)]
        )
        return Plans(
            remainders,
            found["next_probabilities"],
            found["attention"],
            step_days,
            np.array([each[rest] / SAMPLES for each, rest in zip(counts, remainders, strict=True)]),
            lengths.mean(axis=1),
            spent,
            found.get("win_probability"),
        )

    def _planned(self, batch: dict[str, Any]) -> dict[str, Any]:
        known = {name: array for name, array in batch.items() if name != "uniforms"}
        return self.model.plan(known, batch["uniforms"], SAMPLES, self.model.config.longest_rest)

    def _uniforms(self, identities: np.ndarray, steps: int) -> np.ndarray:
        drawn = [np.random.default_rng([self._seed, int(each) % 2**63]).random((SAMPLES, steps)) for each in identities]
        return np.stack(drawn).astype(np.float32)


def _actions(symbols: np.ndarray) -> Remainder:
    """Actions before the end; a plan without one says that something unknown follows."""
    rest = tuple(int(each) for each in symbols if each > END)
    return rest or (UNKNOWN,)


def _joined(parts: list[Plans]) -> Plans:
    if not parts:
        empty = np.zeros(0)
        return Plans([], np.zeros((0, 0)), np.zeros((0, 0)), [], empty, empty, empty, None)
    widest = max(part.attention.shape[1] for part in parts)
    attention = [np.pad(part.attention, [(0, 0), (0, widest - part.attention.shape[1])]) for part in parts]
    won = [part.win_probabilities for part in parts if part.win_probabilities is not None]
    return Plans(
        [rest for part in parts for rest in part.remainders],
        np.concatenate([part.next_probabilities for part in parts]),
        np.concatenate(attention),
        [days for part in parts for days in part.step_days],
        np.concatenate([part.plan_probabilities for part in parts]),
        np.concatenate([part.remaining_steps for part in parts]),
        np.concatenate([part.remaining_days for part in parts]),
        np.concatenate(won) if won else None,
    )
