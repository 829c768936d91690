"""`larder model ...`: promote tonight's candidate, show scorecards, list the registered versions."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from models.names import closest_of
from pipeline.lake.lake import LakeError
from pipeline.sources.source import SourceError
from pipeline.tasks.catalog import NEXT_BASKET, task_and_settings
from pipeline.terminal import errors_in_one_line, print_table

if TYPE_CHECKING:
    from pipeline.tracking.registry import Registry

app = typer.Typer(help="The model: promotion, scorecards, versions.", no_args_is_help=True)

EXPECTED = (SourceError, FileNotFoundError, LakeError, ValueError)

DefaultSource = Annotated[
    str | None, typer.Option(help="a shipped source or a path to a TOML description; default: LARDER_SOURCE")
]

TaskName = Annotated[str, typer.Option("--task", help="the question that the model is for")]


@app.command()
def promote(
    source: Annotated[str, typer.Option(help="a shipped source or a path to a TOML description")],
    business_date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the run's business date")],
    run_id: Annotated[str, typer.Option(help="the run whose candidate it is")],
    task: TaskName = NEXT_BASKET.name,
    unattended: Annotated[
        bool,
        typer.Option("--unattended", help="as in a night: no answer of the tracking store is recorded, no failure"),
    ] = False,
) -> None:
    """Make the run's candidate champion if it passes the gate; a refusal is recorded and is no failure."""
    from pipeline.evaluation.promotion import promote as apply_gate
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.stages import not_registered, stage
    from pipeline.tracking.reachable import TrackingStoreError
    from pipeline.tracking.registry import failing_plainly
    from pipeline.workspace import Run, Workspace

    with errors_in_one_line(*EXPECTED):
        promoted, settings = task_and_settings(task, Settings())
        run = Run(source, business_date.date(), run_id)
        workspace = Workspace.of(settings, load_source(source).name)
        missing = not_registered(workspace.runs / run_id, task)
        trained = workspace.runs_with_task(task)
        if missing is None and run_id not in trained:
            raise ValueError(f"run {run_id!r} trained no candidate of {task}; {closest_of(run_id, trained)}")
        with stage("promote_model", workspace.run_folder(run_id)) as record:
            record.details = {"task": task}
            try:
                if missing is not None:
                    raise TrackingStoreError(missing)
                with failing_plainly(settings):
                    verdict = apply_gate(promoted, settings, workspace, run)
            except TrackingStoreError as error:
                if not unattended:
                    raise
                record.details |= {"promoted": False, "reasons": [str(error)]}
                typer.echo(f"no candidate was judged: {error}", err=True)
                return
            record.details |= verdict.model_dump(mode="json")
    if verdict.promoted:
        typer.echo(f"{verdict.candidate_version} is champion")
    else:
        stays = f"{verdict.champion_before} stays champion" if verdict.champion_before else "there is no champion yet"
        typer.echo(f"{verdict.candidate_version} was refused ({stays}): " + "; ".join(verdict.reasons))


@app.command()
def scorecard(
    source: DefaultSource = None,
    run_id: Annotated[str | None, typer.Option(help="the run that trained it; default: the newest model's")] = None,
    task: TaskName = NEXT_BASKET.name,
) -> None:
    """Print a model's scorecard: candidate, champion and baselines on the held-out window, and the gate's verdict."""
    from pipeline.evaluation.report import print_scorecard
    from pipeline.workspace import Workspace

    with errors_in_one_line(*EXPECTED):
        registry = _registry(source, task)
        name = registry.source_name
        runs = [entry["run_id"] for entry in registry.versions()]
        if not runs:
            raise FileNotFoundError(f"source {name} has no model yet; `larder nightly` trains one")
        if run_id is not None and run_id not in runs:
            raise ValueError(f"source {name} has no model of run {run_id!r}; {closest_of(run_id, runs)}")
        print_scorecard(Workspace.of(registry.settings, name).task_folder(run_id or runs[0], task))


@app.command("list")
def list_versions(source: DefaultSource = None, task: TaskName = NEXT_BASKET.name) -> None:
    """List the source's registered versions, newest first, and what the gate said about each."""
    shown = ("business_date", "run_id", "architecture", "gate", "gate_reasons")
    with errors_in_one_line(*EXPECTED):
        registry = _registry(source, task)
        name, found = registry.source_name, registry.versions()
    if not found:
        typer.echo(f"source {name} has no model yet")
        return
    rows: list[list[object]] = [
        [entry["number"], "yes" if entry["champion"] else "", *(entry.get(tag, "") for tag in shown)] for entry in found
    ]
    headings = {"version": "right", "champion": "left"} | dict.fromkeys(shown, "left") | {"gate_reasons": "fold"}
    print_table(f"Models of {name}", headings, rows)


def _registry(source: str | None, task: str) -> "Registry":
    """The versions of one task of the source."""
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.tracking.registry import Registry

    found, settings = task_and_settings(task, Settings())
    return Registry(settings, load_source(settings.source if source is None else source).name, found)
