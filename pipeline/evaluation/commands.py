"""`larder model ...`: promote tonight's candidate, show scorecards, list the registered versions."""

from datetime import datetime
from typing import Annotated

import typer

from pipeline.lake.lake import LakeError
from pipeline.sources.source import SourceError
from pipeline.terminal import errors_in_one_line, print_table

app = typer.Typer(help="The model: promotion, scorecards, versions.", no_args_is_help=True)

EXPECTED = (SourceError, FileNotFoundError, LakeError, ValueError)

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

    with errors_in_one_line(*EXPECTED):
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

    with errors_in_one_line(*EXPECTED):
        card = Scorecard.read(Workspace.of(Settings(), load_source(source).name).run_folder(run_id))
    metrics = list(dict.fromkeys(metric for values in card.models.values() for metric in values))
    rows: list[list[object]] = [
        [metric, *(f"{values[metric]:.4f}" if metric in values else "" for values in card.models.values())]
        for metric in metrics
    ]
    title = f"{card.customers:,} customers, held out {card.window.first_day} to {card.window.last_day}"
    print_table(title, {"metric": "left"} | dict.fromkeys(card.models, "right"), rows)


@app.command("list")
def list_versions(source: SourceOption) -> None:
    """List the source's registered versions, newest first, and what the gate said about each."""
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.tracking.registry import versions

    shown = ("business_date", "run_id", "architecture", "gate", "gate_reasons")
    with errors_in_one_line(*EXPECTED):
        found = versions(Settings(), load_source(source).name)
    rows: list[list[object]] = [
        [entry["number"], "yes" if entry["champion"] else "", *(entry.get(name, "") for name in shown)]
        for entry in found
    ]
    headings = {"version": "right", "champion": "left"} | dict.fromkeys(shown, "left") | {"gate_reasons": "fold"}
    print_table(f"Models of {source}", headings, rows)
