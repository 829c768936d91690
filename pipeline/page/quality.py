"""The models night by night: candidate, champion and baseline on the held-out days of each night, and the gate's word.

Read from the run folders, where the night leaves its scorecard and the gate's verdict.
"""

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Dash

from pipeline.evaluation.gate import Verdict
from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, FILE_NAME, Scorecard
from pipeline.page.context import Context
from pipeline.page.figures import DEMAND, QUIET, SUPPLY, graph, plain
from pipeline.page.frame import empty
from pipeline.page.morning import Morning
from pipeline.page.tables import facts
from pipeline.workspace import Workspace

NIGHTS_SHOWN = 60


@dataclass(frozen=True)
class Judged:
    """One night's scorecard and what the gate said; None where it has not yet."""

    card: Scorecard
    verdict: Verdict | None


def read_nights(workspace: Workspace) -> list[Judged]:
    """The latest nights that trained, oldest first; of a night that ran twice, the run that trained last."""
    latest: dict[Any, Judged] = {}
    found = sorted((workspace.root / "runs").glob(f"*/{FILE_NAME}"), key=lambda path: path.stat().st_mtime_ns)
    for path in found:
        card = Scorecard.read(path.parent)
        latest[card.business_date] = Judged(card, Verdict.read(path.parent))
    return [latest[day] for day in sorted(latest)][-NIGHTS_SHOWN:]


def quality_figure(nights: list[Judged], metric: str, baseline: str) -> go.Figure:
    """The gate's metric by night; a model that was not measured in a night has a gap there."""
    figure = go.Figure()
    days = [judged.card.business_date for judged in nights]
    looks = (
        (CANDIDATE, "Tonight's candidate", {"color": DEMAND, "dash": "dot"}, "circle-open"),
        (CHAMPION, "Champion before it", {"color": SUPPLY}, "circle"),
        (baseline, f"Baseline {baseline}", {"color": QUIET, "dash": "dash"}, "square"),
    )
    for model, name, line, symbol in looks:
        values = [judged.card.models.get(model, {}).get(metric) for judged in nights]
        figure.add_scatter(
            x=days, y=values, name=name, mode="lines+markers", line=line, marker={"symbol": symbol, "size": 8}
        )
    figure.update_yaxes(title=metric)
    figure.update_xaxes(tickformat="%Y-%m-%d", nticks=min(len(days), 8))
    return plain(figure, 300)


class QualityPage:
    """The part "Model quality"."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """A figure and a table of the nights; words where none has trained."""
        nights = read_nights(context.workspace(morning.source))
        if not nights:
            return empty(
                "No model has been measured yet",
                ["The nightly run trains a model and measures it on days that it has not seen. Run one with:"],
                code="make nightly",
            )
        gate = context.settings.promotion
        return dmc.ScrollArea(
            dmc.Stack(
                [
                    dmc.Text(
                        f"{gate.metric} of the predicted next baskets, measured each night on the last days, which no "
                        "model was trained on; higher is better.",
                        size="sm",
                        c="dimmed",
                    ),
                    dmc.Paper(
                        graph("quality", quality_figure(nights, gate.metric, gate.baseline)),
                        withBorder=True,
                        p="sm",
                    ),
                    facts(
                        ["Night", "Customers", "Candidate", "Champion", "Baseline", "The gate"],
                        [self._row(judged, gate.metric, gate.baseline) for judged in reversed(nights)],
                    ),
                ],
                gap="sm",
            ),
            className="whole",
        )

    def register(self, app: Dash, context: Context) -> None:
        """Nothing here changes by itself."""

    def _row(self, judged: Judged, metric: str, baseline: str) -> list[str]:
        models, verdict = judged.card.models, judged.verdict
        values = [models.get(model, {}).get(metric) for model in (CANDIDATE, CHAMPION, baseline)]
        if verdict is None:
            words = "not judged yet"
        elif verdict.promoted:
            words = f"{verdict.candidate_version} became champion"
        else:
            words = f"{verdict.candidate_version} was refused: " + "; ".join(verdict.reasons)
        shown = ["" if value is None else f"{value:.3f}" for value in values]
        return [judged.card.business_date.isoformat(), f"{judged.card.customers:,}", *shown, words]
