"""The grid's filters and orders as SQL mean what they say, on both databases; what is not offered is refused."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, event

from models.severities import SEVERITIES
from pipeline.alerts.publish import publish_alerts
from pipeline.page.context import Context
from pipeline.page.rows import GridRequest, RequestError, count, fetch, fetch_and_count, stream
from pipeline.page.views import stockouts
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from tests.factories import BUSINESS_DATE, stockout
from tests.pipeline.alerts.conftest import postgres, postgres_settings, run, store_settings  # noqa: F401
from tests.published_tables import publish_rows

Row = dict[str, Any]
ROWS: list[Row] = [
    stockout(
        product_id=f"p{number}",
        category=[None, "100% juice", "dairy_free", "Dairy"][number % 4],
        severity=SEVERITIES[number % 4],
        units_short=number / 2,
        value_at_risk_cents=100 * (number % 7),
        probability=number / 40,
        short_on=date(2026, 3, 1 + number % 5),
        resupply_on=date(2026, 3, 4) if number % 3 else None,
    )
    for number in range(40)
]


@pytest.fixture
def context(store_settings: Settings, run: Workspace) -> Iterator[Context]:  # noqa: F811
    for table, rows in (("stockouts", ROWS), ("anomalies", [])):
        publish_rows(run, table, *rows, version="run2")
    publish_alerts(store_settings, run, "shop", Run("shop", BUSINESS_DATE, "run2"))
    made = Context(store_settings)
    yield made
    made.engine.dispose()


def ask(context: Context, filters: Row | None = None, order: list[Row] | None = None) -> list[Row]:
    """All rows that the grid would get; counted and exported are the same."""
    view, grid_request = stockouts("shop"), GridRequest.of({"filterModel": filters, "sortModel": order})
    with context.reading() as connection:
        found = fetch(connection, view, grid_request, 0, 1000)
        assert count(connection, view, grid_request) == len(found)
        exported = [
            row[[column.key for column in view.columns].index("units_short")]
            for row in stream(connection, view, grid_request)
        ]
    assert exported == [row["units_short"] for row in found]
    return found


def of(column: str, kind: str, **values: Any) -> Row:
    return {column: {"type": kind, **values}}


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_on_sqlite_an_index_gives_the_usual_order_and_the_texts_that_people_filter_by(
    settings: Settings,
    run: Workspace,  # noqa: F811
    direction: str,
) -> None:
    publish_alerts(settings, run, "shop", Run("shop", BUSINESS_DATE, "run1"))
    grid_request = GridRequest.of(
        {
            "filterModel": of("store", "contains", filter="") | of("product", "contains", filter=""),
            "sortModel": [{"colId": "lost_sales", "sort": direction}],
        }
    )
    plans: list[str] = []

    def explained(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append("; ".join(row.detail for row in found))

    context = Context(settings)
    with context.reading() as connection:
        event.listen(context.engine, "before_cursor_execute", explained)
        assert fetch(connection, stockouts("shop"), grid_request, 0, 50)
        assert count(connection, stockouts("shop"), grid_request) == 1
    context.engine.dispose()
    rows, counted = plans
    assert "USING INDEX ix_incidents_order_and_filters" in rows
    assert "TEMP B-TREE" not in rows
    assert "USING COVERING INDEX ix_incidents_order_and_filters" in counted


CASES: list[tuple[Row, Callable[[Row], bool]]] = [
    (of("category", "contains", filter="DAIRY"), lambda row: "dairy" in (row["category"] or "").lower()),
    (of("category", "contains", filter="0%"), lambda row: "0%" in (row["category"] or "")),
    (of("category", "contains", filter="y_f"), lambda row: "y_f" in (row["category"] or "")),
    (of("category", "notContains", filter="dairy"), lambda row: "dairy" not in (row["category"] or "").lower()),
    (of("category", "equals", filter="dairy"), lambda row: row["category"] == "Dairy"),
    (of("category", "blank"), lambda row: row["category"] is None),
    (of("severity", "critical"), lambda row: row["severity"] == "critical"),
    (of("units_short", "inRange", filter=2, filterTo=5), lambda row: 2 <= row["units_short"] <= 5),
    (of("lost_sales", "greaterThanOrEqual", filter=3), lambda row: row["value_at_risk_cents"] >= 300),
    (of("probability", "lessThan", filter=50), lambda row: row["probability"] < 0.5),
    (of("short_on", "equals", dateFrom="2026-03-02 00:00:00"), lambda row: row["short_on"] == date(2026, 3, 2)),
    (of("short_on", "greaterThan", dateFrom="2026-03-02 00:00:00"), lambda row: row["short_on"] > date(2026, 3, 2)),
    (of("resupply_on", "blank"), lambda row: row["resupply_on"] is None),
    (
        {"severity": {"operator": "OR", "conditions": [{"type": "high"}, {"type": "low"}]}},
        lambda row: row["severity"] in ("high", "low"),
    ),
    (
        of("severity", "high") | of("units_short", "lessThan", filter=9),
        lambda row: row["severity"] == "high" and row["units_short"] < 9,
    ),
]


def test_filters_mean_what_they_say(context: Context) -> None:
    for filters, holds in CASES:
        expected = sorted(row["units_short"] for row in ROWS if holds(row))
        assert expected, filters
        assert sorted(row["units_short"] for row in ask(context, filters)) == expected, filters


def test_orders_are_whole_and_severity_is_ordered_by_weight(context: Context) -> None:
    assert [row["lost_sales"] for row in ask(context)] == sorted(
        (row["value_at_risk_cents"] for row in ROWS), reverse=True
    )
    worst = ask(context, order=[{"colId": "severity", "sort": "asc"}, {"colId": "units_short", "sort": "desc"}])
    assert [(SEVERITIES.index(row["severity"]), -row["units_short"]) for row in worst] == sorted(
        (SEVERITIES.index(row["severity"]), -row["units_short"]) for row in ROWS
    )
    for direction in ("asc", "desc"):
        days = [row["resupply_on"] for row in ask(context, order=[{"colId": "resupply_on", "sort": direction}])]
        assert days.index(None) == len(days) - days.count(None), "what is not known stands last"


def test_pages_join_to_the_whole(context: Context) -> None:
    view, grid_request = stockouts("shop"), GridRequest.of({"sortModel": [{"colId": "category", "sort": "asc"}]})
    with context.reading() as connection:
        whole = fetch(connection, view, grid_request, 0, 40)
        pages = [row for start in range(0, 40, 7) for row in fetch(connection, view, grid_request, start, start + 7)]
    assert pages == whole


@pytest.mark.parametrize("filters", [None, of("product", "contains", filter="1"), of("product", "equals", filter="no")])
@pytest.mark.parametrize("size", [1, 7, 40, 1000])
def test_every_block_comes_with_the_count_of_all(context: Context, filters: Row | None, size: int) -> None:
    view, grid_request = stockouts("shop"), GridRequest.of({"filterModel": filters})
    with context.reading() as connection:
        total = count(connection, view, grid_request)
        for start in (0, size, 2 * size, 80):
            found, counted = fetch_and_count(connection, view, grid_request, start, start + size)
            assert counted == total
            assert found == fetch(connection, view, grid_request, start, start + size)


@pytest.mark.parametrize(
    "request_",
    [
        {"filterModel": of("store_id; DROP TABLE incidents", "contains", filter="x")},
        {"filterModel": of("id", "contains", filter="x")},
        {"filterModel": of("store", "matches", filter="x")},
        {"filterModel": of("severity", "dreadful", filter="x")} | {"sortModel": [{"colId": "version", "sort": "asc"}]},
        {"filterModel": of("units_short", "equals", filter="1 OR 1=1")},
        {"filterModel": of("short_on", "equals", dateFrom="'; --")},
        {"filterModel": "store"},
        {"sortModel": [{"colId": "1", "sort": "asc"}]},
    ],
)
def test_what_is_not_offered_is_refused(settings: Settings, request_: Row) -> None:
    with Context(settings).engine.connect() as connection, pytest.raises(RequestError):
        fetch(connection, stockouts("shop"), GridRequest.of(request_), 0, 1)


def test_text_that_looks_like_sql_is_only_text(context: Context) -> None:
    assert ask(context, of("store", "contains", filter="' OR 1=1 --")) == []
