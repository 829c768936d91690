"""The frame of every part: name, navigation, the night shown, warnings, and what stands in place of a table."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from pipeline.page.morning import Morning

SALES, STYLE = "/sales", "/style"
NAVIGATION = {
    "/": "Out of stock",
    "/behaviour": "Behaviour",
    "/customers": "Customers",
    "/segments": "Segments",
    "/quality": "Model quality",
    STYLE: "Style",
    SALES: "Sales",
}
OPTIONAL = frozenset({SALES, STYLE})
"""Parts that stand in the header only where a source has something for them."""


def body(
    path: str, morning: Morning, sources: Sequence[str], content: Any, *, optional: frozenset[str] = frozenset()
) -> Any:
    """Header, warnings, and the part itself. Args: optional: of OPTIONAL, those that the source has."""
    return html.Div(
        className="page",
        children=[
            header(path, morning, sources, optional=optional),
            *warnings(morning),
            html.Main(content, id="main"),
        ],
    )


def header(path: str, morning: Morning, sources: Sequence[str], *, optional: frozenset[str] = frozenset()) -> Any:
    """The name, the parts, the source where there are several, and the night that is shown."""
    parts = [
        dmc.Anchor(name, href=to, underline="never", className="part current" if to == path else "part")
        for to, name in NAVIGATION.items()
        if to not in OPTIONAL or to in optional
    ]
    as_of = f"Data as of {morning.business_date or 'no night yet'}"
    if path in OPTIONAL:
        as_of = ""  # cases and styles have a day of their own, which the part says
    return html.Header(
        className="top",
        children=[
            html.Span("Larder", className="brand"),
            html.Nav(parts, className="parts"),
            dmc.Group(
                gap="sm",
                className="about",
                children=[
                    dmc.Select(
                        id="choose-source",
                        data=list(sources),
                        value=morning.source,
                        allowDeselect=False,
                        size="xs",
                        w=130,
                        display="block" if len(sources) > 1 else "none",
                        **{"aria-label": "Source"},
                    ),
                    dmc.Text(as_of, id="as-of", size="sm", fw=600 if morning.days_late else 400),
                ],
            ),
        ],
    )


def section(heading: str, *parts: Any) -> Any:
    """A heading and what stands under it."""
    return html.Section([dmc.Title(heading, order=5, mb=6), *parts])


def warnings(morning: Morning) -> list[Any]:
    """That the data are old, or that the newest run failed; nothing on a good morning."""
    found = []
    if morning.days_late:
        days = "1 day" if morning.days_late == 1 else f"{morning.days_late:,} days"
        found.append(
            dmc.Alert(
                f"The latest night is {morning.business_date}, {days} before {morning.expected}, which is due by now. "
                "Nothing sold or delivered since then is in these figures. "
                + ("" if morning.failure else "Ask whoever runs Larder whether last night ran."),
                title="These alerts are old",
                color="orange",
                id="stale",
                className="warning",
            )
        )
    if morning.failure and (morning.failure.run != morning.run_id):
        found.append(
            dmc.Alert(
                f"Run {morning.failure.run} stopped at {morning.failure.stage}: {morning.failure.error} "
                "What is shown is from the night before it; nothing half-done is ever shown.",
                title="The newest night failed",
                color="red",
                id="night-failed",
                className="warning",
            )
        )
    return found


def nothing_yet() -> Any:
    """Before the first published night."""
    return empty(
        "No night has been published yet",
        ["As soon as the first nightly run ends, its alerts stand here. To run one now:"],
        code="make nightly",
    )


def missing(path: str) -> Any:
    """In place of a part: the address names none."""
    return empty(f"There is no page {path} here", ["The links above lead to all there are."])


def failed(why: str) -> Any:
    """The page cannot be shown at all."""
    return html.Div(
        className="page",
        children=html.Main(
            empty(
                "The alerts cannot be read",
                [
                    why,
                    "Whoever runs Larder can check LARDER_DATABASE_URL and the database; then load this page again.",
                ],
            ),
            id="main",
        ),
    )


def empty(title: str, words: Sequence[str], code: str | None = None) -> Any:
    """In place of a table: what is missing and what to do, with the command that does it."""
    command = [dmc.Code(code)] if code else []
    return dmc.Center(
        dmc.Stack([dmc.Title(title, order=3), *(dmc.Text(word, c="dimmed") for word in words), *command], maw=560),
        className="empty",
    )
