"""The figures of an alert's detail: a shelf through its days, a customer's baskets beside what was predicted."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import plotly.graph_objects as go
from dash import dcc

from models.days import short_day
from models.demand.counts import quantile
from models.stockouts.what_if import WhatIf
from pipeline.alerts.what_if import Shelf
from pipeline.customer_story import CustomerStory
from pipeline.tables.customer_values import PERIODS

INK, QUIET, LINE = "#1f2933", "#52606d", "#e5e9ee"
# Blue and orange differ for every kind of colour vision; dashes and marks repeat the distinction.
SUPPLY, DEMAND, BAND, SHORT = "#1f4e9c", "#c65d00", "rgba(198, 93, 0, 0.18)", "rgba(127, 29, 29, 0.10)"


def shelf_figure(shelf: Shelf, changed: WhatIf, *, delivery: float = 0.0) -> go.Figure:
    """What there is to sell by the end of each day, against what is asked for by then; with a delivery, dashed."""
    shelves = shelf.shelves
    days = [short_day(day) for day in shelf.horizon]
    demand = np.cumsum(shelves.mean[0])
    low, high = (quantile(demand, shelves.cumulative_variance[0], share) for share in (0.1, 0.9))
    supply = shelves.on_hand[0] + np.cumsum(shelves.arriving[0])
    figure = go.Figure()
    figure.add_scatter(x=days, y=high, mode="lines", line_width=0, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=days,
        y=low,
        mode="lines",
        line_width=0,
        fill="tonexty",
        fillcolor=BAND,
        name="8 times in 10",
        hoverinfo="skip",
    )
    figure.add_scatter(x=days, y=demand, mode="lines+markers", line_color=DEMAND, name="Asked for so far (mean)")
    figure.add_scatter(
        x=days, y=supply, mode="lines", line={"color": SUPPLY, "width": 3, "shape": "hv"}, name="To sell"
    )
    arrives = np.flatnonzero(shelves.arriving[0])
    figure.add_scatter(
        x=[days[ahead] for ahead in arrives],
        y=supply[arrives],
        mode="markers+text",
        marker={"symbol": "triangle-up", "size": 12, "color": SUPPLY},
        text=[f"+{shelves.arriving[0, ahead]:,.0f}" for ahead in arrives],
        textposition="top center",
        name="Delivery",
    )
    if delivery:
        # The residuals differ by exactly what the delivery adds, day by day.
        more = supply + (changed.after.residual - changed.before.residual)[0]
        figure.add_scatter(
            x=days,
            y=more,
            mode="lines",
            line={"color": SUPPLY, "width": 3, "dash": "dot", "shape": "hv"},
            name="What if",
        )
    for ahead in np.flatnonzero(changed.short_after[0]):
        figure.add_vrect(x0=ahead - 0.5, x1=ahead + 0.5, fillcolor=SHORT, line_width=0, layer="below")
    figure.update_yaxes(title="units, from the night on")
    return plain(figure, 290)


def baskets_figure(bought: Mapping[date, float], predicted: Mapping[date, tuple[date, float]]) -> go.Figure:
    """Units bought by day, and the units and days that the kept nights predicted."""
    figure = go.Figure()
    figure.add_bar(x=list(bought), y=list(bought.values()), marker_color=SUPPLY, name="Bought", width=0.8 * 86_400_000)
    figure.add_scatter(
        x=[day for day, _ in predicted.values()],
        y=[units for _, units in predicted.values()],
        mode="markers",
        marker={"symbol": "diamond-open", "size": 11, "color": DEMAND, "line_width": 2},
        customdata=[business_date.isoformat() for business_date in predicted],
        hovertemplate="%{y:.1f} units on %{x|%Y-%m-%d}, predicted in the night of %{customdata}<extra></extra>",
        name="Predicted",
    )
    figure.update_yaxes(title="units")
    return plain(figure, 240)


def customer_value_figure(story: CustomerStory) -> go.Figure:
    """What the customer spent by each day, and by then is expected to have spent, inside its band."""
    row = story.value
    spent = np.cumsum([(day["bought_cents"] - day["returned_cents"]) / 100 for day in story.days])
    today, so_far = row["business_date"], float(spent[-1]) if len(spent) else 0.0
    ahead = [today, *(today + timedelta(days=days) for days in PERIODS)]

    def until(name: str) -> list[float]:
        return [so_far, *(so_far + row[name.format(days)] / 100 for days in PERIODS)]

    figure = go.Figure()
    for name, more in (("spend_{}_high_cents", {}), ("spend_{}_low_cents", {"fill": "tonexty", "fillcolor": BAND})):
        figure.add_scatter(
            x=ahead,
            y=until(name),
            mode="lines",
            line_width=0,
            hoverinfo="skip",
            showlegend=bool(more),
            name="8 times in 10",
            **more,
        )
    days = [*(day["sold_on"] for day in story.days), today]
    figure.add_scatter(
        x=days,
        y=[*spent, so_far],
        mode="lines",
        line={"color": SUPPLY, "width": 3, "shape": "hv"},
        name="Spent so far",
    )
    figure.add_scatter(
        x=ahead,
        y=until("spend_{}_cents"),
        mode="lines+markers",
        line={"color": DEMAND, "dash": "dot"},
        name="Expected",
    )
    figure.update_xaxes(tickformat="%Y-%m-%d", nticks=6)
    figure.update_yaxes(title="spend")
    return plain(figure, 260)


def customer_days_figure(story: CustomerStory) -> go.Figure:
    """Money paid and paid back by day, and the day on which the next basket is predicted."""
    days = [day["sold_on"] for day in story.days]
    figure = go.Figure()
    looks = (("Bought", "bought_cents", 1.0, SUPPLY), ("Brought back", "returned_cents", -1.0, QUIET))
    for name, column, sign, color in looks:
        figure.add_bar(
            x=days,
            y=[sign * day[column] / 100 for day in story.days],
            marker_color=color,
            name=name,
            width=0.8 * 86_400_000,
        )
    expected = story.prediction["next_sold_on"] if story.prediction else story.value["next_sold_on"]
    figure.add_scatter(
        x=[expected],
        y=[story.value["monetary_cents"] / 100],
        mode="markers",
        marker={"symbol": "diamond-open", "size": 11, "color": DEMAND, "line_width": 2},
        name="Next basket",
    )
    figure.update_layout(barmode="relative")
    figure.update_xaxes(tickformat="%Y-%m-%d", nticks=6)
    figure.update_yaxes(title="money")
    return plain(figure, 220)


def calibration_figure(points: Sequence[tuple[float, float, float]], name: str, of: str) -> go.Figure:
    """Share that came over stated probability; on the line, what is stated comes.

    Args: points: sum of stated probabilities, how many came and how many there were, of each part; of: what is counted.
    """
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="As stated", line={"color": QUIET, "dash": "dash"})
    figure.add_scatter(
        x=[stated / judged for stated, _, judged in points],
        y=[came / judged for _, came, judged in points],
        text=[f"{judged:,.0f} {of}" for _, _, judged in points],
        name=name,
        mode="lines+markers",
        line={"color": DEMAND},
    )
    figure.update_xaxes(title="stated probability", range=[0, 1])
    figure.update_yaxes(title="share that came", range=[0, 1])
    return plain(figure, 260)


def plain(figure: go.Figure, height: int) -> go.Figure:
    """Axes, legend and margins that all figures share."""
    figure.update_layout(
        height=height,
        margin={"l": 52, "r": 8, "t": 8, "b": 30},
        font={"size": 12, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.16, "x": 0},
        hovermode="x unified",
    )
    figure.update_xaxes(showgrid=False, linecolor=LINE, tickfont_color=QUIET)
    figure.update_yaxes(gridcolor=LINE, rangemode="tozero", tickfont_color=QUIET, title_font_color=QUIET)
    return figure


def graph(figure_id: str, figure: go.Figure) -> dcc.Graph:
    """The figure on the page; no toolbar, since nothing in these figures needs one."""
    return dcc.Graph(id=figure_id, figure=figure, config={"displayModeBar": False, "responsive": True})
