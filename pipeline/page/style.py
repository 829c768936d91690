"""Style: a customer's last purchases beside what to show them next, articles that are alike, and whom to show new ones.

Everything is of the latest published styles; pictures come from `pipeline/page/pictures.py`.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import dash_mantine_components as dmc
import pyarrow.dataset as ds
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from pipeline.lake.lake import Lake
from pipeline.page.context import Context
from pipeline.page.frame import empty, section
from pipeline.page.morning import Morning
from pipeline.page.pictures import address
from pipeline.style_lists import StyleLists
from pipeline.tables.baskets import BASKETS
from pipeline.tables.customer_values import CUSTOMER_VALUES
from pipeline.tables.segments import CUSTOMER_SEGMENTS
from pipeline.tables.styles import STYLE_RANKINGS

BOUGHT, SHOWN, ALIKE, NEW, WHOM = 15, 21, 11, 12, 3
MOST_NAMES = 500
CARD = "style-article"


class StylePage:
    """The part "Style"."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """What to choose by, and the first customer; words where there are no styles."""
        if not has_styles(context, morning.source):
            return empty(
                "Nothing has been ranked yet",
                [
                    "Styles are made after a night, for sources with a [catalogue] and with styles among their "
                    "capabilities. To make them for the latest night:"
                ],
                code=f"larder run styles --source {morning.source}",
            )
        lake = context.workspace(morning.source).lake
        lists = StyleLists.of(lake, morning.source)
        names = lists.customers()
        segments = sorted(set(_segments(lake).values()))
        tools = [
            _choice("style-segment", "Segment", segments, "every segment"),
            dmc.Autocomplete(
                id="style-customer",
                label="Customer",
                data=names[:MOST_NAMES],
                value=names[0] if names else "",
                limit=20,
                debounce=400,
                size="xs",
                w=200,
            ),
            _choice("style-category", "Category", lists.categories(), "every category"),
            dmc.Text(f"{len(names):,} customers, as of {lists.business_date}", size="sm", c="dimmed", pb=4),
        ]
        parts = [html.Div(id="style-customer-shown"), html.Div(id="style-alike"), html.Div(id="style-new")]
        return [
            dmc.Group(tools, gap="sm", align="end", className="tools"),
            html.Div(dmc.Stack(parts, gap="md"), className="whole scrolls"),
        ]

    def register(self, app: Dash, context: Context) -> None:
        """What follows a choice."""

        @app.callback(
            Output("style-customer", "data"),
            Output("style-customer", "value"),
            Input("style-segment", "value"),
            State("source", "data"),
            prevent_initial_call=True,
        )
        def of_segment(segment: str | None, source: str) -> tuple[Any, ...]:
            """The customers of a segment, and the first of them."""
            lake = context.workspace(source).lake
            names, segments = StyleLists.of(lake, source).customers(), _segments(lake)
            kept = [name for name in names if segment is None or segments.get(name) == segment][:MOST_NAMES]
            return kept, kept[0] if kept else ""

        @app.callback(
            Output("style-customer-shown", "children"),
            Input("style-customer", "value"),
            Input("style-category", "value"),
            State("source", "data"),
        )
        def of_customer(customer: str | None, category: str | None, source: str) -> Any:
            """What the customer bought, beside what to show next."""
            lake, diversity = context.workspace(source).lake, context.settings.styles.diversity
            return customer_shown(lake, source, customer or "", category, diversity)

        @app.callback(Output("style-new", "children"), Input("style-category", "value"), State("source", "data"))
        def of_category(category: str | None, source: str) -> Any:
            """New articles, and whom to show them."""
            return new_shown(context.workspace(source).lake, source, category)

        @app.callback(
            Output("style-alike", "children"),
            Input({"type": CARD, "item": ALL, "place": ALL}, "n_clicks"),
            State("source", "data"),
            prevent_initial_call=True,
        )
        def of_article(clicks: list[int | None], source: str) -> Any:
            """The articles nearest to the one that was clicked."""
            if not ctx.triggered_id or not any(clicks):
                return no_update
            return alike_shown(context.workspace(source).lake, source, str(ctx.triggered_id["item"]))


def has_styles(context: Context, source: str) -> bool:
    """Whether the source has rankings."""
    return context.workspace(source).lake.current(STYLE_RANKINGS.name) is not None


def customer_shown(lake: Lake, source: str, customer: str, category: str | None, diversity: float = 0.0) -> Any:
    """Last purchases on the left, the top of the ranking on the right. Args: diversity: as in `StyleSettings`."""
    lists = StyleLists.of(lake, source)
    ranking = lists.whole_ranking(customer, category, SHOWN, diversity)
    if not ranking:
        return dmc.Text(f"Nothing to show: no customer {customer[:50]!r}, or nothing in store of this category.")
    bought = lists.purchases(lake.path(BASKETS.name, lake.resolve(BASKETS.name)), customer, BOUGHT)
    picture = _picturing(lists, source)
    left = [picture(row, "bought", row["sold_on"].isoformat()) for row in bought]
    right = [picture(row, "shown", f"{row['rank']}" + (", new" if row["is_new"] else "")) for row in ranking]
    return html.Div(
        [
            section("Bought last", html.Div(left, className="pictures")),
            section("To show next", html.Div(right, className="pictures")),
        ],
        className="sides",
    )


def alike_shown(lake: Lake, source: str, item: str) -> Any:
    """The articles nearest to one."""
    lists = StyleLists.of(lake, source)
    try:
        alike = lists.like(item, ALIKE)
    except ValueError as error:
        return dmc.Text(str(error))
    picture = _picturing(lists, source)
    said = [picture(row, "alike", f"{row['likeness']:.2f}" + ("" if row["in_store"] else ", gone")) for row in alike]
    [first] = lists.described([{"product_id": item}])
    return section(f"Like {first['name']}", html.Div([picture(first, "itself", "itself"), *said], className="pictures"))


def new_shown(lake: Lake, source: str, category: str | None) -> Any:
    """New articles in store, with the customers who would want each most."""
    lists = StyleLists.of(lake, source)
    new = lists.new_articles(NEW, category)
    if not new:
        return dmc.Text("No article in store that nobody has bought yet.", size="sm", c="dimmed")
    whom = lists.customers_for({row["product_id"]: row["factors"] for row in new}, WHOM)
    picture = _picturing(lists, source)
    cards = [picture(row, "new", ", ".join(each["customer_id"] for each in whom[row["product_id"]])) for row in new]
    return section("New, and whom to show it to", html.Div(cards, className="pictures"))


def _picturing(lists: StyleLists, source: str) -> Callable[[dict[str, Any], str, str], Any]:
    """A function that makes a card of an article; a click on it shows what is alike."""
    hashes, numbers = lists.pictures(), count()

    def card(row: dict[str, Any], place: str, words: str) -> Any:
        item = row["product_id"]
        there = item in hashes
        image = html.Img(src=address(source, hashes[item]), alt="") if there else html.Div("no picture")
        said = [html.Div(row["name"], className="name"), html.Div(words, className="words")]
        return html.Button(
            [image, *said],
            id={"type": CARD, "item": item, "place": f"{place} {next(numbers)}"},
            className="picture",
            title=f"{item}: {row.get('brand') or ''} {row.get('category') or ''}".strip(),
        )

    return card


def _choice(name: str, label: str, data: list[str], placeholder: str) -> Any:
    display = "block" if data else "none"
    return dmc.Select(
        id=name, label=label, data=data, placeholder=placeholder, clearable=True, size="xs", w=200, display=display
    )


def _segments(lake: Lake) -> dict[str, str]:
    """Segment of each customer, of those who shop alike, else by value; empty where nothing says so."""
    for table, column in ((CUSTOMER_SEGMENTS.name, "segment_name"), (CUSTOMER_VALUES.name, "segment")):
        if lake.current(table) is not None:
            folder = lake.path(table, lake.resolve(table))
            rows = ds.dataset(folder, format="parquet").to_table(["customer_id", column])
            return dict(zip(rows["customer_id"].to_pylist(), rows[column].to_pylist(), strict=True))
    return {}
