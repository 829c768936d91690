"""Alerts published at once by several writers, and on a PostgreSQL that goes away at each statement.

A night's alerts are there once and whole, its incidents are moved once, its digest is sent once: whoever publishes
beside whom, and whatever becomes of the database.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from pipeline import notices
from pipeline.alerts.digest import send_digest
from pipeline.alerts.incident_models import Incident, IncidentEvent
from pipeline.alerts.models import AnomalyAlert, Publication, StockoutAlert
from pipeline.alerts.publish import publish_alerts
from pipeline.alerts.store import AlertStoreError, make_engine, opened
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from tests.campaign.bench import Bench
from tests.campaign.kills import DAY, SIZES, fill
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.postgres import Cluster, running
from tests.published_tables import publish_rows

FORK = multiprocessing.get_context("fork")
ROUNDS = 20
WRITERS = 3


def at_once(bench: Bench) -> Counter[str]:
    """Writers that publish one night at the same moment: under one run name, and under two with other alerts."""
    settings = Settings(data_dir=bench.fresh("data"))
    workspace = Workspace.of(settings, "shop")
    fill(workspace)
    counted = Counter({"doubled": 0, "lost": 0, "writers that failed": 0})
    sent = bench.folder / "sent"
    for number in range(ROUNDS):
        day = DAY + timedelta(days=number)
        runs = [_night(workspace, day, name, size) for name, size in SIZES.items()]
        chosen = [runs[0]] * WRITERS if number % 2 else [runs[at % len(runs)] for at in range(WRITERS)]
        ready = FORK.Barrier(WRITERS)
        writers = [FORK.Process(target=_publish, args=(settings, workspace, run, ready, sent)) for run in chosen]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        counted["nights"] += 1
        counted["publications at once"] += WRITERS
        counted["writers that failed"] += sum(writer.exitcode != 0 for writer in writers)
        counted.update(_found(settings, day, sent))
    return counted


def _night(workspace: Workspace, day: Any, name: str, size: int) -> Run:
    """A run of that night which made so many stock-outs, and one anomaly."""
    run = Run("shop", day, f"{name}-{day}")
    named = {"version": run.run_id, "business_date": day}
    rows = [stockout(product_id=f"p{number}", short_on=day) for number in range(size)]
    publish_rows(workspace, "stockouts", *rows, **named)
    publish_rows(workspace, "anomalies", anomaly(observed_on=day), **named)
    return run


def _publish(settings: Settings, workspace: Workspace, run: Run, ready: Barrier, sent: Path) -> None:
    def keep(title: str, _body: str) -> bool:
        with sent.open("a") as file:
            file.write(f"{title}\n")
        return True

    # Addresses and sending are what leaves the machine; all else is as in a night.
    notices.send, notices.configured_addresses = keep, lambda: ["json://127.0.0.1"]
    ready.wait()
    publish_alerts(settings, workspace, "shop", run)
    send_digest(settings, "shop", run.business_date)


def _found(settings: Settings, day: Any, sent: Path) -> Counter[str]:
    """What is there twice, and what is not there at all."""
    with opened(settings) as engine, Session(engine) as session:
        night = session.get_one(Publication, ("shop", day))
        key = {"source": "shop", "business_date": day}
        alerts = session.scalars(select(StockoutAlert).filter_by(**key)).all()
        subjects = session.scalars(select(Incident.subject).filter_by(is_live=True, last_seen=day)).all()
        opened_twice = select(IncidentEvent.incident_id).filter_by(action="opened").group_by(IncidentEvent.incident_id)
        twice = session.scalars(opened_twice.having(func.count() > 1)).all()
        n_anomalies = session.scalar(select(func.count()).select_from(AnomalyAlert).filter_by(**key))
    digests = sent.read_text().splitlines() if sent.is_file() else []
    return Counter(
        {
            "doubled": len(twice) + len(subjects) - len(set(subjects)) + len(digests) - len(set(digests)),
            "lost": abs(len(alerts) - SIZES[night.run_id.partition("-")[0]]) + abs((n_anomalies or 0) - 1),
        }
    )


def postgres_lost(bench: Bench) -> Counter[str]:
    """A server that ends the connection, or dies itself, before each statement and commit of a publication."""
    counted = Counter({"half nights": 0, "lost": 0, "tracebacks": 0})
    with running(fsync=True) as cluster:
        settings = Settings(data_dir=bench.fresh("data"), database_url=SecretStr(cluster.url))
        workspace = Workspace.of(settings, "shop")
        fill(workspace)
        _settle(settings, workspace, "run1", counted)
        for go_away in (_end_connection, _die):
            number, was_reached = 1, True
            while was_reached:
                was_reached = _lose(settings, workspace, partial(go_away, cluster), number, counted)
                number += 1
            _settle(settings, workspace, "run1", counted)
    return counted


def _lose(
    settings: Settings, workspace: Workspace, go_away: Callable[[], None], number: int, counted: Counter[str]
) -> bool:
    """Publish the other run, while the database goes away before the statement of that number; whether it had one."""
    before = _state(settings)
    other = next(run_id for run_id in SIZES if run_id != before[0])
    with _before_statement(number, go_away) as reached:
        try:
            publish_alerts(settings, workspace, "shop", Run("shop", DAY, other))
        except AlertStoreError as error:
            counted["refused in one line"] += "\n" not in str(error)
        except Exception:  # any other error would reach an operator with its trace
            counted["tracebacks"] += 1
    if not reached:
        return False
    counted["losses"] += 1
    after = _state(settings)
    counted["half nights"] += after not in (before, (other, SIZES[other], SIZES[other]))
    _settle(settings, workspace, other, counted)
    return True


def _settle(settings: Settings, workspace: Workspace, run_id: str, counted: Counter[str]) -> None:
    """Publish it undisturbed: it is then there."""
    publish_alerts(settings, workspace, "shop", Run("shop", DAY, run_id))
    counted["lost"] += _state(settings) != (run_id, SIZES[run_id], SIZES[run_id])


def _state(settings: Settings) -> tuple[str, int, int]:
    """The published run, its stock-outs, and the live incidents of stock-outs."""
    engine = make_engine(settings)
    try:
        with Session(engine) as session:
            night = session.scalars(select(Publication)).one()
            alerts = session.scalars(select(StockoutAlert.run_id)).all()
            live = session.scalar(select(func.count()).select_from(Incident).filter_by(kind="stockout", is_live=True))
    finally:
        engine.dispose()
    return night.run_id, alerts.count(night.run_id) if len(set(alerts)) == 1 else -1, live or 0


@contextmanager
def _before_statement(number: int, do: Callable[[], None]) -> Iterator[list[int]]:
    """Do it once, before the statement (or commit) of that number of any connection; the list is then not empty."""
    seen: list[int] = []
    reached: list[int] = []

    def count(*_: Any) -> None:
        seen.append(1)
        if len(seen) == number:
            reached.append(number)
            do()

    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, count)
    try:
        yield reached
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(Engine, name, count)


def _end_connection(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        connection.execute(others + " AND backend_type = 'client backend'")


def _die(cluster: Cluster) -> None:
    cluster.stop()
    cluster.start()
