"""`larder train`: a candidate trained beside the nights, from the tables as they are published."""

import os
import subprocess
import sys
from datetime import datetime
from typing import Annotated, get_args

import typer

from pipeline.lake.lake import LakeError
from pipeline.nightly.environment import spark_environment
from pipeline.settings import REPOSITORY, Finetune, Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.stages import not_registered
from pipeline.tasks.catalog import NEXT_BASKET, task_and_settings
from pipeline.terminal import errors_in_one_line, one_of
from pipeline.workspace import Run, Workspace

FINETUNES: tuple[Finetune, ...] = get_args(Finetune)


def train(
    *,
    source: Annotated[
        str | None, typer.Option(help="a shipped source or a path to a TOML description; default: LARDER_SOURCE")
    ] = None,
    business_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="default: that of the published tables")
    ] = None,
    task: Annotated[str, typer.Option(help="the question to train for")] = NEXT_BASKET.name,
    architecture: Annotated[str | None, typer.Option(help="a name in models/catalog.py")] = None,
    finetune: Annotated[
        Finetune | None,
        typer.Option(
            parser=one_of(FINETUNES, "finetune"), metavar="|".join(FINETUNES), help="what follows supervised training"
        ),
    ] = None,
    run_id: Annotated[str | None, typer.Option(help="names the run; default: from date and choices")] = None,
) -> None:
    """Train and register a candidate now, on this machine; it becomes champion only by `larder model promote`."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        trained, settings = task_and_settings(task, Settings())
        chosen = {
            "architecture": architecture or settings.training.architecture,
            "finetune": finetune or settings.training.finetune,
        }
        chosen_source = settings.source if source is None else source
        lake = Workspace.of(settings, load_source(chosen_source).name).lake
        published = lake.manifest(trained.reads[0], lake.resolve(trained.reads[0]))
        day = business_date.date() if business_date else published.business_date
        named = run_id or f"train-{day}-{chosen['architecture']}-{chosen['finetune']}"
        run = Run(chosen_source, day, named)
    prefix = f"LARDER_TASKS__{task.upper()}__TRAINING__"
    training = {f"{prefix}{name.upper()}": value for name, value in chosen.items()}
    arguments = ["--source", run.source, "--business-date", str(run.business_date), "--run-id", run.run_id]
    arguments += ["--task", task]
    typer.echo(f"training {trained.architecture(settings.training)} as run {run.run_id} ...")
    done = subprocess.run(
        [sys.executable, "-m", "spark_jobs.train_model", *arguments],
        cwd=REPOSITORY,
        env=os.environ | spark_environment() | training,
        check=False,
    )
    folder = Workspace.of(Settings(), load_source(chosen_source).name).runs / run.run_id
    if done.returncode != 0 or not_registered(folder, task) is not None:
        raise typer.Exit(done.returncode or 1)
    of_task = "" if task == NEXT_BASKET.name else f" --task {task}"
    shown = f"--source {run.source} --run-id {run.run_id}{of_task}"
    typer.echo(f"scorecard: larder model scorecard {shown}")
    typer.echo(f"champion:  larder model promote {shown} --business-date {run.business_date}")
