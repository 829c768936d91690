"""`larder model ...`: promote tonight's candidate, show scorecards, list the registered versions."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="The model: promotion, scorecards, versions.", no_args_is_help=True)

SourceOption = Annotated[str, typer.Option(help="a shipped source or a path to a TOML description")]
RunOption = Annotated[str, typer.Option(help="the run whose model it is about")]


@app.command()
def promote(
    source: SourceOption,
    business_date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the run's business date")],
    run_id: RunOption,
) -> None:
    """Make the run's candidate champion if it passes the gate; a refusal is recorded and is no failure."""
    from pipeline.evaluation.promotion import promote as apply_gate
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.stages import stage
    from pipeline.workspace import Run, Workspace

    settings, run = Settings(), Run(source, business_date.date(), run_id)
    workspace = Workspace.of(settings, load_source(source).name)
    with stage("promote_model", workspace.run_folder(run_id)) as record:
        verdict = apply_gate(settings, workspace, run)
        record.details = verdict.model_dump(mode="json")
    if verdict.promoted:
        typer.echo(f"{verdict.candidate_version} is champion")
    else:
        stays = f"{verdict.champion_before} stays champion" if verdict.champion_before else "there is no champion yet"
        typer.echo(f"{verdict.candidate_version} was refused ({stays}): " + "; ".join(verdict.reasons))


@app.command()
def scorecard(source: SourceOption, run_id: RunOption) -> None:
    """Print a run's scorecard: candidate, champion and baselines on the held-out window."""
    from pipeline.evaluation.scorecard import Scorecard
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.workspace import Workspace

    card = Scorecard.read(Workspace.of(Settings(), load_source(source).name).run_folder(run_id))
    metrics = list(dict.fromkeys(metric for values in card.models.values() for metric in values))
    table = Table(title=f"{card.customers} customers, held out {card.window.first_day} to {card.window.last_day}")
    table.add_column("metric")
    for name in card.models:
        table.add_column(name, justify="right")
    for metric in metrics:
        cells = (f"{values[metric]:.4f}" if metric in values else "" for values in card.models.values())
        table.add_row(metric, *cells)
    Console().print(table)


@app.command("list")
def list_versions(source: SourceOption) -> None:
    """List the source's registered versions, newest first, and what the gate said about each."""
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.tracking.registry import versions

    table = Table()
    for column in ("version", "champion", "business date", "run", "architecture", "gate", "reasons"):
        table.add_column(column)
    for entry in versions(Settings(), load_source(source).name):
        shown = (entry.get(name, "") for name in ("business_date", "run_id", "architecture", "gate", "gate_reasons"))
        table.add_row(entry["number"], "yes" if entry["champion"] else "", *shown)
    Console().print(table)
