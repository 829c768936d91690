"""One open case in full: what was done beside what is planned, and what the plan rests on."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from pipeline.case_plans import CasePlan, plan_of
from pipeline.lake.lake import LakeError
from pipeline.page.context import Context
from pipeline.page.frame import section
from pipeline.page.tables import facts


def show_case(context: Context, source: str, case: str) -> tuple[Any, Any]:
    """Title and content of the drawer."""
    lake = context.workspace(source).lake
    try:
        found = plan_of(lake, case, context.zone(source))
    except (LakeError, ValueError) as error:
        return "No such case", dmc.Text(str(error))
    return title(found), content(found)


def title(found: CasePlan) -> Any:
    """The case, who works on it, what is known of it."""
    attributes = [html.Span(each, className="tag") for each in found.case.get("attributes") or ()]
    numbers = [
        html.Span(f"{each['name']}={each['value']:g}", className="tag")
        for each in found.case.get("numbers") or ()
        if each["value"] is not None
    ]
    agent = [html.Span(found.plan["agent"])] if found.plan["agent"] else []
    named = html.Div(f"Case {found.plan['case_id']}", className="subject")
    return html.Div([named, html.Div([*agent, *attributes, *numbers], className="where")])


def content(found: CasePlan) -> Any:
    """The next action in words, history beside plan, and what the next action rests on."""
    plan = found.plan
    effects = sorted(plan["attribute_effects"], key=lambda each: -abs(each["effect"]))
    parts = [
        dmc.Text(_in_words(plan), className="reason"),
        dmc.SimpleGrid(
            [section("Done so far", _history(found)), section("Planned", _planned(plan))],
            cols={"base": 1, "sm": 2},
            id="case-plan",
        ),
    ]
    if effects:
        rows = [[each["attribute"], f"{100 * each['effect']:+.1f} points"] for each in effects]
        parts.append(
            section(
                f"What is known, and what it adds to the probability of {plan['next_action']}",
                facts(["", "Adds"], rows),
            )
        )
    by = plan["model_version"] if plan["fallback"] is None else f"counts ({plan['fallback'].replace('_', ' ')})"
    parts.append(dmc.Text(f"Planned by {by}, as of {plan['business_date']}.", size="xs", c="dimmed"))
    return dmc.Stack(parts, gap="md")


def _in_words(plan: dict[str, Any]) -> str:
    words = f"Next: {plan['next_action']} ({plan['next_probability']:.0%}). "
    words += f"Expected: {plan['remaining_steps']:.1f} actions"
    words += f" in {plan['remaining_days']:.0f} days. " if plan["remaining_days"] is not None else ". "
    if plan["win_probability"] is not None:
        words += (
            f"Chance to win {plan['win_probability']:.0%}; if the next action is {plan['best_action']}, "
            f"{plan['best_win_probability']:.0%}. That is how similar past cases ended, not an effect of the action."
        )
    return words


def _history(found: CasePlan) -> Any:
    rows = [
        [each.acted_at.strftime("%Y-%m-%d"), each.action, "" if each.weight is None else f"{each.weight:.0%}"]
        for each in found.history
    ]
    return facts(["Day", "Action", "Attention"], rows)


def _planned(plan: dict[str, Any]) -> Any:
    rows = [
        [step["action"], "" if step["days"] is None else f"after {step['days']:.1f} days"] for step in plan["steps"]
    ]
    return facts(["Action", "When"], rows)
