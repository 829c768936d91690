"""Writers killed with SIGKILL at random moments, while a reader holds every state it sees to the rules.

Each probe takes a seed and a bound in seconds, and returns what it counted; everything named a fault must be 0.
"""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.alerts.incident_models import Incident
from pipeline.alerts.models import Publication, StockoutAlert
from pipeline.alerts.publish import publish_alerts
from pipeline.alerts.store import make_engine
from pipeline.lake.lake import Lake
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from tests.factories import anomaly, basket, prediction, product, stockout, transaction
from tests.pipeline.lake.writer import FILES, TABLE, attempt_for_ever, publish
from tests.published_tables import publish_rows

Probe = Callable[[Path, int, float], Counter[str]]
FORK = multiprocessing.get_context("fork")
LONGEST_LIFE = 0.15  # seconds that a writer lives at most, so that kills meet it in every step
DAY = date(2026, 3, 1)
SIZES = {"run1": 1, "run2": 3}


def lake_attempts(folder: Path, seed: int, seconds: float) -> Counter[str]:
    """Two attempts at the same runs, killed one after the other; a reader reads the current version all the time."""
    lake, counted = Lake(folder), Counter[str]()
    publish(lake, "first")

    def read() -> None:
        version = lake.resolve(TABLE)
        parts = [path.read_text() for path in lake.path(TABLE, version).iterdir()]
        counted["reads"] += 1
        counted["half versions"] += parts != [version] * FILES

    counted["kills"] = _kill(lambda: attempt_for_ever(folder), read, seed, seconds, writers=2)
    for left in lake.folders(TABLE):
        if not lake.is_published(TABLE, left.name):
            publish(lake, left.name)
    for version in lake.versions(TABLE):
        parts = [path.read_text() for path in lake.path(TABLE, version).iterdir()]
        counted["half versions"] += parts != [version] * FILES
    lake.expire(TABLE, keep=2)
    counted["orphans"] = len(lake.folders(TABLE)) - len(lake.versions(TABLE)) + _files(folder / TABLE / "removed")
    return counted


def alert_store(folder: Path, seed: int, seconds: float) -> Counter[str]:
    """One night published again and again with one alert and with three, by writers that are killed."""
    settings, counted = Settings(data_dir=folder), Counter[str]()
    workspace = Workspace.of(settings, "shop")
    fill(workspace)
    publish_alerts(settings, workspace, "shop", Run("shop", DAY, "run1"))

    def write() -> None:
        while True:
            for run_id in SIZES:
                publish_alerts(settings, workspace, "shop", Run("shop", DAY, run_id))

    engine = make_engine(settings)

    def read() -> None:
        with Session(engine) as session:
            night = session.scalars(select(Publication)).one()
            found = Counter(session.scalars(select(StockoutAlert.run_id)))
            live = session.scalar(select(func.count()).select_from(Incident).filter_by(kind="stockout", is_live=True))
        counted["reads"] += 1
        is_whole = found == {night.run_id: SIZES[night.run_id]} and live == night.stockouts
        counted["half nights"] += not is_whole

    read()
    engine.dispose()  # no connection is shared with a forked writer
    counted["kills"] = _kill(write, read, seed, seconds, writers=1, before_fork=engine.dispose)
    for run_id in SIZES:
        publish_alerts(settings, workspace, "shop", Run("shop", DAY, run_id))
        read()
    engine.dispose()
    return counted


def fill(workspace: Workspace) -> None:
    """A lake in which two runs of one night made one stock-out and three."""
    publish_rows(workspace, "transactions", transaction())
    publish_rows(workspace, "baskets", basket())
    publish_rows(workspace, "products", product())
    for run_id, n_stockouts in SIZES.items():
        publish_rows(workspace, "predictions", prediction(), version=run_id)
        shelves = [stockout(product_id=f"p{number}") for number in range(n_stockouts)]
        publish_rows(workspace, "stockouts", *shelves, version=run_id)
        publish_rows(workspace, "anomalies", anomaly(), version=run_id)


def _kill(
    write: Callable[[], None],
    read: Callable[[], None],
    seed: int,
    seconds: float,
    *,
    writers: int,
    before_fork: Callable[[], None] = lambda: None,
) -> int:
    """Start writers, read until one is to die, kill it, start it again; returns how many were killed."""
    chance, until, kills = random.Random(seed), time.monotonic() + seconds, 0
    before_fork()
    living = [FORK.Process(target=write) for _ in range(writers)]
    for process in living:
        process.start()
    try:
        while time.monotonic() < until:
            dies_at = time.monotonic() + chance.random() * LONGEST_LIFE
            while time.monotonic() < dies_at:
                read()
            number = chance.randrange(writers)
            living[number].kill()
            living[number].join()
            kills += 1
            before_fork()
            living[number] = FORK.Process(target=write)
            living[number].start()
    finally:
        for process in living:
            process.kill()
            process.join()
    return kills


def _files(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())
