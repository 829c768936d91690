"""Segments: customers who shop alike and products that meet the same need, as the latest night grouped them."""

from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from dash import Dash, html
from plotly.colors import qualitative

from pipeline.lake.lake import Lake
from pipeline.page.context import Context
from pipeline.page.figures import graph, plain
from pipeline.page.frame import empty
from pipeline.page.morning import Morning
from pipeline.page.tables import facts

TABLES = {"customer_segments": "Customers by behaviour", "product_segments": "Products by need"}
MEMBERS_SHOWN = 2000
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")


class SegmentsPage:
    """The part "Segments"."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """One block per kind of segment; words where no night has made any."""
        lake = context.workspace(morning.source).lake
        blocks = [
            self._block(lake, name, heading, morning.run_id) for name, heading in TABLES.items() if lake.current(name)
        ]
        if not blocks:
            return empty(
                "There are no segments yet",
                [
                    "A night groups customers who shop alike and products that meet the same need; "
                    "none of this source has done so yet. They appear here after the first night that does."
                ],
            )
        return dmc.ScrollArea(dmc.SimpleGrid(blocks, cols={"base": 1, "lg": 2}), className="whole")

    def register(self, app: Dash, context: Context) -> None:
        """Nothing here changes by itself."""

    def _block(self, lake: Lake, name: str, heading: str, run_id: str | None) -> Any:
        members = read_segments(lake, name, run_id)
        if members.num_rows == 0:
            summary = "This night had too few baskets to group."
            return html.Section([dmc.Title(heading, order=4), dmc.Text(summary, size="sm", c="dimmed")])
        sizes = members.group_by(["segment_id", "segment_name", "is_new_segment"]).aggregate([([], "count_all")])
        ordered = sorted(sizes.to_pylist(), key=lambda row: -row["count_all"])
        stability = next(
            (value for value in members.column("rand_index").unique().to_pylist() if value is not None), None
        )
        summary = (
            "first night: nothing to compare with"
            if stability is None
            else f"{stability:.2f} like the night before (adjusted Rand index, 1 for the same)"
        )
        rows = [
            [
                str(row["segment_id"]),
                row["segment_name"] + (" (new)" if row["is_new_segment"] else ""),
                f"{row['count_all']:,}",
                f"{row['count_all'] / members.num_rows:.0%}",
            ]
            for row in ordered
        ]
        return html.Section(
            [
                dmc.Title(heading, order=4),
                dmc.Text(f"{members.num_rows:,} in {len(ordered)} segments; {summary}", size="sm", c="dimmed"),
                graph(name.replace("_", "-"), segments_figure(members, ordered)),
                facts(["", "Segment", "Members", "Share"], rows),
            ]
        )


def read_segments(lake: Lake, name: str, run_id: str | None) -> pa.Table:
    """The members with segment and place in the plot, of the run that is shown, else the current ones."""
    columns = ["segment_id", "segment_name", "is_new_segment", "rand_index", "x", "y"]
    return ds.dataset(lake.path(name, lake.resolve(name, run_id)), format="parquet").to_table(columns=columns)


def segments_figure(members: pa.Table, ordered: list[dict[str, Any]]) -> go.Figure:
    """Every member (every n-th of many) at its place; segments differ in colour and in mark."""
    figure = go.Figure()
    shown = members.take(list(range(0, members.num_rows, max(1, members.num_rows // MEMBERS_SHOWN))))
    for place, segment in enumerate(ordered):
        its = shown.filter(pc.equal(shown.column("segment_id"), segment["segment_id"]))
        figure.add_scatter(
            x=its.column("x").to_pylist(),
            y=its.column("y").to_pylist(),
            mode="markers",
            name=f"{segment['segment_id']} {segment['segment_name']}",
            marker={
                "size": 6,
                "opacity": 0.7,
                "color": qualitative.Safe[place % len(qualitative.Safe)],
                "symbol": SYMBOLS[place % len(SYMBOLS)],
            },
            hoverinfo="name",
        )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(showticklabels=False, rangemode="normal")
    return plain(figure, 320).update_layout(hovermode="closest")
