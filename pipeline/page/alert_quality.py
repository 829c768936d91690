"""What stock-out alerts of past mornings were worth: the night's own back-test, drawn by night and by probability.

Read from the published versions of `alert_backtests`: one version a night, each with the mornings 7 to 28 days before.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go

from pipeline.lake.export import scan
from pipeline.lake.lake import Lake
from pipeline.page.figures import DEMAND, SUPPLY, calibration_figure, graph, plain
from pipeline.page.tables import facts
from pipeline.tables.alert_backtests import ALERT_BACKTESTS, BINS

SUMS = ("judged", "stated", "happened", "alerts", "right_alerts", "days_ahead")


@dataclass(frozen=True)
class Night:
    """One night's back-test: sums over its past mornings, and by tenth of probability (stated, happened, judged)."""

    business_date: date
    sums: dict[str, float]
    bins: dict[int, tuple[float, float, float]]

    @property
    def precision(self) -> float | None:
        """Share of the alerts that came true."""
        return self.sums["right_alerts"] / self.sums["alerts"] if self.sums["alerts"] else None

    @property
    def recall(self) -> float | None:
        """Share of the stock-outs that had an alert."""
        return self.sums["right_alerts"] / self.sums["happened"] if self.sums["happened"] else None

    @property
    def days_ahead(self) -> float | None:
        """Days from the morning to the first short day, mean over right alerts."""
        return self.sums["days_ahead"] / self.sums["right_alerts"] if self.sums["right_alerts"] else None

    @property
    def calibration_error(self) -> float:
        """Mean distance of stated probability and share that came, weighted by shelves."""
        return sum(abs(stated - came) for stated, came, _ in self.bins.values()) / max(self.sums["judged"], 1.0)


def read_alert_nights(lake: Lake, kind: str, most: int) -> list[Night]:
    """The latest nights with a back-test, oldest first; of a night that ran twice, the version written last."""
    found: dict[date, Night] = {}
    for version in lake.versions(ALERT_BACKTESTS.name)[-most:]:
        if (night := _night(lake, kind, version)) is not None:
            found[night.business_date] = night
    return [found[day] for day in sorted(found)]


def latest_alert_night(lake: Lake, kind: str) -> Night | None:
    """The current version's back-test; None where it has none of that kind."""
    version = lake.current(ALERT_BACKTESTS.name)
    return None if version is None else _night(lake, kind, version)


def _night(lake: Lake, kind: str, version: str) -> Night | None:
    rows = [row for row in scan(lake, ALERT_BACKTESTS.name, version).to_table().to_pylist() if row["kind"] == kind]
    if not rows:
        return None
    bins: dict[int, tuple[float, float, float]] = {}
    for row in rows:
        stated, came, judged = bins.get(row["bin"], (0.0, 0.0, 0.0))
        bins[row["bin"]] = stated + row["stated"], came + row["happened"], judged + row["judged"]
    sums = {name: float(sum(row[name] for row in rows)) for name in SUMS}
    return Night(lake.manifest(ALERT_BACKTESTS.name, version).business_date, sums, bins)


def alert_quality(nights: list[Night]) -> list[Any]:
    """Words, both figures and the table; nothing where no night has a back-test."""
    if not nights:
        return []
    mornings = (
        "Stock-out alerts as they would have been 7, 14, 21 and 28 days before each night, from what was known then, "
        "against what was sold. Precision: alerts that came true; recall: stock-outs that had an alert."
    )
    return [
        dmc.Text(mornings, size="sm", c="dimmed"),
        dmc.Paper(graph("alert-quality", by_night(nights)), withBorder=True, p="sm"),
        dmc.Paper(graph("alert-calibration", calibration(nights[-1])), withBorder=True, p="sm"),
        facts(
            ["Night", "Shelves", "Alerts", "Precision", "Recall", "Days ahead", "Calibration error"],
            [_row(night) for night in reversed(nights)],
        ),
    ]


def by_night(nights: list[Night]) -> go.Figure:
    """Precision and recall by night."""
    figure = go.Figure()
    days = [night.business_date for night in nights]
    for name, color in (("precision", DEMAND), ("recall", SUPPLY)):
        values = [getattr(night, name) for night in nights]
        figure.add_scatter(x=days, y=values, name=name.capitalize(), mode="lines+markers", line={"color": color})
    figure.update_yaxes(title="share", range=[0, 1])
    figure.update_xaxes(tickformat="%Y-%m-%d", nticks=min(len(days), 8))
    return plain(figure, 260)


def calibration(night: Night) -> go.Figure:
    """Share that came over stated probability, by tenths."""
    shown = [night.bins[place] for place in range(BINS) if place in night.bins]
    return calibration_figure(shown, f"Night of {night.business_date}", "shelves")


def _row(night: Night) -> list[str]:
    counts = [f"{night.sums[name]:,.0f}" for name in ("judged", "alerts")]
    shares = ["" if value is None else f"{value:.2f}" for value in (night.precision, night.recall)]
    ahead = "" if night.days_ahead is None else f"{night.days_ahead:.1f}"
    return [night.business_date.isoformat(), *counts, *shares, ahead, f"{night.calibration_error:.3f}"]
