"""`larder actions`: what is still to be done in each open case, and what a plan rests on."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.case_plans import CasePlan, open_plans, plan_of, steps_in_words
from pipeline.commands.csv_output import put_csv
from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.tables.action_plans import ACTION_PLANS
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

app = typer.Typer(help="The next actions of the open cases of a sales team.", no_args_is_help=True)

SHOWN = 20
SourceOption = Annotated[str | None, typer.Option(help="sales, or the path to a TOML description")]


@app.callback()
def actions() -> None:
    """The next actions of the open cases of a sales team."""


@app.command("list")
def list_actions(
    *,
    agent: Annotated[str | None, typer.Option(help="the open cases of this agent")] = None,
    source: SourceOption = None,
    limit: Annotated[int, typer.Option(min=1, help="cases at most; files hold all")] = SHOWN,
    csv: Annotated[Path | None, typer.Option(help="write CSV to this file instead; - for standard output")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead")] = False,
) -> None:
    """The open cases with their plans, those first that are the likeliest to be won."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        described, workspace = _workspace(source)
        plans = open_plans(workspace.lake, agent)
        if as_json:
            typer.echo(json.dumps(plans.rows, indent=1, default=str))
        elif csv is not None:
            _put_csv(csv, plans.rows)
        else:
            shown = plans.rows[:limit]
            of = f" of {agent}" if agent else ""
            title = f"{len(shown)} of {len(plans.rows)} open cases{of}, {described.name}, {plans.business_date}"
            _print(shown, title)


@app.command()
def why(
    case: Annotated[str, typer.Argument(help="an open case; `larder actions list` names them")],
    source: SourceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead")] = False,
) -> None:
    """What the plan of a case rests on: the weight of each earlier action, and the effect of each attribute."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        described, workspace = _workspace(source)
        found = plan_of(workspace.lake, case, described.zone)
    if as_json:
        history = [{**done.__dict__, "acted_at": done.acted_at.isoformat()} for done in found.history]
        typer.echo(json.dumps({"plan": found.plan, "history": history}, indent=1, default=str))
    else:
        _print_case(found)


def _workspace(source: str | None) -> tuple[Source, Workspace]:
    settings = Settings()
    described = load_source(settings.source if source is None else source)
    return described, Workspace.of(settings, described.name)


def _print(rows: list[dict[str, Any]], title: str) -> None:
    columns = {"case": "left", "agent": "left", "last": "left", "next": "left", "probability": "right"}
    columns |= {"steps": "right", "days": "right", "win": "right", "then": "fold"}
    shown: list[list[object]] = [
        [
            row["case_id"],
            row["agent"] or "",
            row["last_action"],
            row["next_action"],
            f"{row['next_probability']:.0%}",
            f"{row['remaining_steps']:.1f}",
            _figure(row["remaining_days"], ".0f"),
            _figure(row["win_probability"], ".0%"),
            steps_in_words(row | {"steps": row["steps"][1:]}),
        ]
        for row in rows
    ]
    block = ("{case}  {agent}  next: {next} ({probability})  to go: {steps}  win {win}", "then {then}")
    print_table(title, columns, shown, block)


def _print_case(found: CasePlan) -> None:
    plan = found.plan
    typer.echo(f"case {plan['case_id']} as of {plan['business_date']}, planned by {plan['model_version']}")
    if plan["fallback"]:
        typer.echo(f"no model planned it: {plan['fallback']}")
    done: list[list[object]] = [
        [
            each.position,
            f"{each.acted_at:%Y-%m-%d %H:%M}",
            each.action,
            each.agent or "",
            "" if each.weight is None else f"{each.weight:.0%}",
        ]
        for each in found.history
    ]
    headings = {"": "right", "when": "left", "done": "left", "by": "left", "attention": "right"}
    print_table("Done so far, and the attention that the next action pays to it", headings, done)
    effects = sorted(plan["attribute_effects"], key=lambda each: -abs(each["effect"]))
    if effects:
        rows: list[list[object]] = [[each["attribute"], f"{100 * each['effect']:+.1f}"] for each in effects]
        title = f"What is known, and the points that it adds to the probability of {plan['next_action']!r}"
        print_table(title, {"attribute": "left", "points": "right"}, rows)
    steps: list[list[object]] = [
        [number, step["action"], _figure(step["probability"], ".0%"), _figure(step["days"], ".1f")]
        for number, step in enumerate(plan["steps"], start=1)
    ]
    headings = {"": "right", "to do": "left", "probability": "right", "days after the one before": "right"}
    print_table("Planned", headings, steps)
    typer.echo(f"expected: {plan['remaining_steps']:.1f} actions, {_figure(plan['remaining_days'], '.0f') or '?'} days")
    if plan["win_probability"] is not None:
        after = f"{plan['best_win_probability']:.0%} if {plan['best_action']!r} is next"
        typer.echo(f"chance to win: {plan['win_probability']:.0%}; {after} (as similar cases ended; no effect)")


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _put_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = [name for name in ACTION_PLANS.column_names if name not in ("attention", "attribute_effects")]
    said = [row | {"steps": "; ".join(step["action"] for step in row["steps"])} for row in rows]
    put_csv(path, said, columns, "open cases")
