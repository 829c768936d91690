"""Cases of a process as flat arrays: who the customer is, and which actions were taken when.

Action indices are those of `models/special_ids.py`: END ends a case, real actions begin at FIRST_ACTION. A case lies
from `offsets[i]` to `offsets[i + 1]`, its actions in order of time.
"""

from dataclasses import dataclass

import numpy as np

from models.ragged import offsets_of, ranges
from models.special_ids import FIRST_PRODUCT

FIRST_ACTION = FIRST_PRODUCT


@dataclass(frozen=True)
class ActionLog:
    """N cases with M actions in all, and what is known of each case from its start.

    Args:
        offsets: int64 [N + 1].
        actions: int32 [M], indices.
        seconds: int64 [M], since 1970 UTC, never falling within a case.
        local_hours: float32 [M], hour of the day where the work is done; weekdays: int8 [M], Monday 0.
        attributes: int32 [N, A], hashes of what the source says of the case; 0 where it says nothing.
        numbers: float32 [N, K], not a number where the source says nothing.
        won: float32 [N], 1 or 0; not a number where the outcome is not known.
        n_actions: vocabulary size, special indices included.
    """

    offsets: np.ndarray
    actions: np.ndarray
    seconds: np.ndarray
    local_hours: np.ndarray
    weekdays: np.ndarray
    attributes: np.ndarray
    numbers: np.ndarray
    won: np.ndarray
    n_actions: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Actions of each case; int64 [N]."""
        lengths: np.ndarray = np.diff(self.offsets)
        return lengths

    @property
    def first_seconds(self) -> np.ndarray:
        """Start of each case; int64 [N]. Every case has an action."""
        first: np.ndarray = self.seconds[self.offsets[:-1]]
        return first

    def case(self, row: int) -> np.ndarray:
        """Actions of one case; int32 [its length]."""
        actions: np.ndarray = self.actions[self.offsets[row] : self.offsets[row + 1]]
        return actions

    def select(self, rows: np.ndarray) -> "ActionLog":
        """Some cases, in that order; int64 [n] or bool [N]."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        positions = ranges(self.offsets[rows], self.lengths[rows])
        return ActionLog(
            offsets=offsets_of(self.lengths[rows]),
            actions=self.actions[positions],
            seconds=self.seconds[positions],
            local_hours=self.local_hours[positions],
            weekdays=self.weekdays[positions],
            attributes=self.attributes[rows],
            numbers=self.numbers[rows],
            won=self.won[rows],
            n_actions=self.n_actions,
        )


@dataclass(frozen=True)
class Prefixes:
    """Moments of cases: what was done so far, and the rest, which is to be predicted.

    Args: rows: int64 [B], cases of a log; ends: int64 [B], actions done so far, at least 1 and fewer than the case has.
    """

    rows: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, chosen: np.ndarray) -> "Prefixes":
        """Some of them, by position or bool [B]."""
        return Prefixes(self.rows[chosen], self.ends[chosen])


def prefixes_of(log: ActionLog, shortest: int = 1) -> Prefixes:
    """Every moment of every case with at least `shortest` actions done and one to come."""
    count = np.maximum(log.lengths - shortest, 0)
    rows = np.repeat(np.arange(len(log)), count)
    return Prefixes(rows, ranges(np.full(len(log), shortest), count))


def remainders(log: ActionLog, prefixes: Prefixes) -> list[tuple[int, ...]]:
    """The actions after each prefix, without END."""
    pairs = zip(prefixes.rows.tolist(), prefixes.ends.tolist(), strict=True)
    return [tuple(log.case(row)[end:].tolist()) for row, end in pairs]
