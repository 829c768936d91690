"""The parts of the campaign: what each tries, as what, and what is a fault in it."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from tests.campaign.bench import Bench

PROBE_SECONDS = 20.0
UNREASONED = "used or without a reason"
NIGHT_FAULTS = (
    *("half versions", "steps back", "half nights", "unreadable nights", "other tables"),
    *("orphans", "MB grown", "tracebacks", "attempts that failed"),
)


@dataclass(frozen=True)
class Part:
    """One part.

    Args: where: its function, as `module:name` of this folder; modules are imported when they are needed, since some
          import TensorFlow, which takes seconds in every process of a part; minutes: about what it takes on two idle
          cores; seconds: after which a probe without an end has had enough.
    """

    name: str
    what: str
    where: str
    faults: tuple[str, ...]
    minutes: int
    seconds: float = math.inf

    def bound(self, given: float | None) -> float | None:
        """Seconds that a probe without an end of its own is given; None for a part that has one."""
        return None if math.isinf(self.seconds) else self.seconds if given is None else given

    def run(self, bench: Bench) -> Counter[str]:
        """One step of the part; a probe works in a folder of its own, for as long as it is given."""
        function: Callable[..., Any] = resolve_name(f"tests.campaign.{self.where}")
        if math.isinf(self.seconds):
            return Counter(function(bench))
        return Counter(function(bench.fresh("data"), bench.seed, bench.seconds))


PARTS = {
    part.name: part
    for part in (
        Part(
            "lake",
            "two attempts of one run, killed; functions of the lake",
            "kills:lake_attempts",
            ("half versions", "orphans"),
            1,
            PROBE_SECONDS,
        ),
        Part(
            "alerts",
            "a night published again, killed; functions of the alert store",
            "kills:alert_store",
            ("half nights",),
            1,
            PROBE_SECONDS,
        ),
        Part(
            "locks",
            "nights of one source at once; the lock of `larder nightly`",
            "nights:two_at_once",
            ("nights beside another",),
            1,
            PROBE_SECONDS,
        ),
        Part(
            "at-once",
            "one night published by three at once, under one run name and under two; functions of the alert store",
            "alert_stores:at_once",
            ("doubled", "lost", "writers that failed"),
            1,
        ),
        Part(
            "postgres",
            "PostgreSQL ends the connection, or dies, at each statement of a publication",
            "alert_stores:postgres_lost",
            ("half nights", "lost", "tracebacks"),
            2,
        ),
        Part(
            "malformed",
            "deliveries, model files and requests that are none; the functions that read them",
            "malformed:refusals",
            (UNREASONED,),
            1,
        ),
        Part(
            "training",
            "a worker killed at ten steps, checkpoints of which half is there; the worker's process",
            "training:killed_and_spoiled",
            ("other weights", "other metrics"),
            4,
        ),
        Part(
            "jobs",
            "a night's jobs killed at 20 moments, beside an independent reader; each job's `main()`",
            "whole_night:killed_jobs",
            NIGHT_FAULTS,
            10,
        ),
        Part(
            "full-disk",
            "the disk full at each job, then not; each job's `main()` on a small file system",
            "full_disk:at_each_job",
            ("other refusals", "tracebacks", "other tables", "half versions"),
            4,
        ),
        Part(
            "tracking-store",
            "MLflow's server down before, during and after the training; each job's `main()`",
            "tracking_store:down",
            ("nights without alerts", "nights without a reason", "tracebacks"),
            8,
        ),
        Part(
            "erase",
            "a customer erased after a night with its capabilities, and the next training; each job's `main()`",
            "erasing:erased",
            ("files with it after", "keys after the next training"),
            6,
        ),
        Part(
            "same-date",
            "one date five times from the same files; each job's `main()`, and one `larder nightly`",
            "same_date:five_times",
            ("other tables",),
            8,
        ),
        Part(
            "secrets",
            "five secrets searched for after and during `larder nightly`; Airflow included",
            "secrets:canaries",
            ("in files", "in command lines", "printed"),
            5,
        ),
        Part(
            "nights",
            "`larder nightly` killed at 20 moments and resumed, beside an independent reader; Airflow included",
            "whole_night:killed_nights",
            NIGHT_FAULTS,
            20,
        ),
    )
}
