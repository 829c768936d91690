"""The models night by night: candidate, champion and baseline on the held-out days of each night, and the gate's word.

Read from the run folders, where the night leaves its scorecard and the gate's verdict.
"""

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Dash

from pipeline.evaluation.gate import Rule, Verdict
from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, FILE_NAME, Scorecard
from pipeline.page.alert_quality import alert_quality, read_alert_nights
from pipeline.page.basket_quality import basket_quality, read_basket_nights
from pipeline.page.behaviour_quality import behaviour_quality
from pipeline.page.context import Context
from pipeline.page.figures import DEMAND, QUIET, SUPPLY, graph, plain
from pipeline.page.frame import empty
from pipeline.page.morning import Morning
from pipeline.page.night_checks import night_checks
from pipeline.page.tables import facts
from pipeline.tasks.catalog import NEXT_BASKET, TASKS, task_and_settings
from pipeline.workspace import TASKS_FOLDER, Workspace

NIGHTS_SHOWN = 60


@dataclass(frozen=True)
class GatedNight:
    """One night's scorecard and the gate's verdict; None where there is none yet."""

    card: Scorecard
    verdict: Verdict | None


def read_nights(workspace: Workspace, task: str = NEXT_BASKET.name) -> list[GatedNight]:
    """The latest nights that trained a task, oldest first; of a night that ran twice, the run that trained last."""
    latest: dict[Any, GatedNight] = {}
    # Before there were several tasks, a night wrote them into the run's folder itself.
    places = [f"*/{TASKS_FOLDER}/{task}/{FILE_NAME}"]
    places += [f"*/{FILE_NAME}"] if task == NEXT_BASKET.name else []
    found = [path for place in places for path in (workspace.root / "runs").glob(place)]
    for path in sorted(found, key=lambda path: path.stat().st_mtime_ns):
        card = Scorecard.read(path.parent)
        latest[card.business_date] = GatedNight(card, Verdict.read(path.parent))
    return [latest[day] for day in sorted(latest)][-NIGHTS_SHOWN:]


def quality_figure(nights: list[GatedNight], rule: Rule) -> go.Figure:
    """The gate's metric by night; a model that was not measured in a night has a gap there."""
    figure = go.Figure()
    days = [night.card.business_date for night in nights]
    looks = (
        ("Tonight's candidate", {"color": DEMAND, "dash": "dot"}, "circle-open"),
        ("Champion before it", {"color": SUPPLY}, "circle"),
        (f"Baseline {rule.settings.baseline}", {"color": QUIET, "dash": "dash"}, "square"),
    )
    by_model = zip(*(compared(night.card, rule) for night in nights), strict=True)
    for (name, line, symbol), values in zip(looks, by_model, strict=True):
        figure.add_scatter(
            x=days, y=list(values), name=name, mode="lines+markers", line=line, marker={"symbol": symbol, "size": 8}
        )
    figure.update_yaxes(title=rule.metric)
    figure.update_xaxes(tickformat="%Y-%m-%d", nticks=min(len(days), 8))
    return plain(figure, 300)


def compared(card: Scorecard, rule: Rule) -> tuple[float | None, float | None, float | None]:
    """The gate's metric of candidate, champion and the baseline to beat; None where it was not measured."""
    try:
        baseline = card.models[rule.baseline(card)][rule.metric]
    except ValueError:
        baseline = None
    candidate, champion = (card.models.get(model, {}).get(rule.metric) for model in (CANDIDATE, CHAMPION))
    return candidate, champion, baseline


def metrics_of(card: Scorecard) -> list[str]:
    """Every metric that some model of the scorecard has, in the order of the first one that has it."""
    return list(dict.fromkeys(metric for values in card.models.values() for metric in values))


def scorecard_rows(card: Scorecard) -> list[list[str]]:
    """A row for each model: its name and metrics."""
    return [
        [name.replace("_", " "), *(f"{values[metric]:,.3f}" if metric in values else "" for metric in metrics_of(card))]
        for name, values in card.models.items()
    ]


class QualityPage:
    """The part "Model quality"."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """A figure and a table of the nights; words where none has trained."""
        workspace = context.workspace(morning.source)
        nights = read_nights(workspace)
        lake = workspace.lake
        parts = [*basket_quality(read_basket_nights(lake, NIGHTS_SHOWN))]
        parts += [*alert_quality(read_alert_nights(lake, "stockout", NIGHTS_SHOWN))]
        parts += [*behaviour_quality(lake, NIGHTS_SHOWN), *night_checks(workspace)]
        if nights:
            parts = [*self._models(nights, context), *self._others(context, morning), *parts]
        if not parts:
            return empty(
                "No model has been measured yet",
                ["The nightly run trains a model and measures it on days that it has not seen. Run one with:"],
                code="make nightly",
            )
        return dmc.ScrollArea(dmc.Stack(parts, gap="sm"), className="whole")

    def register(self, app: Dash, context: Context) -> None:
        """Nothing here changes by itself."""

    def _models(self, nights: list[GatedNight], context: Context) -> list[Any]:
        task, settings = task_and_settings(NEXT_BASKET.name, context.settings)
        rule = Rule.of(task, settings.promotion)
        words = (
            f"{rule.metric} of the predicted next baskets, measured each night on the last days, which no "
            "model was trained on; higher is better."
        )
        return [
            dmc.Text(words, size="sm", c="dimmed"),
            dmc.Paper(graph("quality", quality_figure(nights, rule)), withBorder=True, p="sm"),
            facts(
                ["Night", "Customers", "Candidate", "Champion", "Baseline", "The gate"],
                [self._row(night, rule) for night in reversed(nights)],
            ),
        ]

    def _others(self, context: Context, morning: Morning) -> list[Any]:
        """Champion and scorecard of every other task that was trained."""
        blocks: list[Any] = []
        for name in TASKS:
            nights = [] if name == NEXT_BASKET.name else read_nights(context.workspace(morning.source), name)
            if not nights:
                continue
            task, settings = task_and_settings(name, context.settings)
            rule, latest = Rule.of(task, settings.promotion), nights[-1]
            promoted = [night.verdict.candidate_version for night in nights if night.verdict and night.verdict.promoted]
            champion = promoted[-1] if promoted else latest.card.champion_version or "none yet"
            window = f"{latest.card.window.first_day} to {latest.card.window.last_day}"
            blocks += [
                dmc.Title(name.replace("_", " ").capitalize(), order=4, mt="md"),
                dmc.Text(
                    f"Champion {champion}; the gate compares {rule.metric}, "
                    f"{'smaller' if rule.sign(rule.metric) < 0 else 'higher'} is better. Measured on {window}:",
                    size="sm",
                    c="dimmed",
                ),
                facts(["Model", *metrics_of(latest.card)], scorecard_rows(latest.card)),
                facts(
                    ["Night", "Examples", "Candidate", "Champion", "Baseline", "The gate"],
                    [self._row(night, rule) for night in reversed(nights)],
                ),
            ]
        return blocks

    def _row(self, night: GatedNight, rule: Rule) -> list[str]:
        verdict, values = night.verdict, compared(night.card, rule)
        if verdict is None:
            words = "not compared yet"
        elif verdict.promoted:
            words = f"{verdict.candidate_version} became champion"
        else:
            words = f"{verdict.candidate_version} was refused: " + "; ".join(verdict.reasons)
        shown = ["" if value is None else f"{value:.3f}" for value in values]
        return [night.card.business_date.isoformat(), f"{night.card.customers:,}", *shown, words]
