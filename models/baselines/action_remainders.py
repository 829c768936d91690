"""What a user would pick instead of a network for the next actions of a case: counts of what followed before.

The context of a case is its latest actions. Each method looks for the longest context that training cases had, and
shortens it until there is one; the empty context is known always. A case that is asked about is open, so that at least
one action follows.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from models.actions.action_log import ActionLog, Prefixes
from models.actions.consensus import Remainder, consensus
from models.refusal import Refusal
from models.special_ids import END

Key = TypeVar("Key", int, tuple[int, ...])

_LONGEST_CONTEXT = 20
_MOST_REMAINDERS = 400  # of a context, the most frequent ones: distances grow with their square


class ActionPredictor(Protocol):
    """A method that predicts the rest of cases."""

    def fit(self, log: ActionLog, weights: np.ndarray) -> None:
        """Train on whole cases; float [N] weighs them, 0 leaves a case out."""

    def predict(self, log: ActionLog, prefixes: Prefixes) -> list[Remainder]:
        """The rest of each case, without END; at least one action."""

    def next_probabilities(self, log: ActionLog, prefixes: Prefixes) -> np.ndarray:
        """Probability of each action to be the next one; float64 [B, V]."""


class ContextCounts:
    """How often each remainder and each next action followed each context, weighted by case."""

    def __init__(self, log: ActionLog, weights: np.ndarray) -> None:
        self.n_actions = log.n_actions
        # Plain dictionaries, which can be sent to executors.
        self.remainders: dict[Remainder, dict[Remainder, float]] = {}
        self.following: dict[Remainder, dict[int, float]] = {}
        for row in np.flatnonzero(weights > 0).tolist():
            case, weight = tuple(log.case(row).tolist()), float(weights[row])
            for end in range(1, len(case) + 1):
                rest = case[end:]
                symbol = rest[0] if rest else END
                for length in range(min(end, _LONGEST_CONTEXT) + 1):
                    context = case[end - length : end]
                    _add(self.following, context, symbol, weight)
                    if rest:
                        _add(self.remainders, context, rest, weight)
        if not self.remainders:
            raise Refusal("no training case has a second action; deliver longer cases")

    def longest_known(self, done: Remainder, known: Mapping[Remainder, Any]) -> Remainder:
        """The longest end of `done` that is known."""
        for length in range(min(len(done), _LONGEST_CONTEXT), 0, -1):
            if done[-length:] in known:
                return done[-length:]
        return ()

    def next_probabilities(self, done: Remainder) -> np.ndarray:
        """Of each action to come next, given that one comes; float64 [V]."""
        counts = np.zeros(self.n_actions)
        for rest, weight in self.remainders[self.longest_known(done, self.remainders)].items():
            counts[rest[0]] += weight
        probabilities: np.ndarray = counts / counts.sum()
        return probabilities


class _ByContext:
    """Predicts from counts by context; `_choose` says which remainder."""

    _counts: ContextCounts

    def fit(self, log: ActionLog, weights: np.ndarray) -> None:
        """Count."""
        self._counts = ContextCounts(log, weights)
        self._chosen: dict[Remainder, Remainder] = {}

    def predict(self, log: ActionLog, prefixes: Prefixes) -> list[Remainder]:
        """A remainder per prefix."""
        return [self._remainder(done) for done in _done(log, prefixes)]

    def next_probabilities(self, log: ActionLog, prefixes: Prefixes) -> np.ndarray:
        """Shares of the actions that came next."""
        return np.stack([self._counts.next_probabilities(done) for done in _done(log, prefixes)])

    def _remainder(self, done: Remainder) -> Remainder:
        context = self._counts.longest_known(done, self._counts.remainders)
        if context not in self._chosen:
            self._chosen[context] = self._choose(context)
        return self._chosen[context]

    def _choose(self, context: Remainder) -> Remainder:
        raise NotImplementedError


class FrequentRemainder(_ByContext):
    """The most frequent remainder of the longest known context."""

    def _choose(self, context: Remainder) -> Remainder:
        return _most_common(self._counts.remainders[context], 1)[0][0]


class MedoidRemainder(_ByContext):
    """The known remainder of the longest known context that is most similar to all of them."""

    def _choose(self, context: Remainder) -> Remainder:
        return consensus(dict(_most_common(self._counts.remainders[context], _MOST_REMAINDERS)))


class NgramRemainder(_ByContext):
    """Action by action, each the most frequent after the longest known context, until the end is."""

    def __init__(self, longest: int = 30) -> None:
        self._longest = longest

    def _remainder(self, done: Remainder) -> Remainder:
        rest: Remainder = ()
        for position in range(self._longest):
            context = self._counts.longest_known(done + rest, self._counts.following)
            ranked = _most_common(self._counts.following[context], None)
            # An open case has one more action.
            symbol = next((each for each, _ in ranked if position > 0 or each != END), None)
            if symbol is None or symbol == END:
                break
            rest = (*rest, symbol)
        return rest or _most_common(self._counts.remainders[()], 1)[0][0][:1]


METHODS: dict[str, Callable[[], ActionPredictor]] = {
    "frequent_remainder": FrequentRemainder,
    "actions_ngram": NgramRemainder,
    "actions_medoid": MedoidRemainder,
}


def _done(log: ActionLog, prefixes: Prefixes) -> list[Remainder]:
    pairs = zip(prefixes.rows.tolist(), prefixes.ends.tolist(), strict=True)
    return [tuple(log.case(row)[:end].tolist()) for row, end in pairs]


def _add(counts: dict[Remainder, dict[Key, float]], context: Remainder, what: Key, weight: float) -> None:
    of_context = counts.setdefault(context, {})
    of_context[what] = of_context.get(what, 0.0) + weight


def _most_common(counts: Mapping[Key, float], most: int | None) -> list[tuple[Key, float]]:
    """The largest counts first; equal ones in order of their keys, so that the order of cases changes nothing."""
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ranked[:most]
