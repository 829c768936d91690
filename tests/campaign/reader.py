"""An independent reader: a process that reads the current version of every table and the alert store, all the time.

Whatever a writer does or however it dies, a reader gets the version before or the new one, whole: the rows that its
manifest promises, in files that open; and of the alert store a night whose alerts are as many as it says.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pipeline.alerts.incident_models import Incident
from pipeline.alerts.models import AnomalyAlert, Publication, StockoutAlert
from pipeline.alerts.store import make_engine
from pipeline.lake.lake import Lake
from pipeline.settings import Settings
from pipeline.tables.catalog import TABLES

SPAWN = multiprocessing.get_context("spawn")
LOOKED_FOR = ("half versions", "steps back", "half nights", "unreadable nights")
PAUSE = 0.05  # a reader that read without a pause would take the writers' processor


@contextmanager
def reading(data: Path, source: str) -> Iterator[Counter[str]]:
    """Read until the block ends; the counter is filled then.

    Raises: RuntimeError: the reader itself ended before, so what it saw is not known.
    """
    found: Counter[str] = Counter()
    ended, (ours, theirs) = SPAWN.Event(), SPAWN.Pipe()
    process = SPAWN.Process(target=_read_on, args=(data, source, ended, theirs))
    process.start()
    theirs.close()  # so that the report ends with the process that owes it
    try:
        yield found
    finally:
        ended.set()
        try:
            found.update(ours.recv())
        except EOFError as error:
            raise RuntimeError("the reader ended before it reported; its traceback stands above") from error
        finally:
            process.join(10)
            process.kill()


def _read_on(data: Path, source: str, ended: Event, report: Connection) -> None:
    settings = Settings(data_dir=data)
    lake, counted = Lake(data / source / "lake"), Counter(dict.fromkeys(LOOKED_FOR, 0))
    seen: dict[str, list[str]] = {}
    while True:
        is_last = ended.is_set()  # whatever was written before the end is read once
        for table in TABLES:
            version = _look(lake, table, counted)
            before = seen.setdefault(table, [])
            if version is not None and version not in before[-1:]:
                counted["steps back"] += version in before
                before.append(version)
        _look_at_alerts(settings, data / "alerts.db", counted)
        if is_last:
            break
        time.sleep(PAUSE)
    report.send(counted)


def _look(lake: Lake, table: str, counted: Counter[str]) -> str | None:
    """The version that a reader of the table gets, which is held to its manifest; None before the first."""
    version = lake.current(table)
    if version is None:
        return None
    try:
        files = sorted((lake.root / table / "versions" / version / "data").rglob("*.parquet"))
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        is_whole = rows == lake.manifest(table, version).rows
    except Exception:  # whatever it is, a reader could not read
        is_whole = False
    if not is_whole and lake.current(table) == version:  # else it was replaced and has expired meanwhile
        counted["half versions"] += 1
    counted["versions read"] += 1
    return version


def _look_at_alerts(settings: Settings, path: Path, counted: Counter[str]) -> None:
    """Every night has the alerts that it says, and the latest the live incidents; nothing before the first."""
    if not path.is_file():
        return
    engine = make_engine(settings)
    try:
        with Session(engine) as session:
            nights = session.scalars(select(Publication).order_by(Publication.business_date)).all()
            for night in nights:
                key = {"source": night.source, "business_date": night.business_date}
                sizes = [session.scalar(select(func.count()).select_from(model).filter_by(**key)) for model in _KINDS]
                counted["half nights"] += sizes != [night.stockouts, night.anomalies]
            if nights:
                seen = {"source": nights[-1].source, "last_seen": nights[-1].business_date}
                live = session.scalar(select(func.count()).select_from(Incident).filter_by(is_live=True, **seen))
                counted["half nights"] += live != nights[-1].stockouts + nights[-1].anomalies
        counted["nights read"] += len(nights)
    except DBAPIError as error:
        counted["unreadable nights"] += "no such table" not in str(error)
    finally:
        engine.dispose()


_KINDS = (StockoutAlert, AnomalyAlert)
