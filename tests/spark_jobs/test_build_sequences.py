"""Histories of customers and stores, their cuts, and which vocabulary they use."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pipeline.settings import SequenceSettings, Settings
from pipeline.sources.source import Source
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, UNKNOWN_INDEX
from pipeline.workspace import Workspace
from spark_jobs import build_sequences as job
from spark_jobs.build_sequences import build_sequences, customer_attributes, delivered_attributes
from spark_jobs.vocabulary import (
    Vocabulary,
    choose_vocabulary,
    product_categories,
    product_statistics,
    published_product_ids,
    vocabulary_table,
)
from tests.factories import BUSINESS_DATE, basket, transaction
from tests.published_tables import frame, publish

KNOWN = Vocabulary(("p1", "p2", "p3"), reused=False, unknown_share=0.0)
P1, P2, P3 = range(FIRST_PRODUCT_INDEX, FIRST_PRODUCT_INDEX + 3)


def sequences(spark: SparkSession, rows: list[dict[str, Any]], **settings: int) -> dict[tuple[str, str], Any]:
    chosen = SequenceSettings.model_validate({"min_baskets": 1} | settings)
    built = build_sequences(frame(spark, "baskets", rows), KNOWN, BUSINESS_DATE, chosen)
    return {(row.funnel_kind, row.funnel_id): row for row in built.collect()}


def test_a_customers_baskets_stand_oldest_first_with_their_calendar(spark: SparkSession) -> None:
    rows = [basket(sold_on=date(2026, 2, 8), products=[("p2", 2.0, 300)]), basket(sold_on=date(2026, 1, 31))]
    row = sequences(spark, rows)["customer", "c1"]
    assert row.sold_on == [date(2026, 1, 31), date(2026, 2, 8)]
    assert (row.gap_days, row.day_of_week, row.day_of_month, row.month) == ([-1, 8], [6, 7], [31, 8], [1, 2])
    assert (row.products, row.quantities, row.amounts_cents) == ([[P1], [P2]], [[1.0], [2.0]], [[100], [300]])
    assert (row.n_baskets, row.last_sold_on) == (2, date(2026, 2, 8))


def test_a_store_has_one_basket_a_day_with_its_sums(spark: SparkSession) -> None:
    rows = [
        basket(products=[("p1", 1.0, 100)]),
        basket(customer_id="c2", products=[("p1", 2.0, 150), ("p2", 1.0, 80)]),
        basket(sold_on=date(2026, 2, 3)),
    ]
    row = sequences(spark, rows)["store", "s1"]
    assert (row.products, row.quantities, row.amounts_cents) == (
        [[P1, P2], [P1]],
        [[3.0, 1.0], [1.0]],
        [[250, 80], [100]],
    )
    assert row.gap_days == [-1, 2]


def test_products_outside_the_vocabulary_share_the_unknown_index(spark: SparkSession) -> None:
    row = sequences(spark, [basket(products=[("new", 1.0, 1), ("p3", 1.0, 1), ("rare", 1.0, 1)])])["customer", "c1"]
    assert row.products == [[UNKNOWN_INDEX, P3, UNKNOWN_INDEX]]


def test_of_a_long_history_the_latest_baskets_are_kept_with_the_gap_to_the_one_before(spark: SparkSession) -> None:
    rows = [basket(sold_on=date(2026, 1, day)) for day in (1, 4, 9, 16)]
    row = sequences(spark, rows, max_baskets=2)["customer", "c1"]
    assert (row.sold_on, row.gap_days, row.n_baskets) == ([date(2026, 1, 9), date(2026, 1, 16)], [5, 7], 4)


def test_of_a_large_basket_the_largest_lines_are_kept_in_product_order(spark: SparkSession) -> None:
    lines = [("p1", 1.0, 100), ("p2", 1.0, 200), ("p3", 5.0, 100)]
    assert sequences(spark, [basket(products=lines)], max_products=2)["customer", "c1"].products == [[P2, P3]]


def test_funnels_with_too_few_baskets_get_no_sequence(spark: SparkSession) -> None:
    rows = [basket(), basket(customer_id="c2"), basket(customer_id="c2", sold_on=date(2026, 2, 2))]
    assert set(sequences(spark, rows, min_baskets=2)) == {("customer", "c2"), ("store", "s1")}


def test_baskets_that_came_back_whole_do_not_count(spark: SparkSession) -> None:
    row = sequences(spark, [basket(), basket(sold_on=date(2026, 2, 2), products=[])])["customer", "c1"]
    assert row.n_baskets == 1


@pytest.mark.parametrize(("stores", "home"), [("aab", "a"), ("ab", "b"), ("abab", "b"), ("bba", "b")])
def test_the_home_store_is_the_most_frequent_then_the_latest(spark: SparkSession, stores: str, home: str) -> None:
    rows = [basket(store_id=store, sold_on=date(2026, 2, 1 + day)) for day, store in enumerate(stores)]
    assert sequences(spark, rows)["customer", "c1"].store_id == home


def test_attributes_are_those_of_the_latest_line_that_says_any_before_the_business_date(spark: SparkSession) -> None:
    said = {date(2026, 1, 1): ["age=20-29"], date(2026, 2, 1): ["age=30-39", "area=7"], date(2026, 2, 3): None}
    lines = [transaction(sold_on=day, customer_attributes=each) for day, each in said.items()]
    lines += [transaction(sold_on=BUSINESS_DATE, customer_attributes=["age=40-49"]), transaction(customer_id="c2")]
    attributes = customer_attributes(frame(spark, "transactions", lines), BUSINESS_DATE)
    baskets = frame(spark, "baskets", [basket(), basket(customer_id="c2")])
    built = build_sequences(baskets, KNOWN, BUSINESS_DATE, SequenceSettings(min_baskets=1), attributes)
    found = {(row.funnel_kind, row.funnel_id): row.attributes for row in built.collect()}
    assert found == {("customer", "c1"): ["age=30-39", "area=7"], ("customer", "c2"): None, ("store", "s1"): None}


def test_the_order_of_rows_changes_nothing(spark: SparkSession) -> None:
    rows = [
        basket(customer_id=f"c{n % 4}", sold_on=date(2026, 2, 1 + n % 7), products=[(f"p{n % 5}", n + 0.1, n)])
        for n in range(40)
    ]
    assert sequences(spark, rows) == sequences(spark, rows[::-1])


def test_baskets_from_the_business_date_on_change_nothing(spark: SparkSession) -> None:
    past = [basket(), basket(sold_on=BUSINESS_DATE - timedelta(days=1))]
    future = [basket(sold_on=BUSINESS_DATE), basket(customer_id="c9", sold_on=BUSINESS_DATE)]
    assert sequences(spark, past) == sequences(spark, past + future)
    counted = product_statistics(frame(spark, "baskets", past), BUSINESS_DATE)
    assert counted.equals(product_statistics(frame(spark, "baskets", past + future), BUSINESS_DATE))


def counts(**baskets_of: int) -> pd.DataFrame:
    rows = [(name, n, n, n * 1_000_000, n * 100) for name, n in baskets_of.items()]
    columns = ["product_id", "n_baskets", "n_recent", "millionths", "amount_cents"]
    return pd.DataFrame(rows, columns=columns).sort_values(["n_baskets", "product_id"], ascending=[False, True])


def test_frequent_products_are_known_most_frequent_first_then_by_name() -> None:
    settings = SequenceSettings(min_product_count=2)
    chosen = choose_vocabulary(counts(rare=1, b=3, a=3, top=9), None, settings)
    assert chosen.product_ids == ("top", "a", "b")
    assert chosen.unknown_share == pytest.approx(1 / 16)


def test_no_frequent_product_at_all_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(ValueError, match=r"sequences\.min_product_count"):
        choose_vocabulary(counts(a=1), None, SequenceSettings(min_product_count=2))


@pytest.mark.parametrize(("new_baskets", "reused"), [(1, True), (5, False)])
def test_the_published_vocabulary_is_kept_while_it_misses_little(new_baskets: int, reused: bool) -> None:
    settings = SequenceSettings(min_product_count=1, max_unknown_share=0.02)
    chosen = choose_vocabulary(counts(a=50, b=49, new=new_baskets), ["b", "a"], settings)
    assert chosen.reused is reused
    assert chosen.product_ids == (("b", "a") if reused else ("a", "b", "new"))


def test_the_hash_names_the_order_too() -> None:
    def digest(*names: str) -> str:
        return Vocabulary(names, reused=False, unknown_share=0.0).hash

    assert digest("a", "b") == digest("a", "b") != digest("b", "a")


def test_category_is_the_most_frequent_and_price_the_mean_paid(spark: SparkSession) -> None:
    lines = [transaction(category=name) for name in ("fruit", "veg", "veg", None, None, None)]
    categories = product_categories(frame(spark, "transactions", lines), BUSINESS_DATE)
    sold = [basket(products=[("p1", 3.0, 300)]), basket(products=[("p1", 1.0, 140)])]
    statistics = product_statistics(frame(spark, "baskets", sold), BUSINESS_DATE)
    (row,) = vocabulary_table(spark, Vocabulary(("p1",), False, 0.0), statistics, categories).collect()
    assert (row.category, row.unit_price_cents, row.n_baskets, row.product_index) == ("veg", 110.0, 2, P1)


def test_a_vocabulary_that_knows_later_sales_is_never_kept(spark: SparkSession, workspace: Workspace) -> None:
    table = vocabulary_table(spark, KNOWN, counts(p1=3, p2=2, p3=1), pd.Series(dtype=object))
    publish(workspace, "vocabulary", table, version="later", business_date=BUSINESS_DATE + timedelta(days=1))
    assert published_product_ids(spark, workspace.lake, BUSINESS_DATE, "run2") == (None, None)
    publish(workspace, "vocabulary", table, version="earlier", business_date=BUSINESS_DATE - timedelta(days=1))
    assert published_product_ids(spark, workspace.lake, BUSINESS_DATE, "run2") == (["p1", "p2", "p3"], "earlier")


def arguments(business_date: date = BUSINESS_DATE) -> list[str]:
    return ["--source", "shop", "--business-date", str(business_date), "--run-id", "run1"]


def deliver(spark: SparkSession, workspace: Workspace) -> None:
    days = [date(2026, 2, day) for day in range(1, 8)]
    publish(workspace, "transactions", frame(spark, "transactions", [transaction(sold_on=day) for day in days]))
    publish(workspace, "baskets", frame(spark, "baskets", [basket(sold_on=day) for day in days]))


def content(spark: SparkSession, workspace: Workspace, table: str) -> list[Any]:
    return sorted(spark.read.parquet(str(workspace.lake.staged_path(table, "run1"))).collect())


@pytest.mark.usefixtures("settings")
def test_the_job_stages_both_tables_with_one_hash_and_a_rerun_is_identical(
    spark: SparkSession, workspace: Workspace
) -> None:
    deliver(spark, workspace)
    job.main(arguments())
    first = [content(spark, workspace, name) for name in ("vocabulary", "sequences")]
    job.main(arguments())
    assert [content(spark, workspace, name) for name in ("vocabulary", "sequences")] == first
    assert len({row.vocabulary_hash for rows in first for row in rows}) == 1
    assert workspace.lake.current("sequences") is None
    workspace.lake.publish("vocabulary", "run1")  # as the gate does first; then it was killed
    job.main(arguments())
    assert content(spark, workspace, "sequences") == first[1]


def test_no_baskets_before_the_business_date_is_an_error_that_says_so(
    spark: SparkSession, workspace: Workspace, settings: Settings
) -> None:
    assert settings.sequences.min_baskets > 0
    deliver(spark, workspace)
    with pytest.raises(ValueError, match="no product sold before 2026-01-01"):
        job.main(arguments(date(2026, 1, 1)))


def test_baskets_without_a_customer_are_their_stores_and_no_customers(spark: SparkSession) -> None:
    rows = [basket(customer_id=None), basket(customer_id=None, products=[("p2", 2.0, 300)]), basket()]
    found = sequences(spark, rows)
    assert set(found) == {("customer", "c1"), ("store", "s1")}
    assert found["store", "s1"].quantities == [[2.0, 2.0]]


def test_a_customers_file_says_what_customers_are_like(
    spark: SparkSession, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("id;alter;plz\n17850.0;30;8010\nc2;;8020\nc3;;\n17850;31;8010\n")
    columns = {"sold_at": "day", "customer": "card", "product": "sku", "quantity": "qty", "amount": "total"}
    rules = {"files": "people.csv", "delimiter": ";", "customer": "id", "attributes": {"age": "alter", "area": "plz"}}
    described = {"name": "till", "files": "*.csv", "timezone": "UTC", "columns": columns, "customers": rules}
    source = Source.model_validate(described)
    source._folder = tmp_path
    assert "attribute_age" not in source.sales_columns
    rows = delivered_attributes(spark, source, workspace, None).collect()
    assert {row.funnel_id: row.attributes for row in rows} == {"17850": ["age=31", "area=8010"], "c2": ["area=8020"]}
    (hashed,) = {
        len(row.funnel_id) for row in delivered_attributes(spark, _hashing(source), workspace, b"k" * 32).collect()
    }
    assert hashed == 64


def _hashing(source: Source) -> Source:
    rules = source.customers.model_copy(update={"pseudonymise": True})
    changed = source.model_copy(update={"customers": rules})
    changed._folder = source._folder
    return changed
