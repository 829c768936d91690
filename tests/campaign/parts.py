"""The parts of the campaign: what each tries, as what, and what is a fault in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.campaign import alert_stores, kills, malformed, nights, training, whole_night
from tests.campaign.bench import Bench


@dataclass(frozen=True)
class Part:
    """One part; `minutes` is about what it takes on two idle cores, all its steps together."""

    name: str
    what: str
    run: Callable[[Bench], Counter[str]]
    faults: tuple[str, ...]
    minutes: int


def _probe(probe: kills.Probe) -> Callable[[Bench], Counter[str]]:
    """A probe that runs for as long as it is given, in a folder of its own."""
    return lambda bench: probe(bench.fresh("data"), bench.seed, bench.seconds)


PARTS = {
    part.name: part
    for part in (
        Part(
            "lake",
            "two attempts of one run, killed; functions of the lake",
            _probe(kills.lake_attempts),
            ("half versions", "orphans"),
            1,
        ),
        Part(
            "alerts",
            "a night published again, killed; functions of the alert store",
            _probe(kills.alert_store),
            ("half nights",),
            1,
        ),
        Part(
            "locks",
            "nights of one source at once; the lock of `larder nightly`",
            _probe(nights.two_at_once),
            ("nights beside another",),
            1,
        ),
        Part(
            "at-once",
            "one night published by three at once, under one run name and under two; functions of the alert store",
            alert_stores.at_once,
            ("doubled", "lost", "writers that failed"),
            1,
        ),
        Part(
            "postgres",
            "PostgreSQL ends the connection, or dies, at each statement of a publication",
            alert_stores.postgres_lost,
            ("half nights", "lost", "tracebacks"),
            2,
        ),
        Part(
            "malformed",
            "deliveries, model files and requests that are none; the functions that read them",
            malformed.refusals,
            (malformed.FAULT,),
            1,
        ),
        Part(
            "training",
            "a worker killed at ten steps, checkpoints of which half is there; the worker's process",
            training.killed_and_spoiled,
            ("other weights", "other metrics"),
            4,
        ),
        Part(
            "jobs",
            "a night's jobs killed at 20 moments, beside an independent reader; each job's `main()`",
            whole_night.killed_jobs,
            whole_night.FAULTS,
            10,
        ),
        Part(
            "nights",
            "`larder nightly` killed at 20 moments and resumed, beside an independent reader; Airflow included",
            whole_night.killed_nights,
            whole_night.FAULTS,
            20,
        ),
    )
}
