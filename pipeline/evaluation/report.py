"""A run's scorecard on the terminal: candidate, champion and baselines side by side, and what the gate decided."""

from pathlib import Path

import typer

from pipeline.evaluation.gate import Verdict
from pipeline.evaluation.scorecard import Scorecard
from pipeline.terminal import print_table


def print_scorecard(folder: Path, only_k: int | None = None) -> None:
    """Print that of a task's folder of a run; with `only_k`, of the metrics at several basket sizes those at that one.

    Raises: FileNotFoundError: if the run has not trained.
    """
    card = Scorecard.read(folder)
    metrics = dict.fromkeys(metric for values in card.models.values() for metric in values)
    rows: list[list[object]] = [
        [metric, *(f"{values[metric]:.4f}" if metric in values else "-" for values in card.models.values())]
        for metric in metrics
        if only_k is None or "@" not in metric or metric.endswith(f"@{only_k}")
    ]
    window = f"{card.window.first_day} to {card.window.last_day}"
    title = f"Scorecard: {card.customers:,} customers, first basket in the held-out days {window}"
    print_table(title, {"": "left"} | dict.fromkeys(card.models, "right"), rows)
    verdict = Verdict.read(folder)
    if verdict is None:
        typer.echo("The gate has not judged the candidate yet.")
    elif verdict.promoted:
        typer.echo("The candidate became champion.")
    else:
        typer.echo("The candidate was refused.")
        for reason in verdict.reasons:
            typer.echo(f"  {reason}")
