"""The column of expected returns: read from the lake, and filtered, sorted and exported like the others."""

from typing import Any

from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.page.returns import expected_back
from pipeline.page.table_page import answer
from pipeline.settings import Settings
from tests.factories import return_forecast
from tests.pipeline.page.conftest import MORNING
from tests.pipeline.page.shop import open_shop
from tests.published_tables import publish_rows


def test_units_expected_back_are_those_of_the_customers_open_lines(settings: Settings) -> None:
    shop = open_shop(settings)
    context = Context(settings, lambda: MORNING)

    def shown(**request: Any) -> list[dict[str, Any]]:
        response, *_ = answer(context, "anomalies", {"startRow": 0, "endRow": 50, **request}, "shop", "open")
        rows: list[dict[str, Any]] = response["rowData"]
        return rows

    before = shown()
    assert {row["expected_back"] for row in before} == {None}, "no night has forecast returns yet"
    customers = [row["subject"] for row in before if row["kind"] == "customer"]
    few, many = customers[0], customers[1]
    lines = [return_forecast(customer_id=few), *(return_forecast(customer_id=many) for _ in range(3))]
    publish_rows(shop.workspace, "return_forecasts", *lines, return_forecast(customer_id="nobody"))
    assert expected_back(shop.workspace.lake) == {many: 3.0, few: 1.0, "nobody": 1.0}

    ordered = shown(sortModel=[{"colId": "expected_back", "sort": "desc"}])
    assert [(row["subject"], row["expected_back"]) for row in ordered[:2]] == [(many, 3.0), (few, 1.0)]
    assert len(ordered) == len(before)
    above = {"expected_back": {"type": "greaterThan", "filter": 2}}
    assert [row["subject"] for row in shown(filterModel=above)] == [many]

    client = make_app(context).server.test_client()
    file = client.get("/export/anomalies.csv?source=shop&scope=open").get_data(as_text=True)
    assert "Expected back" in file.splitlines()[0]
    assert ",3.0," in file
