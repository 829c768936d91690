"""Receipts at midnight, sales without a customer, guests' ids and discounts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs.build_baskets import build_baskets
from spark_jobs.sessions import OPEN_MINUTES, BasketRules, SessionRule, anonymous_ids
from tests.factories import BUSINESS_DATE, transaction
from tests.published_tables import frame


def built(
    spark: SparkSession, rows: list[dict[str, Any]], rules: BasketRules, guests: tuple[str, ...] = ()
) -> list[Any]:
    found = build_baskets(frame(spark, "transactions", rows), BUSINESS_DATE, rules, guests).collect()
    assert len({row.basket_key for row in found}) == len(found)
    return sorted(found, key=lambda row: (row.customer_id or "", row.store_id, row.started_at_utc))


def line(hour: int, minute: int, day: int, **fields: Any) -> dict[str, Any]:
    """A line of receipt 77 at a local time of Berlin, an hour ahead of UTC."""
    at = datetime(2026, 2, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)
    return transaction(**{"sold_at_utc": at, "sold_on": date(2026, 2, day), "basket_id": "77"} | fields)


BERLIN = BasketRules("basket_id", timezone="Europe/Berlin")


@pytest.mark.parametrize("customer", ["c1", None])
@pytest.mark.parametrize(
    ("first", "second", "baskets"),
    [
        ((23, 58), (0, 1), 1),
        ((23, 10), (0, 40), 1),
        ((22, 0), (0, 30), 2),
        ((10, 0), (10, 0), 2),
        ((0, 30), (0, 30), 2),
    ],
)
def test_a_receipt_that_is_open_at_midnight_is_one_basket_of_its_first_day(
    spark: SparkSession, customer: str | None, first: tuple[int, int], second: tuple[int, int], baskets: int
) -> None:
    rows = [line(*first, 1, customer_id=customer), line(*second, 2, product_id="p2", customer_id=customer)]
    found = built(spark, rows, BERLIN)
    assert len(found) == baskets
    assert found[0].sold_on == date(2026, 2, 1)
    assert sum(row.n_products for row in found) == 2


def test_a_number_that_starts_again_later_in_the_day_is_another_receipt(spark: SparkSession) -> None:
    rows = [line(23, 59, 1), line(0, 2, 2, product_id="p2"), line(15, 0, 2, product_id="p3")]
    found = built(spark, rows, BERLIN)
    assert [(row.sold_on.day, row.n_products) for row in found] == [(1, 2), (2, 1)]
    assert OPEN_MINUTES < 15 * 60


@pytest.mark.parametrize("session", ["basket_id", "customer_day", "gap_minutes"])
@pytest.mark.parametrize("has_times", [True, False])
def test_sales_without_a_customer_are_baskets_of_their_store_and_nobodys(
    spark: SparkSession, session: SessionRule, has_times: bool
) -> None:
    rows = [
        line(10, 0, 1, customer_id=None, basket_id="1"),
        line(10, 0, 1, customer_id=None, basket_id="1", product_id="p2"),
        line(10, 5, 1, customer_id=None, basket_id="2"),
        line(10, 5, 1, customer_id=None, basket_id="2", store_id="s2"),
        line(10, 0, 1, basket_id="3"),
    ]
    found = built(spark, rows, BasketRules(session, timezone="Europe/Berlin", has_times=has_times))
    assert [(row.customer_id, row.store_id, row.n_products) for row in found] == [
        (None, "s1", 2), (None, "s1", 1), (None, "s2", 1), ("c1", "s1", 1),
    ]  # fmt: skip
    assert sum(row.quantity for row in found) == 5


def test_what_comes_back_without_a_customer_takes_nothing_from_other_baskets(spark: SparkSession) -> None:
    rows = [
        line(10, 0, 1, customer_id=None, basket_id="1", quantity=3.0),
        line(11, 0, 1, customer_id=None, basket_id="2", is_return=True),
        line(12, 0, 1, customer_id=None, basket_id="3", quantity=2.0),
        line(12, 0, 1, customer_id=None, basket_id="3", is_return=True),
    ]
    assert [row.quantity for row in built(spark, rows, BERLIN)] == [3.0, 0.0, 1.0]


@hypothesis_settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(usual=st.integers(1, 4), guest=st.integers(1, 200), customers=st.integers(2, 12))
def test_an_id_is_a_guests_only_with_a_large_share_far_above_all_others(
    spark: SparkSession, usual: int, guest: int, customers: int
) -> None:
    rows = [transaction(customer_id=f"c{number}") for number in range(customers) for _ in range(usual)]
    rows += [transaction(customer_id="9999") for _ in range(guest)] + [transaction(customer_id=None)]
    found = anonymous_ids(frame(spark, "transactions", rows), BUSINESS_DATE, 0.05)
    assert found == (["9999"] if guest > 20 * usual else [])
    baskets = built(spark, rows, BasketRules("customer_day"), tuple(found))
    assert ("9999" in {row.customer_id for row in baskets}) == (not found)
    assert sum(row.quantity for row in baskets) == len(rows)


@pytest.mark.parametrize(("every", "expected"), [(1, ["9999"]), (2, [])])
def test_in_a_shop_of_few_customers_a_guests_id_is_there_nearly_every_day(
    spark: SparkSession, every: int, expected: list[str]
) -> None:
    days = [BUSINESS_DATE - timedelta(days=back) for back in range(1, 31)]
    rows = [transaction(customer_id=f"c{number}", sold_on=days[number]) for number in range(30) for _ in range(6)]
    rows += [transaction(customer_id="9999", sold_on=day) for day in days[::every] for _ in range(2 * every)]
    assert anonymous_ids(frame(spark, "transactions", rows), BUSINESS_DATE, 0.05) == expected


@hypothesis_settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prices=st.lists(st.integers(0, 1000), min_size=1, max_size=5),
    coupons=st.lists(st.tuples(st.sampled_from(["p0", "p1", "COUPON"]), st.integers(1, 900)), min_size=1, max_size=3),
)
def test_discounts_lower_their_basket_to_the_cent_and_never_below_nothing(
    spark: SparkSession, prices: list[int], coupons: list[tuple[str, int]]
) -> None:
    rows = [transaction(basket_id="1", product_id=f"p{n}", amount_cents=cents) for n, cents in enumerate(prices)]
    rows += [
        transaction(basket_id="1", product_id=product, quantity=0.0, amount_cents=-cents) for product, cents in coupons
    ]
    rows.append(transaction(basket_id="1", customer_id="c2", amount_cents=500))
    discounted, other = built(spark, rows, BasketRules("basket_id", has_discounts=True))
    paid = max(0, sum(prices) - sum(cents for _, cents in coupons))
    assert (discounted.amount_cents, other.amount_cents) == (paid, 500)
    assert [product.product_id for product in discounted.products] == [f"p{n}" for n in range(len(prices))]
    assert all(0 <= product.amount_cents <= prices[n] for n, product in enumerate(discounted.products))
