"""A model of next actions in use: moments of cases in, the rest of each case out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models import fields
from models.actions.action_log import ActionLog, Prefixes
from models.actions.consensus import Remainder, consensus, counted
from models.ragged import offsets_of, ranges
from models.special_ids import END, UNKNOWN
from pipeline.dataset.action_batches import action_batch
from pipeline.dataset.tensors import compiled
from pipeline.task import Batch

if TYPE_CHECKING:
    from models.next_actions import NextActions

SAMPLES, BEAMS = 50, 8
_AT_ONCE = 512
_TARGETS = (
    fields.TARGET_EVENTS,
    fields.TARGET_DAYS,
    fields.TARGET_WON,
    fields.TARGET_WON_KNOWN,
    fields.EXAMPLE_WEIGHTS,
)
_DAY_SECONDS, _DAY_HOURS, _WEEK_DAYS = 86_400, 24.0, 7


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
        days_of_action: float32 [B, V], days before each action if it is the next one.
    """

    remainders: list[Remainder]
    next_probabilities: np.ndarray
    attention: np.ndarray
    step_days: list[list[float]]
    plan_probabilities: np.ndarray
    remaining_steps: np.ndarray
    remaining_days: np.ndarray
    win_probabilities: np.ndarray | None
    days_of_action: np.ndarray


class ActionPlanner:
    """Decodes plans; one graph serves all batches.

    Args: decoding: "consensus" of samples (the remainder of the largest expected similarity), "greedy", or "beam" (the
          most probable remainder that BEAMS beams reach);
          longest_past: latest actions that are read, default: those that the model was trained on.
    """

    def __init__(
        self, model: "NextActions", decoding: str = "consensus", seed: int = 0, longest_past: int | None = None
    ) -> None:
        self.model, self._decoding, self._seed = model, decoding, seed
        self._longest_past = longest_past or model.config.longest_past
        self._plan: Callable[[Batch], Any] = compiled(self._planned)
        self._likeliest: Callable[[Batch], Any] = compiled(
            lambda batch: model.likeliest(batch, model.config.longest_rest, BEAMS)
        )
        self._next: Callable[[Batch], Any] = compiled(model.next_probabilities)
        self._win: Callable[[Batch], Any] = compiled(model.win_probability)

    def plan(self, log: ActionLog, prefixes: Prefixes, identities: np.ndarray) -> Plans:
        """Plans in the order of the prefixes.

        Args: identities: int64 [B]; a case gets the same samples in whatever batch it is.
        """
        starts = range(0, len(prefixes), _AT_ONCE)
        parts = [self._part(log, prefixes, identities, start) for start in starts]
        return _joined(parts)

    def next_probability(self, log: ActionLog, prefixes: Prefixes, actions: np.ndarray) -> np.ndarray:
        """Probability of an action, int [B], to be the next one; float64 [B]."""
        found = np.zeros(len(prefixes))
        for rows, batch in self._batches(log, prefixes):
            found[rows] = np.asarray(self._next(batch))[np.arange(len(rows)), actions[rows]]
        return found

    def win_after(self, log: ActionLog, prefixes: Prefixes, actions: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Probability that each case is won, as it would be read after one more action; float64 [B].

        Args: actions: int [B]; days: float [B], before the action.
        """
        longer = extended(log, prefixes, actions, days)
        whole = Prefixes(np.arange(len(longer)), longer.lengths)
        found = np.zeros(len(prefixes))
        for rows, batch in self._batches(longer, whole):
            found[rows] = np.asarray(self._win(batch))
        return found

    def _batches(self, log: ActionLog, prefixes: Prefixes) -> Iterator[tuple[np.ndarray, Batch]]:
        """Rows of the prefixes, and what the model reads of them."""
        for start in range(0, len(prefixes), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(prefixes)))
            yield rows, self._read(log, prefixes.select(rows))

    def _read(self, log: ActionLog, prefixes: Prefixes) -> Batch:
        longest_rest = self.model.config.longest_rest
        batch = action_batch(log, prefixes, longest_past=self._longest_past, longest_rest=longest_rest)
        return {name: array for name, array in batch.items() if name not in _TARGETS}

    def _part(self, log: ActionLog, prefixes: Prefixes, identities: np.ndarray, start: int) -> Plans:
        chosen = np.arange(start, min(start + _AT_ONCE, len(prefixes)))
        inputs = self._read(log, prefixes.select(chosen))
        likeliest = self._likeliest(inputs) if self._decoding == "beam" else None
        inputs["uniforms"] = self._uniforms(identities[chosen], self.model.config.longest_rest)
        found = {name: np.asarray(value) for name, value in self._plan(inputs).items()}
        samples = [[_actions(row) for row in rows] for rows in found["samples"]]
        counts = [counted(each) for each in samples]
        if likeliest is not None:
            remainders = [_actions(row) for row in np.asarray(likeliest)]
        elif self._decoding == "greedy":
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
            days,
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
        nothing = np.zeros((0, 0))
        return Plans([], nothing, nothing, [], empty, empty, empty, None, nothing)
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
        np.concatenate([part.days_of_action for part in parts]),
    )


def extended(log: ActionLog, prefixes: Prefixes, actions: np.ndarray, days: np.ndarray) -> ActionLog:
    """The cases as they would be after one more action, and nothing behind it.

    Args: actions: int [B]; days: float [B], between the latest action and it.
    """
    of_case = log.offsets[prefixes.rows]
    latest = of_case + prefixes.ends - 1
    kept = ranges(of_case, prefixes.ends)
    lengths = prefixes.ends + 1
    offsets = offsets_of(lengths)
    is_new = np.zeros(int(lengths.sum()), bool)
    is_new[offsets[1:] - 1] = True
    hours = log.local_hours[latest] + days * _DAY_HOURS
    weekdays = log.weekdays[latest] + (hours // _DAY_HOURS).astype(np.int64)

    def joined(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        both = np.empty(len(is_new), old.dtype)
        both[~is_new], both[is_new] = old[kept], new
        return both

    return ActionLog(
        offsets=offsets,
        actions=joined(log.actions, actions),
        seconds=joined(log.seconds, log.seconds[latest] + np.round(days * _DAY_SECONDS).astype(np.int64)),
        local_hours=joined(log.local_hours, hours % _DAY_HOURS),
        weekdays=joined(log.weekdays, weekdays % _WEEK_DAYS),
        attributes=log.attributes[prefixes.rows],
        numbers=log.numbers[prefixes.rows],
        won=log.won[prefixes.rows],
        n_actions=log.n_actions,
    )
