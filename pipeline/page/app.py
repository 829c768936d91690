"""The page as a WSGI application: routes, the frame around every part, and which part a path shows."""

import logging
from typing import Any, Protocol

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from flask import Flask

from pipeline.alerts.store import AlertStoreError
from pipeline.page import acts, detail, downloads, pictures, table_page
from pipeline.page.context import Context
from pipeline.page.customers import CustomersPage
from pipeline.page.frame import SALES, STYLE, body, failed, missing
from pipeline.page.guard import allow_scripts, guard
from pipeline.page.login import require_login
from pipeline.page.morning import Morning, read_morning
from pipeline.page.quality import QualityPage
from pipeline.page.refusals import refuse_malformed
from pipeline.page.sales import SalesPage, has_cases
from pipeline.page.segments import SegmentsPage
from pipeline.page.style import StylePage, has_styles

log = logging.getLogger(__name__)

GRID_CODE = "/_dash-component-suites/dash_ag_grid/async-community.js"
THEME = {
    "primaryColor": "indigo",
    "fontFamily": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif",
    "defaultRadius": "sm",
    "respectReducedMotion": True,
    "fontSizes": {"xs": "0.75rem", "sm": "0.8125rem", "md": "0.9375rem"},
}


class Part(Protocol):
    """A part of the page: what it shows on a morning, and its callbacks."""

    def layout(self, context: Context, morning: Morning) -> Any:
        """The content below the header."""

    def register(self, app: Dash, context: Context) -> None:
        """Its callbacks."""


PARTS: dict[str, Part] = {
    "/": table_page.STOCKOUTS,
    "/behaviour": table_page.ANOMALIES,
    "/customers": CustomersPage(),
    "/segments": SegmentsPage(),
    "/quality": QualityPage(),
    STYLE: StylePage(),
    SALES: SalesPage(),
}


def make_app(context: Context) -> Dash:
    """The application; nothing is connected before the first request."""
    server = Flask("larder")
    guard(server, context.settings.alerts.page_url)
    require_login(server, context.settings)
    app = Dash(
        __name__,
        server=server,  # type: ignore[arg-type] # Dash says bool and takes a Flask
        title="Larder",
        update_title="",
        suppress_callback_exceptions=True,
    )
    # The grid's own code is otherwise requested only when the grid is on the page.
    early = f'<link rel="preload" as="script" href="{app.get_relative_path(GRID_CODE)}">'
    app.index_string = app.index_string.replace("{%css%}", "{%css%}" + early)
    app.layout = lambda: _frame(context)
    downloads.register(server, context)
    pictures.register(server, context)
    acts.register(app, context)
    detail.register(app, context)
    for part in PARTS.values():
        part.register(app, context)

    refuse_malformed(server, app)

    @app.callback(
        Output("body", "children"),
        Output("shown", "data"),
        Input("url", "pathname"),
        Input("source", "data"),
        State("shown", "data"),
    )
    def show(path: str, source: str, shown: list[str]) -> tuple[Any, Any]:
        """The part that belongs to the path; nothing, when only the query of the address changed."""
        if [path, source] == shown:
            return no_update, no_update
        try:
            morning = read_morning(context, source)
            part = PARTS[path].layout(context, morning) if path in PARTS else missing(path)
            has = {SALES: has_cases(context, source), STYLE: has_styles(context, source)}
            optional = frozenset(path for path, there in has.items() if there)
            content = body(path, morning, context.sources(), part, optional=optional)
        except AlertStoreError as error:
            log.exception("the page could not be made")
            content = failed(str(error))
        return content, [path, source]

    allow_scripts(server, app.csp_hashes())
    return app


def _frame(context: Context) -> Any:
    """What stays while the parts come and go."""
    try:
        source = context.sources()[0]
    except AlertStoreError:
        source = context.own_source
    return dmc.MantineProvider(
        theme=THEME,
        children=[
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="source", data=source),
            dcc.Store(id="shown", data=[]),
            dcc.Store(id="changed", data=0),
            dmc.NotificationContainer(id="notices", position="top-right"),
            html.Div(id="body"),
            dmc.Drawer(id="detail", position="right", size="min(760px, 100%)", opened=False, padding="md"),
        ],
    )
