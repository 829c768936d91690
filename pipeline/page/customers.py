"""Customers: what each is worth, when it comes next and whether it is being lost; a row opens its whole story."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.exceptions import PreventUpdate

from pipeline.customer_story import read_story
from pipeline.lake.lake import Lake, LakeError
from pipeline.page.columns import CUSTOMERS
from pipeline.page.context import Context
from pipeline.page.customer_rows import customers_view, reading_customers
from pipeline.page.downloads import link
from pipeline.page.figures import customer_days_figure, customer_value_figure, graph
from pipeline.page.frame import empty
from pipeline.page.morning import Morning, read_morning
from pipeline.page.rows import GridRequest, fetch_and_count
from pipeline.page.table_page import block_of, clear_filters_on_click, grid, in_units, open_row_on_click, tile
from pipeline.page.tables import facts
from pipeline.tables.customer_values import CUSTOMER_VALUES
from pipeline.terminal import money

NAME, GRID = "customers", "customers-grid"


class CustomersPage:
    """The part "Customers"."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """Tiles, tools and the grid; words where the source has no values."""
        lake = context.workspace(morning.source).lake
        if lake.current(CUSTOMER_VALUES.name) is None:
            return empty(
                "There are no customer values yet",
                [
                    "They are made after a night, for sources with customer_value among their capabilities. "
                    "To make them for the latest night:"
                ],
                code=f"larder run customer_value --source {morning.source}",
            )
        return [_tiles(lake, morning.run_id), _tools(), grid(GRID, CUSTOMERS, "No customers here", selects=False)]

    def register(self, app: Dash, context: Context) -> None:
        """Rows for the grid, and what a click on one does."""

        @app.callback(
            Output(GRID, "getRowsResponse"),
            Output(f"{NAME}-count", "children"),
            Output(f"{NAME}-csv", "href"),
            Output(f"{NAME}-xlsx", "href"),
            Input(GRID, "getRowsRequest"),
            State("source", "data"),
            prevent_initial_call=True,
        )
        def rows(request: dict[str, Any] | None, source: str) -> tuple[Any, ...]:
            """The rows that the grid requests, and links to files of exactly what it shows."""
            if request is None:
                raise PreventUpdate
            return customers_answer(context, request, source)

        open_row_on_click(app, GRID, "customer")
        clear_filters_on_click(app, GRID, NAME)


def customers_answer(context: Context, request: Mapping[str, Any], source: str) -> tuple[Any, ...]:
    """What the grid and the words and links around it show for a request."""
    start, end = block_of(request)
    grid_request, view = GridRequest.of(request), customers_view()
    lake, run_id = context.workspace(source).lake, read_morning(context, source).run_id
    with reading_customers(lake, run_id) as connection:
        found, total = fetch_and_count(connection, view, grid_request, start, end)
    in_units(view, found)
    words = f"{total:,} customer{'' if total == 1 else 's'}" + (", filtered" if grid_request.filters else "")
    links = (link(NAME, kind, source, "all", request) for kind in ("csv", "xlsx"))
    return {"rowData": found, "rowCount": total}, words, *links


def story(context: Context, source: str, customer_id: str) -> tuple[Any, Any]:
    """Title and content of one customer, for the drawer."""
    lake, run_id = context.workspace(source).lake, read_morning(context, source).run_id
    try:
        found = read_story(lake, customer_id, run_id)
    except LakeError:
        found = None
    if found is None:
        return "No such customer", dmc.Text(f"There is no customer {customer_id[:50]} with a value here.")
    row = found.value
    title = html.Div(
        [
            html.Div(found.customer_id, className="subject"),
            html.Div(
                [html.Span(row["segment"].capitalize(), className="tag"), html.Span(row["trend"])], className="where"
            ),
        ]
    )
    parts: list[Any] = [
        _section("Spend so far, and expected", graph("customer-value-figure", customer_value_figure(found))),
        _section("Day by day", graph("customer-days-figure", customer_days_figure(found))),
        _section("In figures", facts(["", ""], found.facts())),
    ]
    if found.offers:
        offers = [
            [one["offer"], f"{one['probability']:.0%}", one["expected_on"].isoformat(), one["fallback"] or ""]
            for one in found.offers
        ]
        parts.append(_section("Next offers", facts(["Offer", "Probability", "Expected on", "Fallback"], offers)))
    if found.returns:
        likely = sorted(found.returns, key=lambda line: -line["probability"])[:10]
        lines = [[one["sold_on"].isoformat(), one["product_id"], f"{one['probability']:.0%}"] for one in likely]
        parts.append(_section("What may come back", facts(["Bought on", "Product", "Probability"], lines)))
    return title, dmc.Stack(parts, gap="md")


def _section(heading: str, *parts: Any) -> Any:
    return html.Section([dmc.Title(heading, order=5, mb=6), *parts])


def _tiles(lake: Lake, run_id: str | None) -> Any:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    names = [
        "spend_90_cents",
        "spend_90_low_cents",
        "lifetime_value_cents",
        "still_customer",
        "method",
        "model_version",
    ]
    folder = lake.path(CUSTOMER_VALUES.name, lake.resolve(CUSTOMER_VALUES.name, run_id))
    values = ds.dataset(folder, format="parquet").to_table(columns=names)
    spend, lifetime = (pc.sum(values[name]).as_py() or 0.0 for name in ("spend_90_cents", "lifetime_value_cents"))
    still = pc.sum(values["still_customer"]).as_py() or 0.0
    by = ", ".join(sorted(set(values["model_version"].unique().to_pylist())))
    methods = ", ".join(sorted(set(values["method"].unique().to_pylist())))
    return dmc.SimpleGrid(
        cols=4,
        spacing="sm",
        className="tiles",
        children=[
            tile("Customers", f"{values.num_rows:,}", f"about {still:,.0f} of them still are"),
            tile("Next 90 days", money(round(spend)), "expected spend of all"),
            tile("Lifetime value", money(round(lifetime)), "discounted spend to come"),
            tile("Predicted by", methods or "nobody", by or "no customer yet"),
        ],
    )


def _tools() -> Any:
    return dmc.Group(
        justify="space-between",
        className="tools",
        children=[
            dmc.Text("", id=f"{NAME}-count", size="sm", c="dimmed", **{"aria-live": "polite"}),
            dmc.Group(
                gap="xs",
                children=[
                    dmc.Button("Clear filters", id=f"{NAME}-clear", variant="subtle", size="compact-sm"),
                    html.A("CSV", id=f"{NAME}-csv", className="download", href="#"),
                    html.A("Excel", id=f"{NAME}-xlsx", className="download", href="#"),
                ],
            ),
        ],
    )
