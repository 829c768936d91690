"""Actions on one or many alerts: acknowledge, snooze, close with a verdict, reopen, comment.

The same bar of buttons stands above a table, for the rows chosen there, and in an alert's detail. A change names the
versions that the person looked at, so that what somebody else changed meanwhile is refused, not overwritten.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, no_update
from dash.exceptions import PreventUpdate
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.alerts import incidents
from pipeline.alerts.incident_models import VERDICTS, Incident
from pipeline.alerts.incidents import ConflictError
from pipeline.alerts.lifecycle import IncidentError
from pipeline.alerts.models import Publication
from pipeline.alerts.store import AlertStoreError
from pipeline.page.context import Context
from pipeline.page.people import NotAllowed, editor
from pipeline.page.rows import RequestError

NIGHTS = (1, 3, 7, 14)
_VERDICTS = {"right": "Right: it ran out", "wrong": "Wrong: it did not", "known": "Known: nothing to do"}
assert tuple(_VERDICTS) == VERDICTS
ACTS = frozenset(
    ["acknowledge", "comment", "reopen"]
    + [f"snooze-{nights}" for nights in NIGHTS]
    + [f"close-{verdict}" for verdict in VERDICTS]
)
MOST_CHOSEN = 10_000
_DONE = {
    "acknowledge": "Acknowledged",
    "snooze": "Snoozed",
    "close": "Closed",
    "reopen": "Reopened",
    "comment": "Commented",
}


def act_bar(place: str, chosen: Sequence[Sequence[Any]] = ()) -> Any:
    """The buttons. `place` distinguishes the bars; `chosen` holds id and version of each alert concerned."""
    return dmc.Group(
        gap=6,
        className="acts",
        children=[
            dcc.Store(id=_id("chosen", place), data=[list(one) for one in chosen]),
            dmc.TextInput(id=_id("words", place), placeholder="Comment (optional)", size="xs", className="words"),
            _button(place, "acknowledge", "Acknowledge"),
            _menu(place, "Snooze", {f"snooze-{nights}": _nights(nights) for nights in NIGHTS}),
            _menu(place, "Verdict", {f"close-{verdict}": words for verdict, words in _VERDICTS.items()}),
            _button(place, "comment", "Comment"),
            _button(place, "reopen", "Reopen"),
        ],
    )


def register(app: Dash, context: Context) -> None:
    """The callback behind every bar."""

    @app.callback(
        Output("notices", "sendNotifications"),
        Output("changed", "data"),
        Output({"type": "words", "place": ALL}, "value"),
        Input({"type": "act", "place": ALL, "do": ALL}, "n_clicks"),
        State({"type": "chosen", "place": ALL}, "data"),
        State({"type": "words", "place": ALL}, "value"),
        State("changed", "data"),
        prevent_initial_call=True,
    )
    def do(
        _clicks: list[int | None], chosen: list[list[list[Any]]], words: list[str | None], changed: int
    ) -> tuple[Any, Any, list[Any]]:
        """Do it to all the chosen alerts or to none, and say what happened."""
        if not isinstance(ctx.triggered_id, Mapping) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        place, what = ctx.triggered_id["place"], ctx.triggered_id["do"]
        if what not in ACTS:
            raise RequestError(f"nothing is called {str(what)[:50]!r}")
        # States come in the order of their own list, which both patterns share.
        number = [entry["id"]["place"] for entry in ctx.states_list[0]].index(place)
        notice = act(context, what, _versions(chosen[number]), _text(words[number]))
        is_done = notice["color"] == "teal"
        cleared = ["" if is_done and at == number else no_update for at in range(len(words))]
        # After a refusal the tables are read again as well: what changed meanwhile is then to be seen.
        return [notice | {"action": "show"}], changed + 1, cleared


def act(context: Context, what: str, versions: Mapping[str, int], words: str | None) -> dict[str, Any]:
    """Do `what` (`acknowledge`, `snooze-3`, `close-wrong`, ...) to the alerts; returns the notice about it."""
    if not versions:
        return _notice("Choose one or more rows first.", "yellow")
    try:
        asking = editor(context.settings)
        with context.changing() as session:
            common = {"actor": asking.name, "now": context.now(), "versions": versions}
            changed = _do(session, list(versions), what, words, common)
    except ConflictError as error:
        return _notice(f"Nothing was changed: {error}.", "red", keep=True)
    except (IncidentError, NotAllowed, AlertStoreError) as error:
        return _notice(f"Nothing was changed: {error}.", "red")
    alerts = "1 alert" if len(changed) == 1 else f"{len(changed):,} alerts"
    return _notice(f"{_DONE[what.partition('-')[0]]}: {alerts}.", "teal")


def _versions(chosen: Any) -> dict[str, int]:
    """Id and version of each chosen alert. Raises: RequestError: it is not that."""
    if not isinstance(chosen, list) or len(chosen) > MOST_CHOSEN:
        raise RequestError(f"chosen must be a list of at most {MOST_CHOSEN} alerts")
    versions: dict[str, int] = {}
    for pair in chosen:
        if not isinstance(pair, list) or [type(value) for value in pair] != [str, int]:
            raise RequestError("chosen must hold pairs of id and version")
        versions[pair[0]] = pair[1]
    return versions


def _text(words: Any) -> str | None:
    if words is not None and not isinstance(words, str):
        raise RequestError("the comment must be text")
    return words


def _do(session: Session, ids: list[str], what: str, words: str | None, common: dict[str, Any]) -> list[Incident]:
    kind, _, detail = what.partition("-")
    if kind == "acknowledge":
        return incidents.acknowledge(session, ids, comment=words, **common)
    if kind == "snooze":
        until = _until(session, ids, int(detail))
        return incidents.snooze(session, ids, until=until, comment=words, **common)
    if kind == "close":
        return incidents.close(session, ids, verdict=detail, comment=words, **common)
    if kind == "reopen":
        return incidents.reopen(session, ids, comment=words, **common)
    return incidents.comment(session, ids, words=words or "", **common)


def _until(session: Session, ids: Sequence[str], nights: int) -> date:
    """So many nights after the latest one of these alerts' sources, however late that is by the calendar."""
    sources: set[str] = set()
    for some in incidents.chunks(ids):
        sources.update(session.scalars(select(Incident.source).where(Incident.id.in_(some)).distinct()))
    latest = session.scalar(select(func.max(Publication.business_date)).where(Publication.source.in_(sources)))
    if latest is None:
        raise IncidentError("none of these alerts is known here")
    return latest + timedelta(days=nights)


def _notice(message: str, color: str, *, keep: bool = False) -> dict[str, Any]:
    return {"message": message, "color": color, "autoClose": 20_000 if keep else 6_000}


def _id(kind: str, place: str) -> dict[str, str]:
    return {"type": kind, "place": place}


def _button(place: str, do: str, words: str) -> Any:
    return dmc.Button(words, id=_id("act", place) | {"do": do}, variant="default", size="compact-sm")


def _menu(place: str, words: str, items: Mapping[str, str]) -> Any:
    return dmc.Menu(
        position="bottom-start",
        children=[
            dmc.MenuTarget(dmc.Button(f"{words} ▾", variant="default", size="compact-sm")),
            dmc.MenuDropdown(
                [dmc.MenuItem(text, id=_id("act", place) | {"do": do}, n_clicks=0) for do, text in items.items()]
            ),
        ],
    )


def _nights(nights: int) -> str:
    return "1 night" if nights == 1 else f"{nights} nights"
