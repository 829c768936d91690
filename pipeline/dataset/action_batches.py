"""Batches of cases at some moment: what was done so far, what is known of the case, and the rest as targets."""

import numpy as np

from models import fields
from models.actions.action_log import ActionLog, Prefixes
from models.ragged import positions_within, ranges
from models.special_ids import END

_DAY_SECONDS, _HOUR_SECONDS = 86_400.0, 3_600.0


def action_batch(
    log: ActionLog,
    prefixes: Prefixes,
    *,
    longest_past: int,
    longest_rest: int,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Arrays of `models/fields.py` for some moments of cases.

    A past of more than `longest_past` actions keeps its latest ones; a rest of more than `longest_rest` symbols, its
    END counted, is cut and then has no END. No array but the targets depends on anything after the moment.

    Args: weights: float [N], of the cases, default 1.
    """
    past, before = _past(log, prefixes, longest_past), log.offsets[prefixes.rows]
    ends = before + prefixes.ends
    batch = past | {
        fields.ATTRIBUTES: log.attributes[prefixes.rows].astype(np.int32),
        fields.NUMBERS: log.numbers[prefixes.rows].astype(np.float32),
    }
    return batch | _targets(log, prefixes, ends, longest_rest, weights)


def _past(log: ActionLog, prefixes: Prefixes, longest: int) -> dict[str, np.ndarray]:
    kept = np.minimum(prefixes.ends, longest)
    first = log.offsets[prefixes.rows]
    starts = first + prefixes.ends - kept
    lines = ranges(starts, kept)
    row, column = np.repeat(np.arange(len(prefixes)), kept), positions_within(kept)
    # Two columns at least: over one event alone, attention would be a softmax of one score.
    shape = (len(prefixes), int(kept.max(initial=2)))
    of_case = np.repeat(first, kept)
    # The first action of a case has none before it.
    gap = np.where(lines > of_case, log.seconds[lines] - log.seconds[np.maximum(lines - 1, of_case)], 0)
    values = {
        fields.EVENT_IDS: log.actions[lines].astype(np.int32),
        fields.EVENT_GAP_HOURS: (gap / _HOUR_SECONDS).astype(np.float32),
        fields.EVENT_ELAPSED_HOURS: ((log.seconds[lines] - log.seconds[of_case]) / _HOUR_SECONDS).astype(np.float32),
        fields.EVENT_LOCAL_HOURS: log.local_hours[lines].astype(np.float32),
        fields.EVENT_WEEKDAYS: log.weekdays[lines].astype(np.float32),
        fields.EVENT_DAYS: (log.seconds[lines] / _DAY_SECONDS).astype(np.float32),
    }
    arrays = {}
    for name, flat in values.items():
        arrays[name] = np.zeros(shape, flat.dtype)
        arrays[name][row, column] = flat
    return arrays


def _targets(
    log: ActionLog, prefixes: Prefixes, ends: np.ndarray, longest: int, weights: np.ndarray | None
) -> dict[str, np.ndarray]:
    rest = log.offsets[prefixes.rows + 1] - ends
    kept = np.minimum(rest, longest)
    lines = ranges(ends, kept)
    row, column = np.repeat(np.arange(len(prefixes)), kept), positions_within(kept)
    width = max(int(np.minimum(rest + 1, longest).max(initial=1)), 1)
    events = np.zeros((len(prefixes), width), np.int32)
    days = np.zeros((len(prefixes), width), np.float32)
    events[row, column] = log.actions[lines]
    days[row, column] = (log.seconds[lines] - log.seconds[lines - 1]) / _DAY_SECONDS
    whole = rest < longest
    events[np.flatnonzero(whole), rest[whole]] = END
    won = log.won[prefixes.rows]
    known = np.isfinite(won)
    return {
        fields.TARGET_EVENTS: events,
        fields.TARGET_DAYS: days,
        fields.TARGET_WON: np.where(known, won, 0.0).astype(np.float32),
        fields.TARGET_WON_KNOWN: known.astype(np.float32),
        fields.EXAMPLE_WEIGHTS: (np.ones(len(log)) if weights is None else weights)[prefixes.rows].astype(np.float32),
    }
