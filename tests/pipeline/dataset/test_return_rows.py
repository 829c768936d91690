"""Rows of forecasts for open lines, without Spark: which lines are open, and how their units spread over days."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.returns.timing import ReturnTiming
from pipeline.dataset.item_history import ItemHistory
from pipeline.dataset.order_lines import order_lines_of
from pipeline.dataset.return_rows import ReturnPredictor
from pipeline.tables.return_forecasts import RETURN_FORECASTS
from tests.factories import BUSINESS_DATE
from tests.pipeline.dataset.order_lines import SCHEMA, order_line, table_of

HORIZON = 5


def by_customer(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """One row per customer, as the job sends them."""
    table = table_of(rows)
    columns = [name for name in SCHEMA.names if name != "customer_id"]
    structs = table.select(columns).to_struct_array().combine_chunks()
    customers = table["customer_id"].to_pylist()
    names = sorted(set(customers))
    lists = [[structs[at].as_py() for at, name in enumerate(customers) if name == wanted] for wanted in names]
    return pa.RecordBatch.from_pydict({"customer_id": names, "lines": pa.array(lists, pa.list_(structs.type))})


def predicted(rows: list[dict[str, Any]], batch_size: int = 2) -> list[dict[str, Any]]:
    lines = order_lines_of(table_of(rows), BUSINESS_DATE)
    predictor = ReturnPredictor(
        business_date=BUSINESS_DATE,
        horizon=HORIZON,
        batch_size=batch_size,
        history=ItemHistory(lines, {}),
        timing=ReturnTiming.of_returns(np.array([1, 2, 2]), np.array([1.0, 0.5, 1.0]), HORIZON),
        longest_past=1,
        version="rates",
        model=None,
    )
    found = [row for part in predictor(by_customer(rows)) for row in part.to_pylist()]
    assert all(list(row) == RETURN_FORECASTS.column_names for row in found)
    return sorted(found, key=lambda row: (row["customer_id"], row["sold_on"], row["product_id"]))


def ago(days: int, **fields: Any) -> dict[str, Any]:
    return order_line(sold_on=BUSINESS_DATE - timedelta(days=days), **fields)


def test_a_line_is_open_until_its_window_is_over_or_something_came_back() -> None:
    rows = [
        ago(6), ago(5, quantity=2.0), ago(4, returned_after=1), ago(3, returned_after=3), ago(1, customer_id="c2"),
        ago(0, customer_id="c2", product_id="p2"),
    ]  # fmt: skip
    found = predicted(rows)
    open_lines = [(row["customer_id"], (BUSINESS_DATE - row["sold_on"]).days) for row in found]
    assert open_lines == [("c1", 5), ("c1", 3), ("c2", 1)], "what came back today is not known yet"
    assert [len(row["expected_units_by_day"]) for row in found] == [1, 3, 5]
    assert [(row["last_return_on"] - BUSINESS_DATE).days for row in found] == [0, 2, 4]


def test_units_are_those_of_the_probability_and_add_up_over_days() -> None:
    for row in predicted([ago(2, quantity=4.0), ago(1, customer_id="c2", product_id="p2")]):
        assert 0 < row["probability"] < 1
        assert row["expected_units"] == pytest.approx(row["quantity"] * row["probability"] * 2.5 / 3)
        assert sum(row["expected_units_by_day"]) == pytest.approx(row["expected_units"])
        assert row["fallback"] == "no_model"


def test_neither_the_order_of_rows_nor_the_size_of_a_batch_changes_a_row() -> None:
    rows = [ago(days, customer_id=f"c{days % 3}", product_id=f"p{days}") for days in range(1, 5)]
    assert predicted(rows, 1) == predicted(rows[::-1], 100)


def test_customers_without_an_open_line_have_no_row() -> None:
    assert predicted([ago(30), ago(2, returned_after=1)]) == []
