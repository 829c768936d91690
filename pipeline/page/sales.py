"""Sales: the open cases of a sales team with their next actions, as the latest plans say; a row opens its case."""

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, html

from pipeline.case_plans import Plans, open_plans, steps_in_words
from pipeline.page.columns import PLANS
from pipeline.page.context import Context
from pipeline.page.frame import empty
from pipeline.page.morning import Morning
from pipeline.page.table_page import THEME, open_row_on_click, tile
from pipeline.tables.action_plans import ACTION_PLANS

GRID = "plans-grid"
MOST_ROWS = 5000


class SalesPage:
    """The part "Sales"."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """Figures and the grid with all plans; words where there are none."""
        if not has_cases(context, morning.source):
            return empty(
                "No case has been planned yet",
                ["A source with [actions] plans its open cases where it switches sale_actions on. To run it now:"],
                code=f"larder run sale_actions --source {morning.source}",
            )
        plans = open_plans(context.workspace(morning.source).lake)
        return [_tiles(plans), _words(plans), _grid(plans)]

    def register(self, app: Dash, context: Context) -> None:
        """A click on a row, or Enter, opens its case."""
        open_row_on_click(app, GRID, "case")


def has_cases(context: Context, source: str) -> bool:
    """Whether the source has plans of open cases."""
    return context.workspace(source).lake.current(ACTION_PLANS.name) is not None


def rows_of(plans: Plans) -> list[dict[str, Any]]:
    """What the grid shows."""
    shown = [column.key for column in PLANS]
    rows = []
    for row in plans.rows[:MOST_ROWS]:
        said = row | {"id": row["case_id"], "then": steps_in_words(row | {"steps": row["steps"][1:]})}
        said["last_acted_on"] = row["last_acted_on"].isoformat()
        rows.append({name: said[name] for name in ("id", *shown)})
    return rows


def _tiles(plans: Plans) -> Any:
    rows = plans.rows
    agents = {row["agent"] for row in rows if row["agent"]}
    steps = sum(row["remaining_steps"] for row in rows) / max(1, len(rows))
    won = [row["win_probability"] for row in rows if row["win_probability"] is not None]
    planned = sum(row["fallback"] is None for row in rows)
    return dmc.SimpleGrid(
        cols=4,
        spacing="sm",
        className="tiles",
        children=[
            tile("Open cases", f"{len(rows):,}", f"of {len(agents):,} agents, as of {plans.business_date}"),
            tile("Steps to go", f"{steps:.1f}", "expected in the mean case"),
            tile("Expected to be won", f"{sum(won):,.0f}" if won else "not known", "sum of the probabilities"),
            tile("Planned by a model", f"{planned:,}", "the others by counts of past cases"),
        ],
    )


def _words(plans: Plans) -> Any:
    more = len(plans.rows) - MOST_ROWS
    words = f"The first {MOST_ROWS:,} cases; {more:,} more are in `larder actions list --csv`. " if more > 0 else ""
    return dmc.Text(
        f"{words}Sorted by chance to win. A chance after an action is how similar past cases ended, not its effect.",
        size="sm",
        c="dimmed",
        className="tools",
    )


def _grid(plans: Plans) -> Any:
    return html.Div(
        dag.AgGrid(
            id=GRID,
            className="grid",
            rowData=rows_of(plans),
            columnDefs=[column.definition for column in PLANS],
            defaultColDef={
                "floatingFilter": True,
                "resizable": True,
                "sortable": True,
                "suppressHeaderMenuButton": True,
            },
            getRowId="params.data.id",
            dashGridOptions={
                "theme": {"function": THEME},
                "tooltipShowDelay": 400,
                "multiSortKey": "ctrl",
                "localeText": {"noRowsToShow": "No open case"},
            },
            eventListeners={"cellKeyDown": ["openOnEnter(params, setEventData)"]},
            style={"height": "100%", "width": "100%"},
        ),
        style={"flex": "1", "minHeight": "220px"},
    )
