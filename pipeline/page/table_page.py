"""A part of the page that is a table: tiles, tools, the grid, and the rows that the grid requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.exceptions import PreventUpdate

from pipeline.page.acts import act_bar
from pipeline.page.alert_quality import Night, latest_alert_night
from pipeline.page.columns import ANOMALIES as ANOMALY_COLUMNS
from pipeline.page.columns import STOCKOUTS as STOCKOUT_COLUMNS
from pipeline.page.columns import Column
from pipeline.page.context import Context
from pipeline.page.downloads import link
from pipeline.page.frame import nothing_yet
from pipeline.page.morning import Morning, Tiles, read_morning, read_tiles
from pipeline.page.people import person
from pipeline.page.returns import view_of
from pipeline.page.rows import GridRequest, RequestError, View, fetch_and_count
from pipeline.page.views import SCOPES as SCOPE_NAMES
from pipeline.terminal import money

MOST_ROW_NUMBER = 1_000_000_000
BLOCK = 50  # rows that the grid requests at once
THEME = (
    "themeQuartz.withParams({fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, spacing: 5, "
    "headerBackgroundColor: '#f4f6f9', borderColor: '#dfe4ea', rowHoverColor: '#eef3fb', "
    "selectedRowBackgroundColor: '#e3ecfa', accentColor: '#3b5bdb', wrapperBorderRadius: 4})"
)
SCOPES = [{"value": name, "label": name.capitalize()} for name in SCOPE_NAMES]


@dataclass(frozen=True)
class TablePage:
    """One table: `name` is that of its view, its ids and its exported files."""

    name: str
    kind: str
    columns: tuple[Column, ...]
    money_heading: str
    money_words: str

    @property
    def grid_id(self) -> str:
        """The grid's id."""
        return f"{self.name}-grid"

    def layout(self, context: Context, morning: Morning) -> Any:
        """Tiles, tools and the empty grid, which then requests its rows."""
        if morning.business_date is None:
            return nothing_yet()
        tools = [self._tools()]
        if person(context.settings).may_edit:
            chosen = dmc.Text("", id=f"{self.name}-chosen", size="sm", fw=600, **{"aria-live": "polite"})
            bar = dmc.Group([chosen, act_bar(self.name)], gap="sm")
            tools.append(html.Div(bar, id=f"{self.name}-acts", className="hidden"))
        return [html.Div(id=f"{self.name}-tiles"), *tools, self._grid()]

    def _tiles(self, tiles: Tiles, measured: Night | None) -> Any:
        found = (
            f"{tiles.right} of {tiles.with_verdict} judged were right"
            if tiles.with_verdict
            else "no verdicts given yet"
        )
        precision = "not measured yet"
        if measured and measured.precision is not None:
            precision = f"{measured.precision:.0%}"
            found = f"of past mornings, recall {measured.recall:.0%}, {measured.days_ahead:.1f} days ahead; {found}"
        return dmc.SimpleGrid(
            cols=4,
            spacing="sm",
            className="tiles",
            children=[
                tile("Open alerts", f"{tiles.open:,}", f"{tiles.new:,} of them new tonight"),
                tile(self.money_heading, money(tiles.value_cents), self.money_words),
                tile("New tonight", f"{tiles.new:,}", "first seen in the latest night"),
                tile("Back-tested precision", precision, found),
            ],
        )

    def _tools(self) -> Any:
        return dmc.Group(
            justify="space-between",
            className="tools",
            children=[
                dmc.Group(
                    gap="sm",
                    children=[
                        dmc.SegmentedControl(id=f"{self.name}-scope", data=SCOPES, value="open", size="xs"),
                        dmc.Text("", id=f"{self.name}-count", size="sm", c="dimmed", **{"aria-live": "polite"}),
                    ],
                ),
                dmc.Group(
                    gap="xs",
                    children=[
                        dmc.Button("Clear filters", id=f"{self.name}-clear", variant="subtle", size="compact-sm"),
                        html.A("CSV", id=f"{self.name}-csv", className="download", href="#"),
                        html.A("Excel", id=f"{self.name}-xlsx", className="download", href="#"),
                    ],
                ),
            ],
        )

    def _grid(self) -> Any:
        return grid(self.grid_id, self.columns, "No alerts here")

    def register(self, app: Dash, context: Context) -> None:
        """The callbacks of this table."""
        grid, name = self.grid_id, self.name

        @app.callback(
            Output(grid, "getRowsResponse"),
            Output(f"{name}-count", "children"),
            Output(f"{name}-csv", "href"),
            Output(f"{name}-xlsx", "href"),
            Input(grid, "getRowsRequest"),
            State("source", "data"),
            State(f"{name}-scope", "value"),
            prevent_initial_call=True,
        )
        def rows(request: dict[str, Any] | None, source: str, scope: str) -> tuple[Any, ...]:
            """The rows that the grid requests, and links to files of exactly what it shows."""
            if request is None:
                raise PreventUpdate
            return answer(context, name, request, source, scope)

        @app.callback(
            Output(f"{name}-tiles", "children"),
            Input(f"{name}-tiles", "id"),
            Input("changed", "data"),
            State("source", "data"),
        )
        def tiles(_id: str, _changed: int, source: str) -> Any:
            """The figures above the table, read again after every change."""
            morning = read_morning(context, source)
            if morning.business_date is None:
                return []
            measured = latest_alert_night(context.workspace(source).lake, self.kind)
            return self._tiles(read_tiles(context, source, self.kind, morning.business_date), measured)

        app.clientside_callback(
            f"(rows) => {{ const bar = document.getElementById('{name}-acts'), chosen = rows || [];"
            " if (bar) { bar.className = chosen.length ? 'shown' : 'hidden'; }"
            " return [chosen.map(row => [row.id, row.version]), `${chosen.length} chosen`]; }",
            Output({"type": "chosen", "place": name}, "data"),
            Output(f"{name}-chosen", "children"),
            Input(grid, "selectedRows"),
            prevent_initial_call=True,
        )
        open_row_on_click(app, grid, "alert")
        app.clientside_callback(
            f"(_scope, _changed) => {{ const api = dash_ag_grid.getApi('{grid}');"
            " if (api) { api.deselectAll(); api.purgeInfiniteCache(); } return dash_clientside.no_update; }",
            Output(grid, "id"),
            Input(f"{name}-scope", "value"),
            Input("changed", "data"),
            prevent_initial_call=True,
        )
        clear_filters_on_click(app, grid, name)


def grid(grid_id: str, columns: tuple[Column, ...], no_rows: str, *, selects: bool = True) -> Any:
    """An empty grid of some columns, which requests its rows. Args: selects: rows can be ticked."""
    options: dict[str, Any] = {
        "theme": {"function": THEME},
        "cacheBlockSize": BLOCK,
        # The grid keeps one response at a time; a second request beside it would never get one.
        "maxConcurrentDatasourceRequests": 1,
        "blockLoadDebounceMillis": 20,
        "tooltipShowDelay": 400,
        "multiSortKey": "ctrl",
        "localeText": {"noRowsToShow": no_rows},
    }
    if selects:
        options["rowSelection"] = {"mode": "multiRow", "headerCheckbox": False, "enableClickSelection": False}
        options["selectionColumnDef"] = {"pinned": "left", "width": 44}
    return dag.AgGrid(
        id=grid_id,
        className="grid",
        rowModelType="infinite",
        columnDefs=[column.definition for column in columns],
        defaultColDef={
            "floatingFilter": True,
            "resizable": True,
            "sortable": True,
            "suppressHeaderMenuButton": True,
        },
        getRowId="params.data.id",
        dashGridOptions=options,
        eventListeners={"cellKeyDown": ["openOnEnter(params, setEventData)"]},
        style={"height": "100%", "width": "100%"},
    )


def open_row_on_click(app: Dash, grid: str, key: str) -> None:
    """A click on a row of the grid, or Enter, opens its detail: `?<key>=<id>`. Ticking a row opens nothing."""
    app.clientside_callback(
        "(clicked, entered) => {"
        " const isKey = dash_clientside.callback_context.triggered[0].prop_id.endsWith('.eventData');"
        " const id = isKey ? entered && entered.data.id : clicked && clicked.rowId;"
        " if (!id || (!isKey && clicked.colId === 'ag-Grid-SelectionColumn')) { return dash_clientside.no_update; }"
        f" return '?{key}=' + encodeURIComponent(id); }}",
        Output("url", "search", allow_duplicate=True),
        Input(grid, "cellClicked"),
        Input(grid, "eventData"),
        prevent_initial_call=True,
    )


def clear_filters_on_click(app: Dash, grid: str, name: str) -> None:
    """The part's button *Clear filters*."""
    app.clientside_callback(
        f"(_clicks) => {{ dash_ag_grid.getApi('{grid}').setFilterModel(null); return dash_clientside.no_update; }}",
        Output(f"{name}-clear", "id"),
        Input(f"{name}-clear", "n_clicks"),
        prevent_initial_call=True,
    )


def answer(context: Context, name: str, request: dict[str, Any], source: str, scope: str) -> tuple[Any, ...]:
    """What the grid and the words and links around it show for a request."""
    if not isinstance(request, dict) or not isinstance(source, str) or scope not in SCOPE_NAMES:
        raise RequestError("the grid's request, its source or its scope is none")
    grid_request = GridRequest.of(request)
    view = view_of(context, name, source, scope)
    start, end = block_of(request)
    with context.reading() as connection:
        found, total = fetch_and_count(connection, view, grid_request, start, end)
    in_units(view, found)
    words = f"{total:,} alert{'' if total == 1 else 's'}" + (", filtered" if grid_request.filters else "")
    links = (link(name, kind, source, scope, request) for kind in ("csv", "xlsx"))
    return {"rowData": found, "rowCount": total}, words, *links


def block_of(request: Mapping[str, Any]) -> tuple[int, int]:
    """The rows that a request wants, from and to before. Raises: RequestError: they are none."""
    if not isinstance(request, Mapping):
        raise RequestError("the grid's request is none")
    return _row(request.get("startRow", 0)), _row(request.get("endRow", BLOCK))


def in_units(view: View, rows: list[dict[str, Any]]) -> None:
    """Turn a view's cents into units of money, in place."""
    for row in rows:
        for column in view.columns:
            if column.kind == "money" and row[column.key] is not None:
                row[column.key] /= 100


def _row(number: Any) -> int:
    if type(number) is not int or not 0 <= number <= MOST_ROW_NUMBER:
        raise RequestError(f"a row's number is from 0 to {MOST_ROW_NUMBER:,}")
    return number


def tile(heading: str, figure: str, words: str) -> Any:
    """One figure, what it is, and what it means."""
    return dmc.Paper(
        withBorder=True,
        className="tile",
        children=[
            dmc.Text(heading, size="xs", c="dimmed", fw=600),
            dmc.Text(figure, className="figure"),
            dmc.Text(words, size="xs", c="dimmed"),
        ],
    )


STOCKOUTS = TablePage("stockouts", "stockout", STOCKOUT_COLUMNS, "Lost sales at risk", "of the open alerts")
ANOMALIES = TablePage("anomalies", "anomaly", ANOMALY_COLUMNS, "Monthly spending at risk", "of open alerts with a loss")
