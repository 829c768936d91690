"""Order lines: what was bought before returns, and what came back of the newest purchases that were left."""

from datetime import date
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from spark_jobs.build_order_lines import build_order_lines, match_part
from spark_jobs.sessions import BasketRules
from tests.factories import BUSINESS_DATE, transaction
from tests.published_tables import frame

FIRST, SECOND, THIRD, FOURTH = (date(2026, 2, day) for day in (1, 5, 9, 12))


def lines(spark: SparkSession, *rows: dict[str, Any], **rules: Any) -> list[Any]:
    built = build_order_lines(
        frame(spark, "transactions", rows), BUSINESS_DATE, BasketRules("customer_day", **rules), ["guest"]
    )
    return sorted(built.collect(), key=lambda row: (row.customer_id, row.sold_on, row.product_id))


def test_a_return_belongs_to_the_newest_purchase_and_the_rest_to_the_one_before(spark: SparkSession) -> None:
    back = {"is_return": True, "amount_cents": 100}
    found = lines(
        spark,
        transaction(sold_on=FIRST, quantity=2.0, amount_cents=200, customer_attributes=["vip=yes"]),
        transaction(sold_on=SECOND, quantity=1.0),
        transaction(sold_on=THIRD, quantity=2.0, **back),
        transaction(sold_on=FOURTH, quantity=0.5, **back),
        transaction(sold_on=FOURTH, quantity=1.0, product_id="p2", **back),
        transaction(sold_on=FIRST, customer_id=None),
        transaction(sold_on=FIRST, customer_id="guest"),
        transaction(sold_on=BUSINESS_DATE),
    )
    assert [(row.sold_on, row.quantity, row.amount_cents) for row in found] == [(FIRST, 2.0, 200), (SECOND, 1.0, 100)]
    assert [[(back.returned_on, back.quantity) for back in row.returned] for row in found] == [
        [(THIRD, 1.0), (FOURTH, 0.5)],
        [(THIRD, 1.0)],
    ]
    assert [row.attributes for row in found] == [["vip=yes"], None]
    assert found[0].local_hour == 12.0


def test_what_comes_back_in_its_own_session_was_never_sold_and_discounts_are_taken_off(spark: SparkSession) -> None:
    found = lines(
        spark,
        transaction(sold_on=FIRST, quantity=3.0, amount_cents=300),
        transaction(sold_on=FIRST, quantity=1.0, is_return=True),
        transaction(sold_on=FIRST, product_id="p2"),
        transaction(sold_on=FIRST, product_id="p2", is_return=True),
        transaction(sold_on=FIRST, quantity=0.0, amount_cents=-30),
        has_discounts=True,
    )
    assert [(row.product_id, row.quantity, row.returned) for row in found] == [("p1", 2.0, [])]
    assert found[0].amount_cents == 180, "270 after the discount, two of three units kept"


def test_a_part_of_pairs_is_matched_without_spark() -> None:
    event = pa.struct([("micros", pa.int64()), ("basket_key", pa.string()), ("sold_on", pa.date32()),
                       ("bought", pa.int64()), ("returned", pa.int64())])  # fmt: skip
    events = [
        [(1, "b1", FIRST, 2_000_000, 0), (2, "b2", SECOND, 1_000_000, 1_000_000), (3, "b3", THIRD, 0, 500_000)],
        [(1, "b1", FIRST, 1_000_000, 0), (9, "b9", FOURTH, 0, 3_000_000)],
    ]
    named = [[dict(zip(event.names, each, strict=True)) for each in pair] for pair in events]
    part = pa.RecordBatch.from_pydict({"product_id": ["p1", "p2"], "events": pa.array(named, pa.list_(event))})
    found = match_part(part).to_pylist()
    assert [(row["basket_key"], row["product_id"], row["cancelled"]) for row in found] == [
        ("b1", "p1", 0),
        ("b2", "p1", 1_000_000),
        ("b1", "p2", 0),
    ]
    assert [[(back["returned_on"], back["quantity"]) for back in row["returned"]] for row in found] == [
        [(THIRD, 0.5)],
        [],
        [(FOURTH, 1.0)],
    ]
