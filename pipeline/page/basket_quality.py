"""What predicted baskets of past mornings were worth: the night's own back-test, drawn by night and by probability.

Read from the published versions of `basket_backtests`: one version a night, each with some mornings before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go

from pipeline.lake.export import scan
from pipeline.lake.lake import Lake
from pipeline.page.figures import DEMAND, QUIET, calibration_figure, graph, plain
from pipeline.page.tables import facts
from pipeline.tables.basket_backtests import BASKET_BACKTESTS, BY_FREQUENCY, BY_MODEL, REPLAY

WHO = {BY_MODEL: "Published", BY_FREQUENCY: "Published, by frequency", REPLAY: "Replayed"}
_SUMS = tuple(column.name for column in BASKET_BACKTESTS.columns if column.kind in ("bigint", "double"))
_BY_TENTH = ("stated_by_tenth", "hits_by_tenth", "named_by_tenth")


@dataclass(frozen=True)
class BasketNight:
    """One night's back-test: its rows, in the columns of the table."""

    business_date: date
    rows: list[dict[str, Any]]

    def of(self, *origins: str) -> list[dict[str, Any]]:
        """The rows of some origins of which anybody came."""
        return [row for row in self.rows if row["origin"] in origins and row["came"]]

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """What was published, or, where none of it can be judged yet, the replay."""
        return self.of(BY_MODEL, BY_FREQUENCY) or self.of(REPLAY)


@dataclass(frozen=True)
class BasketFigures:
    """Quotients of the sums of some rows."""

    sums: dict[str, float]
    tenths: list[tuple[float, float, float]]
    """Stated, bought and named, by tenth of probability; without empty ones."""

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]]) -> "BasketFigures":
        """Of rows of which somebody came."""
        sums = {name: float(sum(row[name] for row in rows)) for name in _SUMS}
        columns = ([sum(parts) for parts in zip(*(row[name] for row in rows), strict=True)] for name in _BY_TENTH)
        return cls(sums, [part for part in zip(*columns, strict=True) if part[-1]])

    def per(self, name: str, whole: str = "came") -> float:
        """One sum over another; 0 where that is 0."""
        return self.sums[name] / max(self.sums[whole], 1.0)

    @property
    def calibration_error(self) -> float:
        """Mean distance of stated probability and share that was bought, weighted by products named."""
        return sum(abs(stated - hits) for stated, hits, _ in self.tenths) / max(self.sums["named"], 1.0)


def read_basket_nights(lake: Lake, most: int) -> list[BasketNight]:
    """The latest nights with a back-test, oldest first; of a night that ran twice, the version written last."""
    found: dict[date, BasketNight] = {}
    for version in lake.versions(BASKET_BACKTESTS.name)[-most:]:
        night = BasketNight(
            lake.manifest(BASKET_BACKTESTS.name, version).business_date,
            scan(lake, BASKET_BACKTESTS.name, version).to_table().to_pylist(),
        )
        if night.drawn:
            found[night.business_date] = night
    return [found[day] for day in sorted(found)]


def basket_quality(nights: list[BasketNight]) -> list[Any]:
    """Words, figures and tables; nothing where no night has a back-test."""
    if not nights:
        return []
    latest = nights[-1]
    words = (
        "Predicted baskets of past mornings against the next basket that each customer then bought, beside as many of "
        "the customer's own most frequent products. Published: by earlier nights, as they stood. Replayed: by the "
        "night's champion as of 7, 14, 21 and 28 days before, where it had learned from nothing later."
    )
    names = ["Customers", "Came", "Recall@10", "own list", "Precision", "own list", "Hit rate", "own list"]
    names += ["Products off", "Days off", "Came in time", "Calibration error"]
    points = BasketFigures.of(latest.drawn).tenths
    return [
        dmc.Text(words, size="sm", c="dimmed"),
        dmc.Paper(graph("basket-quality", by_night(nights)), withBorder=True, p="sm"),
        dmc.Paper(
            graph("basket-calibration", calibration_figure(points, f"Night of {latest.business_date}", "products")),
            withBorder=True,
            p="sm",
        ),
        facts(["Night", "Predicted", *names], [*_night_rows(nights)]),
        dmc.Text(f"The night of {latest.business_date} by age of the prediction:", size="sm", c="dimmed"),
        facts(["Days before", "Predicted", *names], [*_age_rows(latest)]),
    ]


def by_night(nights: list[BasketNight]) -> go.Figure:
    """Recall@10 of the baskets and of own lists by night."""
    figure = go.Figure()
    days = [night.business_date for night in nights]
    looks = (("Predicted baskets", "recall_10", DEMAND, "solid"), ("Own list", "list_recall_10", QUIET, "dash"))
    for name, column, color, dash in looks:
        values = [BasketFigures.of(night.drawn).per(column) for night in nights]
        line = {"color": color, "dash": dash}
        figure.add_scatter(x=days, y=values, name=name, mode="lines+markers", line=line)
    figure.update_yaxes(title="recall@10", rangemode="tozero")
    figure.update_xaxes(tickformat="%Y-%m-%d", nticks=min(len(days), 8))
    return plain(figure, 260)


def _night_rows(nights: list[BasketNight]) -> Iterable[list[str]]:
    for night in reversed(nights):
        for origin, who in WHO.items():
            if rows := night.of(origin):
                yield [night.business_date.isoformat(), who, *_cells(rows)]


def _age_rows(night: BasketNight) -> Iterable[list[str]]:
    for origin, who in WHO.items():
        for row in sorted(night.of(origin), key=lambda row: row["as_of"], reverse=True):
            yield [str((night.business_date - row["as_of"]).days), who, *_cells([row])]


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    found = BasketFigures.of(rows)
    shares = [("recall_10", "came"), ("list_recall_10", "came"), ("hits", "named"), ("list_hits", "list_named")]
    shares += [("hit_customers", "came"), ("list_hit_customers", "came")]
    due = f"{found.per('came_by_due', 'due'):.0%}" if found.sums["due"] else ""
    return [
        *(f"{found.sums[name]:,.0f}" for name in ("predicted", "came")),
        *(f"{found.per(name, whole):.3f}" for name, whole in shares),
        *(f"{found.per(name):.1f}" for name in ("size_error", "days_error")),
        due,
        f"{found.calibration_error:.3f}",
    ]
