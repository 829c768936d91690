"""From a request of the grid (rows from, to; filters; order) to bound SQL.

Column names come from a whitelist, values are bound parameters: nothing that a browser sends becomes SQL text.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
    func,
    not_,
    or_,
    select,
)

from models.names import unknown_name
from pipeline.page.columns import Column

MOST_ROWS = 1000
MOST_CONDITIONS = 10  # of one column; the page's own grid offers four
LONGEST_TEXT = 500
LARGEST = 1e15  # what is beyond is no figure of a shop, and no database compares it
_SCALE = {"money": 100.0, "share": 0.01}


class RequestError(ValueError):
    """A request for something that the table does not have."""


@dataclass(frozen=True)
class View:
    """A table on the page: its columns, and the SQL that each of them and the table as a whole stand for.

    Args: fields: by column key; `rows` selects from what they are about, `key` is unique and breaks ties.
          hidden: further values that each row carries for the page's own use, under these names.
    """

    columns: tuple[Column, ...]
    fields: Mapping[str, ColumnElement[Any]]
    rows: Select[Any]
    key: ColumnElement[Any]
    order: tuple[str, str]
    hidden: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    def column(self, key: object) -> Column:
        """The column of that key; RequestError where there is none."""
        for column in self.columns:
            if column.key == key:
                return column
        raise RequestError(f"no column {str(key)[:50]!r}")


@dataclass(frozen=True)
class GridRequest:
    """A request of the grid: AG Grid's filter model and sort model."""

    filters: Mapping[str, Any]
    order: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "GridRequest":
        """From a request of the grid or of an export link; a missing part means no filter, the usual order."""
        filters, order = request.get("filterModel") or {}, request.get("sortModel") or []
        if not isinstance(filters, Mapping) or not isinstance(order, list):
            raise RequestError("filterModel must be an object and sortModel a list")
        keys = [entry.get("colId") if isinstance(entry, Mapping) else None for entry in order]
        if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
            raise RequestError("sortModel must name each column once")
        return cls(filters, order)


def fetch(connection: Connection, view: View, grid_request: GridRequest, start: int, end: int) -> list[dict[str, Any]]:
    """Rows `start` to before `end`, at most MOST_ROWS, as JSON has them."""
    chosen = _selected(view, grid_request).offset(max(start, 0)).limit(max(0, min(end - start, MOST_ROWS)))
    return [_as_json(row) for row in connection.execute(chosen).mappings()]


def fetch_and_count(
    connection: Connection, view: View, grid_request: GridRequest, start: int, end: int
) -> tuple[list[dict[str, Any]], int]:
    """Rows `start` to before `end`, and how many pass the filters; a second query counts them only where it must."""
    found = fetch(connection, view, grid_request, start, end)
    is_last_block = len(found) < min(end - start, MOST_ROWS) and (start == 0 or len(found) > 0)
    return found, start + len(found) if is_last_block else count(connection, view, grid_request)


def count(connection: Connection, view: View, grid_request: GridRequest) -> int:
    """How many rows pass the filters; without the view's outer join, which adds no rows, where no filter needs it."""
    conditions, rows = _conditions(view, grid_request), view.rows
    own = view.key.table
    if all(getattr(view.fields[key], "table", own) is own for key in grid_request.filters) and (
        rows.whereclause is not None
    ):
        rows = select(view.key).where(rows.whereclause)
    counted = rows.with_only_columns(func.count(), maintain_column_froms=True).where(*conditions)
    return int(connection.execute(counted).scalar_one())


def stream(connection: Connection, view: View, grid_request: GridRequest) -> Iterator[tuple[Any, ...]]:
    """Every row that passes the filters, in order, the columns' values as they are; money in cents."""
    names = [column.key for column in view.columns]
    result = connection.execution_options(yield_per=5000).execute(_selected(view, grid_request))
    for row in result.mappings():
        yield tuple(row[name] for name in names)


def _selected(view: View, grid_request: GridRequest) -> Select[Any]:
    shown = {column.key: view.fields[column.key] for column in view.columns} | dict(view.hidden)
    chosen = view.rows.with_only_columns(
        *(expression.label(name) for name, expression in shown.items()), maintain_column_froms=True
    )
    return chosen.where(*_conditions(view, grid_request)).order_by(*_order(view, grid_request))


def _as_json(row: RowMapping) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _order(view: View, grid_request: GridRequest) -> list[ColumnElement[Any]]:
    wanted = [(entry.get("colId"), entry.get("sort")) for entry in grid_request.order] or [view.order]
    ordered: list[ColumnElement[Any]] = []
    for key, direction in wanted:
        column = view.column(key)
        place: ColumnElement[Any] = view.fields[column.key]
        if column.kind == "choice":
            # The order in which the choices are named, worst first, not that of the alphabet.
            place = case({choice: rank for rank, choice in enumerate(column.choices)}, value=place)
        ordered.append(_directed(place, direction))
    # Ties go the way of the first column, so that an index of column and key gives the whole order.
    return [*ordered, _directed(view.key, wanted[0][1])]


def _directed(place: ColumnElement[Any], direction: object) -> ColumnElement[Any]:
    """Empty ones last; PostgreSQL takes a column's index for its order only without a rule for empty ones."""
    directed = place.desc() if direction == "desc" else place.asc()
    return directed.nulls_last() if getattr(place, "nullable", True) else directed


def _conditions(view: View, grid_request: GridRequest) -> list[ColumnElement[bool]]:
    return [_condition(view, view.column(key), model) for key, model in grid_request.filters.items()]


def _condition(view: View, column: Column, model: Any) -> ColumnElement[bool]:
    """One column's filter: a single condition, or several joined by AND or OR."""
    if not isinstance(model, Mapping):
        raise RequestError(f"the filter of {column.key} must be an object")
    if "operator" in model:
        given = model.get("conditions") or []
        if not isinstance(given, list) or len(given) > MOST_CONDITIONS:
            raise RequestError(f"the filter of {column.key} must be a list of at most {MOST_CONDITIONS} conditions")
        if any(isinstance(part, Mapping) and "operator" in part for part in given):
            raise RequestError(f"the filter of {column.key} nests conditions")
        parts = [_condition(view, column, part) for part in given]
        return (and_ if model["operator"] == "AND" else or_)(*parts) if parts else and_(True)
    field, kind = view.fields[column.key], str(model.get("type"))
    if kind in ("blank", "notBlank"):
        empty = or_(field.is_(None), field == "") if column.kind in ("text", "choice") else field.is_(None)
        return empty if kind == "blank" else not_(empty)
    if column.kind == "choice" and kind in column.choices:
        return field == kind
    if column.kind in ("text", "choice"):
        text = model.get("filter") or ""
        if not isinstance(text, str) or len(text) > LONGEST_TEXT or "\0" in text:
            raise RequestError(f"the filter of {column.key} wants a text of at most {LONGEST_TEXT} characters")
        return _about_text(field, kind, text)
    if column.kind == "date":
        return _compare(field, kind, _day(column, model.get("dateFrom")), lambda: _day(column, model.get("dateTo")))
    scale = _SCALE.get(column.kind, 1.0)
    low = _number(column, model.get("filter")) * scale
    return _compare(field, kind, low, lambda: _number(column, model.get("filterTo")) * scale)


def _about_text(field: ColumnElement[Any], kind: str, text: str) -> ColumnElement[bool]:
    tests: dict[str, Callable[[], ColumnElement[bool]]] = {
        "contains": lambda: field.icontains(text, autoescape=True),
        "notContains": lambda: or_(field.is_(None), not_(field.icontains(text, autoescape=True))),
        "equals": lambda: func.lower(field) == text.lower(),
        "notEqual": lambda: or_(field.is_(None), func.lower(field) != text.lower()),
        "startsWith": lambda: field.istartswith(text, autoescape=True),
        "endsWith": lambda: field.iendswith(text, autoescape=True),
    }
    return _known(tests, kind)()


def _compare(field: ColumnElement[Any], kind: str, low: Any, high: Callable[[], Any]) -> ColumnElement[bool]:
    tests: dict[str, Callable[[], ColumnElement[bool]]] = {
        "equals": lambda: field == low,
        "notEqual": lambda: or_(field.is_(None), field != low),
        "lessThan": lambda: field < low,
        "lessThanOrEqual": lambda: field <= low,
        "greaterThan": lambda: field > low,
        "greaterThanOrEqual": lambda: field >= low,
        "inRange": lambda: field.between(low, high()),
    }
    return _known(tests, kind)()


def _known(tests: "Mapping[str, Callable[[], ColumnElement[bool]]]", kind: str) -> "Callable[[], ColumnElement[bool]]":
    if kind not in tests:
        raise RequestError(unknown_name("filter", kind, tests))
    return tests[kind]


def _number(column: Column, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise RequestError(f"the filter of {column.key} wants a number, not {str(value)[:50]!r}")
    return float(value)


def _day(column: Column, value: Any) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise RequestError(f"the filter of {column.key} wants a date, not {str(value)[:50]!r}") from None
