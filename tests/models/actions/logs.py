"""Small logs of cases, written as lists."""

from collections.abc import Sequence

import numpy as np

from models.actions.action_log import FIRST_ACTION, ActionLog

HOUR = 3600
MONDAY = 1_736_121_600  # 2025-01-06 00:00 UTC


def log_of(
    *cases: Sequence[int],
    n_kinds: int = 5,
    hours: float = 24.0,
    attributes: Sequence[int] | None = None,
    numbers: Sequence[float] | None = None,
    won: Sequence[float] | None = None,
) -> ActionLog:
    """Each case is a list of action numbers from 0 on; a case begins a day after the one before.

    Args: hours: between actions.
    """
    lengths = [len(case) for case in cases]
    seconds = [
        MONDAY + 24 * HOUR * number + round(hours * HOUR) * step
        for number, case in enumerate(cases)
        for step in range(len(case))
    ]
    times = np.array(seconds, np.int64)
    n = len(cases)
    return ActionLog(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        actions=np.array([action + FIRST_ACTION for case in cases for action in case], np.int32),
        seconds=times,
        local_hours=((times % (24 * HOUR)) / HOUR).astype(np.float32),
        weekdays=((times // (24 * HOUR) + 3) % 7).astype(np.int8),
        attributes=np.array(attributes if attributes is not None else [0] * n, np.int32)[:, None],
        numbers=np.array(numbers if numbers is not None else [0.0] * n, np.float32)[:, None],
        won=np.array(won if won is not None else [np.nan] * n, np.float32),
        n_actions=n_kinds + FIRST_ACTION,
    )


def rest(*actions: int) -> tuple[int, ...]:
    """Action numbers as a remainder."""
    return tuple(action + FIRST_ACTION for action in actions)
