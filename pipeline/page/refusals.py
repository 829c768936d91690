"""Requests that no page of ours sends, refused before anything is done; and every refusal in one line.

Dash looks up a callback by what a browser sends and calls it with whatever stands there. So the request is compared
with the callbacks that there are: the same outputs, inputs and states, in the same order.
"""

import logging
from collections.abc import Mapping
from typing import Any

from dash import Dash
from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from pipeline.alerts.store import AlertStoreError
from pipeline.page.rows import RequestError
from pipeline.text import one_line

log = logging.getLogger(__name__)

CALLBACKS = "/_dash-update-component"
MOST_ENTRIES = 200  # of one pattern; the page shows two bars of a dozen buttons
_NOT_OURS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def refuse_malformed(server: Flask, app: Dash) -> None:
    """Answer 400 to what is malformed, 503 where the alert store fails, each with one line and no trace."""

    @server.before_request
    def compare_with_callbacks() -> None:
        if request.method == "POST" and request.path == CALLBACKS:
            request.get_data()  # refuses what is too long
            try:
                body = request.get_json(silent=True)
            except RecursionError:
                abort(400, "This request is malformed: it is nested too deeply.")
            wrong = what_is_wrong(body, app.callback_map)
            if wrong:
                abort(400, f"This request is malformed: {wrong}.")

    @server.errorhandler(HTTPException)
    def in_one_line(error: HTTPException) -> Response:
        headers = [(name, value) for name, value in error.get_headers() if name not in ("Content-Type", "Location")]
        if error.response is not None or (error.code or 500) < 400:
            return error.get_response()  # type: ignore[return-value] # a redirect
        return Response(one_line(error.description or error.name) + "\n", error.code, headers, mimetype="text/plain")

    @server.errorhandler(RequestError)
    def malformed(error: RequestError) -> Response:
        return Response(one_line(error) + "\n", 400, mimetype="text/plain")

    @server.errorhandler(AlertStoreError)
    def store_fails(error: AlertStoreError) -> Response:
        return Response(one_line(error) + "\n", 503, mimetype="text/plain")

    @server.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("%s %s failed", request.method, one_line(request.path), exc_info=error)
        code = 400 if request.path == CALLBACKS and isinstance(error, _NOT_OURS) else 500
        return Response("The page could not do this; its log says why.\n", code, mimetype="text/plain")


def what_is_wrong(body: Any, callbacks: Mapping[str, Any]) -> str | None:
    """In which way the body is no request of one of the callbacks; None where it is one."""
    if not isinstance(body, Mapping):
        return "its body is no JSON object"
    output = body.get("output")
    if not isinstance(output, str) or output not in callbacks:
        return "it names no callback of this page"
    changed = body.get("changedPropIds")
    if not isinstance(changed, list) or not all(isinstance(one, str) for one in changed):
        return "changedPropIds is no list of names"
    outputs = body.get("outputs")
    if not outputs or not all(map(_is_output, outputs if isinstance(outputs, list) else [outputs])):
        return "outputs are none of this page"
    return _not_declared(body, callbacks[output])


def _not_declared(body: Mapping[str, Any], described: Mapping[str, Any]) -> str | None:
    for part, declared in (("inputs", described["inputs"]), ("state", described["state"])):
        given = body.get(part, [])
        if not isinstance(given, list) or len(given) != len(declared):
            return f"{part} is no list of {len(declared)}"
        if not all(_fits(one, wanted) for one, wanted in zip(given, declared, strict=True)):
            return f"{part} are not those of the callback"
    return None


def _fits(given: Any, declared: Mapping[str, Any]) -> bool:
    is_pattern = str(declared["id"]).startswith("{")
    if is_pattern:
        entries = given if isinstance(given, list) else [given]
        return len(entries) <= MOST_ENTRIES and all(_is_entry(entry, Mapping, declared) for entry in entries)
    return _is_entry(given, str, declared) and given["id"] == declared["id"]


def _is_output(given: Any) -> bool:
    if isinstance(given, list):
        return len(given) <= MOST_ENTRIES and all(map(_is_output, given))
    return (
        isinstance(given, Mapping)
        and isinstance(given.get("id"), str | Mapping)
        and (isinstance(given.get("property"), str))
    )


def _is_entry(entry: Any, kind: type, declared: Mapping[str, Any]) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("id"), kind)
        and (entry.get("property") == declared["property"])
    )
