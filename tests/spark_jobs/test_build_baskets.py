"""Sessions, merged lines, and returns netted first in, first out."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from pipeline.stages import read_stages
from pipeline.workspace import Workspace
from spark_jobs import build_baskets as job
from spark_jobs.build_baskets import build_baskets
from spark_jobs.sessions import BasketRules, SessionRule
from tests.factories import BUSINESS_DATE, transaction
from tests.published_tables import frame, publish


def baskets(spark: SparkSession, rows: list[dict[str, Any]], session: SessionRule, gap: int = 30) -> list[Any]:
    built = build_baskets(frame(spark, "transactions", rows), BUSINESS_DATE, BasketRules(session, gap))
    return sorted(built.collect(), key=lambda row: (row.customer_id or "", row.started_at_utc, row.basket_key))


def at(hour: int, minute: int, day: int = 1) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def test_till_basket_numbers_that_start_again_each_day_and_store_are_different_baskets(spark: SparkSession) -> None:
    rows = [
        transaction(basket_id="1"),
        transaction(basket_id="1", product_id="p2"),
        transaction(basket_id="1", sold_on=date(2026, 2, 2)),
        transaction(basket_id="1", store_id="s2"),
    ]
    built = baskets(spark, rows, "basket_id")
    assert [row.n_products for row in built] in ([1, 2, 1], [2, 1, 1])
    assert len({row.basket_key for row in built}) == 3


@pytest.mark.parametrize("session", ["customer_day", "gap_minutes"])
def test_a_customers_day_is_one_basket_in_each_store(spark: SparkSession, session: SessionRule) -> None:
    rows = [transaction(), transaction(product_id="p2"), transaction(store_id="s2"), transaction(customer_id="c2")]
    built = baskets(spark, rows, session)
    assert sorted((row.customer_id, row.store_id, row.n_products) for row in built) == [
        ("c1", "s1", 2), ("c1", "s2", 1), ("c2", "s1", 1),
    ]  # fmt: skip
    assert len({row.basket_key for row in built}) == 3


def test_a_gap_ends_a_session_only_when_it_is_longer_than_the_rule(spark: SparkSession) -> None:
    rows = [transaction(sold_at_utc=moment) for moment in (at(9, 0), at(9, 30), at(10, 1))]
    built = baskets(spark, rows, "gap_minutes", gap=30)
    assert [(row.started_at_utc.hour, row.quantity) for row in built] == [(9, 2.0), (10, 1.0)]


def test_a_session_by_gap_goes_on_across_midnight_and_belongs_to_its_first_day(spark: SparkSession) -> None:
    rows = [transaction(sold_at_utc=at(23, 50)), transaction(sold_at_utc=at(0, 10, day=2))]
    (only,) = baskets(spark, rows, "gap_minutes", gap=30)
    assert (only.sold_on, only.quantity) == (date(2026, 2, 1), 2.0)


def test_lines_of_one_product_are_summed(spark: SparkSession) -> None:
    rows = [transaction(quantity=0.1, amount_cents=33) for _ in range(3)]
    (only,) = baskets(spark, rows, "customer_day")
    assert [tuple(line) for line in only.products] == [("p1", 0.3, 99)]
    assert (only.n_products, only.quantity, only.amount_cents) == (1, 0.3, 99)


def test_a_basket_that_came_back_whole_stays_without_products(spark: SparkSession) -> None:
    rows = [transaction(), transaction(is_return=True, sold_on=date(2026, 2, 3))]
    bought, back = baskets(spark, rows, "customer_day")
    assert (bought.products, bought.n_products, bought.quantity, bought.amount_cents) == ([], 0, 0.0, 0)
    assert [tuple(line) for line in back.returned] == [("p1", 1.0, 100)]


def test_a_return_before_any_purchase_takes_nothing_back(spark: SparkSession) -> None:
    rows = [transaction(is_return=True), transaction(sold_on=date(2026, 2, 3))]
    assert [row.quantity for row in baskets(spark, rows, "customer_day")] == [0.0, 1.0]


def test_a_purchase_returned_in_part_keeps_its_share_of_the_amount_rounded_down(spark: SparkSession) -> None:
    rows = [transaction(quantity=3.0, amount_cents=100), transaction(is_return=True, sold_on=date(2026, 2, 3))]
    assert baskets(spark, rows, "customer_day")[0].amount_cents == 66


def test_sales_from_the_business_date_on_change_nothing(spark: SparkSession) -> None:
    past = [transaction(), transaction(product_id="p2", sold_on=BUSINESS_DATE - timedelta(days=1))]
    future = [
        transaction(is_return=True, sold_on=BUSINESS_DATE),
        transaction(sold_at_utc=datetime(2026, 3, 1, 0, 1, tzinfo=UTC)),
    ]
    assert baskets(spark, past, "gap_minutes") == baskets(spark, past + future, "gap_minutes")


events = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2"]),
        st.sampled_from(["p1", "p2"]),
        st.integers(1, 6),  # day
        st.integers(0, 5_000),  # thousandths of a unit
        st.integers(0, 999),  # cents
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


def as_rows(drawn: list[tuple[str, str, int, int, int, bool]]) -> list[dict[str, Any]]:
    return [
        transaction(
            source_line=number,
            customer_id=customer,
            product_id=product,
            sold_on=date(2026, 2, day),
            quantity=thousandths / 1000,
            amount_cents=cents,
            is_return=is_return,
        )
        for number, (customer, product, day, thousandths, cents, is_return) in enumerate(drawn)
    ]


def netted_by_hand(drawn: list[tuple[str, str, int, int, int, bool]]) -> dict[tuple[str, int], list[tuple]]:
    """First in, first out with a queue, as a clerk would do it."""
    bought: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
    returned: dict[tuple, int] = defaultdict(int)
    for customer, product, day, thousandths, cents, is_return in drawn:
        key = (customer, product, day)
        if is_return:
            returned[key] += thousandths
        else:
            bought[key][0] += thousandths
            bought[key][1] += cents
    left: dict[tuple, int] = {}
    for customer, product, day in sorted(set(bought) | set(returned), key=lambda key: key[2]):
        left[customer, product, day] = bought[customer, product, day][0]
        back = returned[customer, product, day]
        for earlier in range(1, day + 1):
            taken = min(back, left.get((customer, product, earlier), 0))
            back -= taken
            if taken:
                left[customer, product, earlier] -= taken
    kept: dict[tuple[str, int], list[tuple]] = {(customer, day): [] for customer, _, day, *_ in drawn}
    for (customer, product, day), thousandths in sorted(left.items()):
        if thousandths:
            whole, cents = bought[customer, product, day]
            kept[customer, day].append((product, thousandths / 1000, floor(Fraction(cents * thousandths, whole))))
    return kept


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=events)
def test_netting_equals_a_queue_worked_through_by_hand(spark: SparkSession, drawn: list) -> None:
    built = baskets(spark, as_rows(drawn), "customer_day")
    assert {
        (row.customer_id, row.sold_on.day): [tuple(line) for line in row.products] for row in built
    } == netted_by_hand(drawn)


@pytest.mark.parametrize("session", ["basket_id", "customer_day", "gap_minutes"])
def test_the_order_of_rows_and_files_changes_nothing(spark: SparkSession, session: SessionRule) -> None:
    drawn = [("c1", f"p{n % 3}", 1 + n % 5, 100 * n + 7, 10 * n, n % 4 == 0) for n in range(40)]
    rows = as_rows(drawn)
    shuffled = sorted(rows, key=lambda row: (row["source_line"] * 17) % 41)
    assert baskets(spark, rows, session) == baskets(spark, shuffled, session)


@pytest.fixture
def published(spark: SparkSession, workspace: Workspace) -> DataFrame:
    rows = frame(spark, "transactions", [transaction(basket_id="b1"), transaction(basket_id="b2", customer_id="c2")])
    publish(workspace, "transactions", rows)
    return rows


def arguments(business_date: date = BUSINESS_DATE) -> list[str]:
    return ["--source", "shop", "--business-date", str(business_date), "--run-id", "run1"]


@pytest.mark.usefixtures("published")
def test_the_job_publishes_its_baskets_and_a_second_call_leaves_them_alone(workspace: Workspace) -> None:
    job.main(arguments())
    made = sorted(workspace.lake.path("baskets", "run1").iterdir())
    job.main(arguments())
    assert sorted(workspace.lake.path("baskets", "run1").iterdir()) == made
    assert [record.rows_out for record in read_stages(workspace.run_folder("run1")) if record.status == "done"] == [
        2,
        2,
    ]


@pytest.mark.usefixtures("published")
def test_no_sales_before_the_business_date_is_an_error_that_says_so(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="no line sold before 2026-01-01"):
        job.main(arguments(date(2026, 1, 1)))
    assert workspace.lake.current("baskets") is None
