"""Training, validation and held-out moments of cases, from the tables `actions` and `cases`.

A case teaches once its end is known, before the held-out days. Every moment of such a case with an action to come is an
example. Cases whose end became known within the held-out days, none of which is trained on, measure the model: their
moments in those days. A tenth of the training cases, by the hash of their id, validates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from models.actions.action_log import FIRST_ACTION, ActionLog, Prefixes, prefixes_of
from models.days import epoch_day
from models.keys import keys_of
from models.refusal import Refusal
from models.special_ids import UNKNOWN
from pipeline.action_rules import ActionRules
from pipeline.dataset.action_batches import action_batch
from pipeline.dataset.case_weights import case_weights
from pipeline.dataset.epoch_order import batch_rows
from pipeline.settings import TrainingSettings
from pipeline.task import Batch

_DAY_SECONDS = 86_400
_VALIDATION_ONE_IN = 10
_ATTRIBUTE_HASHES = 2**31 - 1


@dataclass(frozen=True)
class NamedLog:
    """A log, and the names behind its numbers.

    Args:
        case_ids: object [N]; agents: object [N], None where nobody is named.
        action_names: names of the indices from FIRST_ACTION on.
        ended_days: float64 [N], day since 1970 on which the case's end was known; not a number where it is open.
    """

    log: ActionLog
    case_ids: np.ndarray
    agents: np.ndarray
    action_names: tuple[str, ...]
    ended_days: np.ndarray


def read_log(actions: Path, cases: Path, action_names: Sequence[str] | None = None) -> NamedLog:
    """Both tables as one log, cases in order of their first action.

    Args:   action_names: of a model; actions it does not know become UNKNOWN. Default: all names, in their order.
    Raises: Refusal: where there is no action.
    """
    columns = ["case_id", "position", "acted_at_utc", "local_hour", "acted_on", "action"]
    lines = ds.dataset(actions, format="parquet").to_table(columns=columns)
    lines = lines.sort_by([("case_id", "ascending"), ("position", "ascending")])
    if lines.num_rows == 0:
        raise Refusal(f"{actions} holds no action; deliver the files of [actions]")
    ids, starts = np.unique(np.array(lines["case_id"].to_pylist(), object), return_index=True)
    known = ds.dataset(cases, format="parquet").to_table()
    known = known.sort_by("case_id")
    if known["case_id"].to_pylist() != ids.tolist():
        raise Refusal(f"{cases} holds other cases than {actions}; run ingest_actions again")
    names = tuple(sorted(set(lines["action"].to_pylist()))) if action_names is None else tuple(action_names)
    log = _log(lines, known, starts, names)
    order = np.lexsort((np.arange(len(ids)), log.first_seconds))
    return NamedLog(
        log.select(order),
        ids[order],
        np.array(known["agent"].to_pylist(), object)[order],
        names,
        _days(known["ended_on"])[order],
    )


def read_taught_log(actions: Path, cases: Path, business_date: date, settings: TrainingSettings) -> NamedLog:
    """Both tables; actions that no case did whose end was known before the held-out days are UNKNOWN.

    Raises: Refusal: see `read_log`.
    """
    named = read_log(actions, cases)
    taught = named.log.select(named.ended_days < _cutoff(business_date, settings)).actions
    names = tuple(named.action_names[index - FIRST_ACTION] for index in np.unique(taught).tolist())
    return named if names == named.action_names else read_log(actions, cases, names)


def _cutoff(business_date: date, settings: TrainingSettings) -> int:
    """First of the held-out days, since 1970."""
    return epoch_day(business_date - timedelta(days=settings.holdout_days))


def _days(column: pa.ChunkedArray) -> np.ndarray:
    """Days since 1970, not a number where there is none; float64 [N]."""
    days: np.ndarray = column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return days


def _log(lines: pa.Table, cases: pa.Table, starts: np.ndarray, names: tuple[str, ...]) -> ActionLog:
    index = {name: number + FIRST_ACTION for number, name in enumerate(names)}
    moments = lines["acted_at_utc"].cast(pa.timestamp("us", "UTC")).to_numpy()
    days = lines["acted_on"].cast(pa.date32()).to_numpy().astype("datetime64[D]").astype(np.int64)
    outcome = np.array(cases["outcome"].to_pylist(), object)
    return ActionLog(
        offsets=np.append(starts, lines.num_rows).astype(np.int64),
        actions=np.array([index.get(name, UNKNOWN) for name in lines["action"].to_pylist()], np.int32),
        seconds=moments.astype("datetime64[s]").astype(np.int64),
        local_hours=lines["local_hour"].to_numpy().astype(np.float32),
        weekdays=((days + 3) % 7).astype(np.int8),
        attributes=attribute_hashes(cases["attributes"].to_pylist()),
        numbers=number_array(cases["numbers"].to_pylist()),
        won=np.where(outcome == "won", 1.0, np.where(outcome == "lost", 0.0, np.nan)).astype(np.float32),
        n_actions=len(names) + FIRST_ACTION,
    )


def attribute_hashes(attributes: Sequence[Sequence[str] | None]) -> np.ndarray:
    """Each `name=value` as a number above 0; int32 [N, most of one case], 0 padded."""
    width = max((len(each or ()) for each in attributes), default=0)
    hashes = np.zeros((len(attributes), max(width, 1)), np.int32)
    for row, each in enumerate(attributes):
        if each:
            hashes[row, : len(each)] = 1 + keys_of(np.array(each, object)) % _ATTRIBUTE_HASHES
    return hashes


def one_in_ten(case_ids: np.ndarray) -> np.ndarray:
    """A tenth of the cases, by their ids alone; bool [N]."""
    chosen: np.ndarray = keys_of(case_ids) % _VALIDATION_ONE_IN == 0
    return chosen


def number_array(numbers: Sequence[Sequence[Mapping[str, Any]] | None]) -> np.ndarray:
    """The `value` of each numeric attribute; float32 [N, most of one case], not a number where one is missing."""
    width = max((len(each or ()) for each in numbers), default=0)
    filled = np.full((len(numbers), width), np.nan, np.float32)
    for row, each in enumerate(numbers):
        if each:
            filled[row, : len(each)] = [np.nan if one["value"] is None else one["value"] for one in each]
    return filled


class ActionExamples:
    """Moments of cases to train on, to validate with, and held out.

    Args:
        trains: bool [N], cases that teach; validates: bool [N], those of them that validate instead.
        held_out: moments on which models are measured, of no case that teaches.
        rules: how much a case weighs in the loss of its actions.
    Raises: Refusal: without a training moment.
    """

    def __init__(
        self,
        named: NamedLog,
        trains: np.ndarray,
        validates: np.ndarray,
        held_out: Prefixes,
        *,
        seed: int,
        longest_past: int,
        longest_rest: int,
        rules: ActionRules | None = None,
    ) -> None:
        self.named, self.log, self.held_out = named, named.log, held_out
        self._seed, self._longest_past, self._longest_rest = seed, longest_past, longest_rest
        self.weights = case_weights(self.log.won, named.agents, trains, rules or ActionRules())
        moments = prefixes_of(self.log)
        self.train = moments.select((trains & ~validates)[moments.rows])
        # Lost cases too: what they weigh nothing in, they add nothing to, and of winning they say half.
        self._validation = moments.select((trains & validates)[moments.rows])
        if not len(self.train) or not self.weights.any():
            raise Refusal("no case with two actions or more teaches; deliver more days, or lower training.holdout_days")

    @classmethod
    def as_of(
        cls, named: NamedLog, business_date: date, settings: TrainingSettings, *, longest_past: int, longest_rest: int
    ) -> "ActionExamples":
        """The examples of a night: what ended in the last `holdout_days` before the business date is held out."""
        log, cutoff = named.log, _cutoff(business_date, settings)
        last_days = log.seconds[log.offsets[1:] - 1] / _DAY_SECONDS
        # An end that only silence tells is known later than the last action; moments move back by as much.
        delay = np.maximum(named.ended_days - last_days, 0.0)
        moments = prefixes_of(log)
        done = log.seconds[log.offsets[moments.rows] + moments.ends - 1] / _DAY_SECONDS
        measured = named.ended_days >= cutoff
        return cls(
            named,
            named.ended_days < cutoff,
            one_in_ten(named.case_ids),
            moments.select(measured[moments.rows] & (done + delay[moments.rows] >= cutoff)),
            seed=settings.seed,
            longest_past=longest_past,
            longest_rest=longest_rest,
            rules=settings.actions,
        )

    @property
    def n_held_out(self) -> int:
        """Held-out moments."""
        return len(self.held_out)

    @property
    def has_outcomes(self) -> bool:
        """Whether won and lost cases are both among those that train."""
        known = self.log.won[np.unique(self.train.rows)]
        return bool((known == 1).any() and (known == 0).any())

    def arrays(self, prefixes: Prefixes) -> Batch:
        """Arrays of some moments."""
        return action_batch(
            self.log,
            prefixes,
            longest_past=self._longest_past,
            longest_rest=self._longest_rest,
            weights=self.weights,
        )

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of the training moments; the last one is filled up from the beginning."""
        return -(-len(self.train) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Moments in another order every epoch."""
        rows = batch_rows(len(self.train), self._seed, step, batch_size, worker=worker, workers=workers)
        return self.arrays(self.train.select(rows))

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """Moments of the validation cases in order."""
        for start in range(0, len(self._validation), batch_size):
            chosen = np.arange(start, min(start + batch_size, len(self._validation)))[worker::workers]
            if len(chosen):
                yield self.arrays(self._validation.select(chosen))
