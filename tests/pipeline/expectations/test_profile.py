"""Bad rows of every kind are counted, and good ones are not."""

from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline.expectations.checks import Check, contract_checks
from pipeline.expectations.profile import examples, profile
from pipeline.lake.lake import Manifest
from pipeline.tables.catalog import TABLES
from pipeline.tables.contract import Column, Table
from tests.factories import BUSINESS_DATE, basket, prediction, sequence, transaction, vocabulary_entry
from tests.published_tables import frame

NAN = float("nan")
INFINITY = float("inf")

GOOD: dict[str, list[dict[str, Any]]] = {
    "transactions": [transaction(), transaction(is_return=True), transaction(customer_id=None)],
    "baskets": [basket(), basket(products=[("p1", 1.0, 50), ("p2", 2.0, 100)]), basket(products=[])],
    "sequences": [sequence(), sequence(funnel_kind="store", funnel_id="s1")],
    "vocabulary": [vocabulary_entry(), vocabulary_entry(product_id="p2", product_index=4)],
    "predictions": [prediction(), prediction(funnel_kind="store", fallback="one_basket")],
}
# For each table rows that break one rule each (or also those named beside it), and how often each must be counted.
BAD: dict[str, tuple[list[dict[str, Any]], dict[str, int]]] = {
    "transactions": (
        [
            transaction(product_id=None),
            transaction(quantity=INFINITY),
            transaction(quantity=NAN),
            transaction(quantity=-1.0),
            transaction(amount_cents=10**13),
            transaction(sold_on=date(2300, 1, 1)),
            transaction(source_file=" "),
        ],
        {
            "product_id is not null": 1,
            "quantity is a finite number": 2,
            "quantity is at least 0.0": 1,
            "quantity is at most 1000000.0": 2,
            "amount_cents is at most 1000000000000": 1,
            "sold_on is at most 2200-01-01": 1,
            "source_file is not blank": 1,
        },
    ),
    "baskets": (
        [
            basket(basket_key="twice"),
            basket(basket_key="twice"),
            basket(quantity=7.0),
            basket(amount_cents=7),
            basket(n_products=7),
            basket(products=[("p1", -1.0, 100)], quantity=-1.0),
            basket(products=[("p1", 1.0, 50), ("p1", 1.0, 50)]),
            basket(sold_on=BUSINESS_DATE),
        ],
        {
            "basket_key is unique": 1,
            "quantity is the sum over products": 1,
            "quantity is at least 0.0": 1,
            "amount_cents is the sum over products": 1,
            "n_products is the length of products": 1,
            "products have quantities above 0": 1,
            "products name no product twice": 1,
            "sold_on is before the business date": 1,
        },
    ),
    "sequences": (
        [
            sequence(funnel_id="a", gap_days=[-1]),
            sequence(funnel_id="b", quantities=[[1.0], [1.0], [1.0, 1.0]]),
            sequence(funnel_id="c", quantities=[[1.0], [1.0], [NAN]]),
            sequence(funnel_id="d", products=[[3], [3], [0]]),
            sequence(funnel_id="e", last_sold_on=date(2026, 2, 1)),
            sequence(funnel_id="f", vocabulary_hash="another"),
        ],
        {
            "sold_on and every other column by basket are equally long": 1,
            "products and quantities and amounts_cents are equally long in every basket": 1,
            "quantities are finite and above 0": 1,
            "products are vocabulary indices, no padding": 1,
            "last_sold_on is the last day of the history": 1,
            "vocabulary_hash is the same in every row": 1,
        },
    ),
    "vocabulary": (
        [vocabulary_entry(product_id="p2", product_index=4), vocabulary_entry(product_id="p3", product_index=9)],
        {"product_index is without gaps from the first": 1, "product_id is unique": 1, "product_index is unique": 1},
    ),
    "predictions": (
        [
            prediction(funnel_id="a", products=[("p1", NAN, 1.0)]),
            prediction(funnel_id="b", products=[("p1", 1.5, 1.0)]),
            prediction(funnel_id="c", products=[("p1", 0.5, INFINITY)]),
            prediction(funnel_id="d", products=[]),
            prediction(funnel_id="e", fallback="tired"),
            prediction(funnel_id="f", gap_days=NAN),
        ],
        {
            "products have probabilities from 0 to 1": 2,
            "products have finite quantities of 0 or more": 1,
            "n_products is at least 1": 1,
            "fallback is one of 'not_trained_on', 'one_basket', 'only_unknown_products'": 1,
            "gap_days is a finite number": 1,
            "gap_days is at most 3650.0": 1,
        },
    ),
}


def count(spark: SparkSession, table: str, rows: list[dict[str, Any]]) -> dict[str, int]:
    """The checks that some row breaks, with their counts."""
    manifest = Manifest(table=table, version="run1", business_date=BUSINESS_DATE, rows=len(rows))
    counted = profile(frame(spark, table, rows), manifest)
    assert counted.rows == len(rows)
    return {metric: rows for metric, rows in counted.violations.items() if rows}


@pytest.mark.parametrize("table", sorted(TABLES.keys() - GOOD.keys()))
def test_every_check_can_be_counted_on_no_rows(spark: SparkSession, table: str) -> None:
    assert count(spark, table, []) == {}


@pytest.mark.parametrize("table", GOOD)
def test_good_rows_break_nothing(spark: SparkSession, table: str) -> None:
    assert count(spark, table, GOOD[table]) == {}


@pytest.mark.parametrize("table", BAD)
def test_bad_rows_are_counted_by_what_they_break(spark: SparkSession, table: str) -> None:
    bad, expected = BAD[table]
    assert count(spark, table, [*GOOD[table], *bad]) == expected


def test_examples_are_keys_of_bad_rows(spark: SparkSession) -> None:
    rows = frame(spark, "predictions", [prediction(), prediction(funnel_id="c7", gap_days=-1.0)])
    manifest = Manifest(table="predictions", version="run1", business_date=BUSINESS_DATE, rows=2)
    check = Check("gap_days", "is at least 0", "gap_days < 0")
    assert examples(rows, manifest, check) == ["funnel_kind=customer, funnel_id=c7"]


@pytest.mark.parametrize("value", ["it's", "back\\slash", "\\'", 'a "quoted" word'])
def test_a_value_with_quotes_is_one_of_its_own(spark: SparkSession, value: str) -> None:
    column = Column("word", "string", "", values=(value,))
    checks = contract_checks(Table("words", "word", (column,), key=("word",)))
    (check,) = [each for each in checks if "is one of" in each.rule]
    words = spark.createDataFrame([(value,), ("another",)], "word string")
    assert [row.word for row in words.filter(check.violation).collect()] == ["another"]
