"""`larder nightly`, `larder run`, `larder up`, `larder airflow`: starting things by hand."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.names import unknown_name
from pipeline.capabilities import CAPABILITIES
from pipeline.files import check_writable
from pipeline.nightly.capabilities import dags_of, published_night, run_capabilities
from pipeline.nightly.environment import SERVICE, SetupError, airflow_environment, airflow_program, spark_temporary
from pipeline.nightly.night import NIGHTLY, migrate_database, plan_night, prepare_files, start_night
from pipeline.nightly.processes import end_marked, mark
from pipeline.nightly.progress import Progress
from pipeline.nightly.running import NightFailed, stop_night
from pipeline.settings import REPOSITORY, Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.terminal import errors_in_one_line
from pipeline.tracking.reachable import check_reachable
from pipeline.workspace import Workspace

MLFLOW_PORT = "5000"


def nightly(
    source: Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")] = None,
    business_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="default: the day after the data end")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="take up an interrupted night behind the last table it published")
    ] = None,
    stop: Annotated[
        str | None, typer.Option(metavar="RUN", help="end the running night of that name with all that it started")
    ] = None,
) -> None:
    """Run one night: raw files, the DAG through Airflow, what the source wants to follow, then the worst alerts.

    The exit status is that of the night: a capability that fails is reported, and the alerts are out all the same.
    """
    settings = Settings()
    with _interruptible() as go_on, errors_in_one_line(SourceError, SetupError, NightFailed):
        described_in = _absolute(settings.source if source is None else source)
        description = load_source(described_in)
        if stop is not None:
            stop_night(Workspace.of(settings, description.name).runs, stop)
            typer.echo(f"{stop} was ended; readers keep what was published before")
            return
        # At once and in one line, not after minutes and once per stage.
        check_writable(Workspace.of(settings, description.name).runs)
        if settings.tracking_uri is not None:
            check_reachable(settings.tracking_uri)
        if resume is None:
            prepare_files(description, Workspace.of(settings, description.name), typer.echo)
        night = plan_night(settings, description, described_in, _day(business_date), resume)
        go_on.append(night.resume_command)
        typer.echo(f"{description.name} as of {night.business_date}; log: {night.log}")
        with Progress(Console(), night.folder) as progress, start_night(settings, night) as started:
            started.run(NIGHTLY, progress.show, progress.wait)
            go_on[:] = [night.command_of(name) for name in description.capabilities]
            failed = run_capabilities(started, description.capabilities, progress.show)
    from pipeline.alerts.store import AlertStoreError
    from pipeline.nightly.summary import print_summary

    with errors_in_one_line(AlertStoreError):
        print_summary(settings, night, description.name)
    for name, reason in failed.items():
        typer.echo(f"\ncapability {name} failed; the night and its alerts stand:\n{reason}", err=True)


def run(
    capability: Annotated[str, typer.Argument(help=", ".join(CAPABILITIES))],
    source: Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")] = None,
    business_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="of the night whose tables it reads; default: latest")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="of a capability that takes in its own files: go on with an interrupted run"),
    ] = None,
) -> None:
    """Run one capability, whether or not the source switches it on: for a night that was published, or from its files.

    A capability whose tables no night makes begins with taking in its files (sale_actions: [actions] and [cases]).
    """
    settings = Settings()
    with _interruptible() as go_on, errors_in_one_line(SourceError, SetupError, NightFailed):
        if capability not in CAPABILITIES:
            raise NightFailed(unknown_name("capability", capability, CAPABILITIES))
        described_in = _absolute(settings.source if source is None else source)
        description = load_source(described_in)
        if CAPABILITIES[capability].intake:
            if description.actions is None:
                raise SourceError(f"source {description.name} describes no [actions], which {capability} reads")
            workspace = Workspace.of(settings, description.name)
            check_writable(workspace.runs)
            prepare_files(description, workspace, typer.echo)
            day = _day(business_date)
            night = plan_night(settings, description, described_in, day, resume, capability=capability)
        elif resume is not None:
            raise NightFailed(f"{capability} reads the tables of a night; name that by --business-date, not --resume")
        else:
            night = published_night(settings, description, described_in, capability, _day(business_date))
        go_on.append(night.command_of(capability))
        typer.echo(f"{capability} of {description.name} as of {night.business_date}; log: {night.log}")
        with Progress(Console(), night.folder) as progress, start_night(settings, night) as started:
            for dag in dags_of(capability):
                started.run(dag, progress.show, progress.wait)


@contextmanager
def _interruptible() -> Iterator[list[str]]:
    """End with status 130 on an interrupt, and print the commands in the list, which go on with what was started."""
    go_on: list[str] = []
    try:
        yield go_on
    except KeyboardInterrupt:
        typer.echo("interrupted: every process of the night was ended; readers keep what was published before")
        for command in go_on:
            typer.echo(f"to go on: {command}")
        raise typer.Exit(130) from None


def up() -> None:
    """Start Airflow, MLflow and the alerts' page until Ctrl-C (the Procfile says what)."""
    settings = Settings()
    with errors_in_one_line(SetupError, NightFailed):
        environment = _service_environment(settings) | mark()
        migrate_database(environment)
    home, port = environment["AIRFLOW_HOME"], environment["AIRFLOW__API__PORT"]
    print(f"Page     http://{settings.page.host}:{settings.page.port}")
    print(f"Airflow  http://127.0.0.1:{port}")
    print(f"         user admin, password in {home}/simple_auth_manager_passwords.json.generated")
    print(f"         the nightly schedule runs by the clock of {environment['AIRFLOW__CORE__DEFAULT_TIMEZONE']}")
    print(f"MLflow   http://127.0.0.1:{environment['LARDER_MLFLOW_PORT']}")
    print("Ctrl-C ends all of them.", flush=True)
    honcho = str(Path(sys.executable).with_name("honcho"))
    procfile = str(REPOSITORY / "Procfile")
    with spark_temporary() as temporary:
        environment |= temporary
        process = subprocess.Popen([honcho, "-f", procfile, "-d", str(REPOSITORY), "start"], env=environment)
        # Ctrl-C reaches honcho by itself, which then ends its processes; what their tasks started is ended after it.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        process.wait()
        end_marked(environment)


def airflow(context: typer.Context) -> None:
    """Airflow's own command with the environment of `larder up`, such as `larder airflow backfill create ...`."""
    with errors_in_one_line(SetupError):
        environment = _service_environment(Settings())
        program = airflow_program()
    os.execve(program, [program, *context.args], environment)


def _service_environment(settings: Settings) -> dict[str, str]:
    environment = airflow_environment(settings, SERVICE)
    environment.setdefault("LARDER_MLFLOW_PORT", MLFLOW_PORT)
    # By environment, since the address may hold a password.
    environment.setdefault("MLFLOW_BACKEND_STORE_URI", settings.mlflow_uri)
    # MLflow's own background jobs score language models: nothing here uses them, and each would cost a process.
    environment.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    environment.setdefault("PYTHONUNBUFFERED", "1")
    return environment


def _absolute(source: str) -> str:
    """Jobs run elsewhere: a path to a description must hold there too."""
    return str(Path(source).resolve()) if source.endswith(".toml") else source


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
