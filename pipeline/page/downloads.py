"""Links to files of what a table shows, and the routes that serve them: the same view, filters and order."""

import io
import json
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, abort, request, send_file
from sqlalchemy import Connection

from pipeline.alerts.store import AlertStoreError
from pipeline.lake.lake import LakeError
from pipeline.page.context import Context
from pipeline.page.customer_rows import customers_view, reading_customers
from pipeline.page.export import XLSX, write_csv, write_xlsx
from pipeline.page.morning import read_morning
from pipeline.page.returns import view_of
from pipeline.page.rows import GridRequest, RequestError, stream
from pipeline.page.views import SCOPES, VIEWS

CUSTOMERS = "customers"


def link(name: str, kind: str, source: str, scope: str, grid_request: Mapping[str, Any]) -> str:
    """The address of the file with the rows that the grid shows."""
    parts = {part: grid_request.get(part) for part in ("filterModel", "sortModel") if grid_request.get(part)}
    query = {"source": source, "scope": scope, "asked": json.dumps(parts, separators=(",", ":"))}
    return f"/export/{name}.{kind}?{urlencode(query)}"


def register(server: Flask, context: Context) -> None:
    """Answer `/export/<table>.csv` and `.xlsx`."""

    @server.get("/export/<name>.<any(csv, xlsx):kind>")
    def export(name: str, kind: str) -> Response:
        scope, source = request.args.get("scope", "open"), request.args.get("source", "")
        if name not in {*VIEWS, CUSTOMERS} or scope not in SCOPES:
            abort(404)
        try:
            view = customers_view() if name == CUSTOMERS else view_of(context, name, source, scope)
            grid_request = GridRequest.of(json.loads(request.args.get("asked", "{}")))
            opened = _customers(context, source) if name == CUSTOMERS else context.reading()
            with opened as connection, tempfile.TemporaryDirectory() as folder:
                rows, path = stream(connection, view, grid_request), Path(folder) / f"{name}.{kind}"
                if kind == "csv":
                    with path.open("w", newline="", encoding="utf-8-sig") as file:
                        write_csv(view.columns, rows, file)
                else:
                    write_xlsx(view.columns, rows, path, name)
                content = io.BytesIO(path.read_bytes())
        except (RequestError, ValueError) as error:
            abort(400, str(error))
        except LakeError as error:
            abort(404, str(error))
        except AlertStoreError as error:
            abort(503, str(error))
        as_type = "text/csv" if kind == "csv" else XLSX
        return send_file(content, mimetype=as_type, as_attachment=True, download_name=f"larder-{source}-{name}.{kind}")


def _customers(context: Context, source: str) -> AbstractContextManager[Connection]:
    return reading_customers(context.workspace(source).lake, read_morning(context, source).run_id)
