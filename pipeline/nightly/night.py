"""One night, started by hand: make sure there are raw files, then run a DAG once through Airflow.

Airflow runs in a session of its own with its output in a log; an interrupt ends it and all its jobs. It holds the
source's lock until it is gone: a second night of the source never runs beside an orphan of the first. A night that
was killed needs no repair: started again under its name it goes on behind the last table it published, under a new
name it makes new versions.
"""

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO

from pipeline.capabilities import CAPABILITIES
from pipeline.job_server.client import start_server
from pipeline.job_server.protocol import FOLDER
from pipeline.nightly.dag_runner import SUCCESS, DagRunner
from pipeline.nightly.environment import ONCE, airflow_environment, airflow_program, shared_spark
from pipeline.nightly.processes import MARK, end_marked, mark
from pipeline.nightly.running import Holder, NightFailed, locked, say_who_holds
from pipeline.settings import REPOSITORY, Settings
from pipeline.sources.last_day import last_action_day, last_day
from pipeline.sources.source import Source, SourceError
from pipeline.stages import Stage, read_stages
from pipeline.workspace import Workspace

NIGHTLY = "nightly"
POLL_SECONDS = 0.5
QUOTED_LINES = 8
QUOTES = ("Last spark-submit output:", "Last output of the job:")


# Someone is watching: a failure is shown at once, not retried, and nobody needs to be told that it takes long.
WATCHED = {"LARDER_TASK_RETRIES": "0", "LARDER_DEADLINE_HOURS": "0"}


@dataclass(frozen=True)
class Night:
    """What one night is about and where it keeps its record."""

    source: str
    business_date: date
    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """Everything that Airflow and the jobs said, in all attempts."""
        return self.folder / "airflow.log"

    @property
    def resume_command(self) -> str:
        """What takes the night up again after it was interrupted or has failed."""
        return self.command_of(NIGHTLY)

    def command_of(self, dag: str) -> str:
        """What runs a DAG for this night (again)."""
        source = f"--source {shlex.quote(self.source)}"
        if dag == NIGHTLY:
            return f"larder nightly {source} --resume {self.name}"
        for name, capability in CAPABILITIES.items():
            if capability.intake and dag in (name, capability.intake):
                return f"larder run {name} {source} --resume {self.name}"
        return f"larder run {dag} {source} --business-date {self.business_date}"

    @property
    def stop_command(self) -> str:
        """What ends the night and everything that it started, from another terminal."""
        return f"larder nightly --source {shlex.quote(self.source)} --stop {self.name}"


def plan_night(
    settings: Settings,
    source: Source,
    described_in: str,
    business_date: date | None,
    resumed: str | None = None,
    *,
    capability: str | None = None,
) -> Night:
    """A night of the source; without a date, as of the morning after the last delivered day.

    Args:   resumed: name of an interrupted night to take up again, as of its own business date;
            capability: that the night is for alone, one with an intake of its own.
    Raises: NightFailed: there is no such night, or it was about another business date.
    """
    workspace = Workspace.of(settings, source.name)
    if resumed is not None:
        day = _interrupted_day(workspace, resumed, (NIGHTLY, capability) if capability else (NIGHTLY,))
        if business_date not in (None, day):
            raise NightFailed(f"{resumed} is about {day}; leave --business-date out to take it up again")
        return Night(described_in, day, resumed, workspace.runs / resumed)
    delivered_until = last_day if capability is None else last_action_day
    day = business_date or delivered_until(source, workspace) + timedelta(days=1)
    name = f"{capability or NIGHTLY}-{day}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    return Night(described_in, day, name, workspace.runs / name)


def _interrupted_day(workspace: Workspace, name: str, kinds: tuple[str, ...]) -> date:
    """Business date of a night that `larder nightly` or `larder run` named."""
    known = sorted(path.name for kind in kinds for path in workspace.runs.glob(f"{kind}-*") if path.is_dir())
    if name not in known:
        shown = ", ".join(known[-3:]) or "none yet"
        raise NightFailed(f"no night {name} in {workspace.runs}; the latest are: {shown}")
    return date.fromisoformat(name.partition("-")[2][:10])


def prepare_files(source: Source, workspace: Workspace, say: Callable[[str], None]) -> None:
    """Make the raw files of a source that Larder itself prepares, once; others must be there.

    Raises: SourceError: no files, and none that Larder could make.
            NightFailed: making them failed.
    """
    try:
        if source.files or source.actions is None:
            source.delivered_files(workspace)
        else:
            source.files_of("actions", source.actions.files, workspace)
        return
    except SourceError:
        if not source.prepared_by.startswith("larder "):
            raise
    say(f"no files yet: {source.prepared_by}")
    command = [sys.executable, "-m", "pipeline.cli", *shlex.split(source.prepared_by)[1:]]
    if subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, check=False).returncode:
        raise NightFailed(f"`{source.prepared_by}` failed; its message stands above")


@dataclass(frozen=True)
class StartedNight:
    """A night that holds the source's lock, and the Airflow that runs its DAGs."""

    night: Night
    runner: DagRunner

    def run(self, dag: str, on_stage: Callable[[Stage], None], on_wait: Callable[[], None] = lambda: None) -> None:
        """Run a DAG to its end, calling `on_stage` for every record that a job writes, and `on_wait` in between.

        Raises: NightFailed: a task failed; the record of the failed stage is in the message.
        """
        earlier = len(read_stages(self.night.folder))
        self.runner.begin(dag)
        if _follow(self.runner, self.night, on_stage, on_wait, earlier) != SUCCESS:
            raise NightFailed(_what_failed(self.night, dag, earlier))


@contextmanager
def start_night(settings: Settings, night: Night) -> Iterator[StartedNight]:
    """Take the source's lock, make Airflow ready and start the night's Spark application; end all of it at the end.

    Raises: NightFailed: another night of the source is at work, or Airflow's tables cannot be made.
    """
    with _lock_of(night) as lock, night.log.open("ab") as log, shared_spark(settings) as shared:
        environment = airflow_environment(settings, ONCE) | WATCHED | mark() | shared
        say_who_holds(lock, Holder(night.name, environment[MARK], night.stop_command))
        with _ends_with_us(environment):
            if FOLDER in shared:
                # Its JVM starts while Airflow does.
                start_server(Path(shared[FOLDER]), environment, log)
            _migrate(environment, log)
            conf = {"source": night.source, "business_date": night.business_date.isoformat(), "run_name": night.name}
            yield StartedNight(night, DagRunner(environment, conf, log, lock))


def _follow(
    runner: DagRunner, night: Night, on_stage: Callable[[Stage], None], on_wait: Callable[[], None], seen: int
) -> str:
    """Show every record after the first `seen` until the run ends; its state."""
    state: str | None = None
    while state is None:
        state = runner.state(POLL_SECONDS)
        stages = read_stages(night.folder)
        for stage in stages[seen:]:
            on_stage(stage)
        seen = len(stages)
        on_wait()
    return state


def _migrate(environment: dict[str, str], log: IO[bytes]) -> None:
    """Create Airflow's metadata tables, once per locked Airflow."""
    stamp = Path(environment["AIRFLOW_HOME"]) / "migrated-for"
    wanted = (REPOSITORY / "docker" / "airflow" / "requirements.txt").read_text()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    migrate_database(environment, log)
    stamp.write_text(wanted)


def migrate_database(environment: dict[str, str], log: IO[bytes] | None = None) -> None:
    """Bring Airflow's metadata tables to the installed version.

    Raises: NightFailed: with where to read why.
    """
    command = [airflow_program(), "db", "migrate"]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise NightFailed(f"`airflow db migrate` failed; see {log.name if log else 'above'}")


def _what_failed(night: Night, dag: str, earlier: int) -> str:
    """The reason of this attempt's end; the first `earlier` records are those of attempts before it."""
    records = read_stages(night.folder)[earlier:]
    failed = [stage for stage in records if stage.status == "failed"]
    lines = [f"{stage.name} failed: {stage.details.get('error', 'no reason recorded')}" for stage in failed]
    if not lines:
        latest = {stage.name: stage for stage in records}
        unfinished = [stage.name for stage in latest.values() if stage.status == "running"]
        lines = [f"{name} ended without a word (stopped, killed, or out of memory?)" for name in unfinished]
    if not lines:
        lines = ["a task failed outside its stage; the log ends with:", *_last_words(night.log)]
    return "\n".join([*lines, f"log: {night.log}", f"when it is mended: {night.command_of(dag)}"])


def _last_words(log: Path) -> list[str]:
    """What the failed job said at its end, as the operators quote it; else the log's last line."""
    lines = log.read_text(errors="replace").splitlines()
    quotes = [number for number, text in enumerate(lines) if text.startswith(QUOTES)]
    return [text[:500] for text in (lines[quotes[-1] + 1 :][:QUOTED_LINES] if quotes else lines[-1:])]


@contextmanager
def _lock_of(night: Night) -> Iterator[int]:
    """The source's lock, and only then the night's folder: a refused night leaves none."""
    with locked(night.folder.parent) as lock:
        night.folder.mkdir(exist_ok=True)
        yield lock


@contextmanager
def _ends_with_us(environment: dict[str, str]) -> Iterator[None]:
    """Treat SIGTERM as an interrupt, and leave no process of the night behind."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        end_marked(environment)
        signal.signal(signal.SIGTERM, previous)
