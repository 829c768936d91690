"""Rows of tables for tests: factories with a sensible default for every field; a test states what it is about."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise
from typing import Any

from pipeline.tables.sequences import FUNNEL_KINDS

BUSINESS_DATE = date(2026, 3, 1)
_line_numbers = count(2)


def transaction(**fields: Any) -> dict[str, Any]:
    """One accepted line: customer c1 buys one unit of p1 on 2026-02-01; `sold_at_utc` defaults to noon of `sold_on`."""
    sold_on = fields.get("sold_on") or fields.get("sold_at_utc", datetime(2026, 2, 1, tzinfo=UTC)).date()
    row: dict[str, Any] = {
        "source_file": f"sales_{sold_on}.csv",
        "source_line": next(_line_numbers),
        "sold_at_utc": datetime.combine(sold_on, time(12), tzinfo=UTC),
        "store_id": "s1",
        "customer_id": "c1",
        "basket_id": None,
        "product_id": "p1",
        "category": None,
        "quantity": 1.0,
        "amount_cents": 100,
        "customer_attributes": None,
        "is_return": False,
        "delivery_id": None,
        "line_hash": None,
        "sold_on": sold_on,
    }
    return row | fields


def basket(**fields: Any) -> dict[str, Any]:
    """One basket of customer c1 on 2026-02-01 with one unit of p1 for 100 cents; sums follow `products`."""
    sold_on = fields.get("sold_on", date(2026, 2, 1))
    customer_id = fields.get("customer_id", "c1")
    products = fields.get("products", [("p1", 1.0, 100)])
    row: dict[str, Any] = {
        "basket_key": f"{customer_id}-{sold_on}-{next(_line_numbers)}",
        "customer_id": customer_id,
        "store_id": "s1",
        "started_at_utc": datetime.combine(sold_on, time(12), tzinfo=UTC),
        "sold_on": sold_on,
        "products": products,
        "returned": [],
        "n_products": len(products),
        "quantity": float(sum(quantity for _, quantity, _ in products)),
        "amount_cents": sum(cents for _, _, cents in products),
    }
    return row | fields


def sequence(**fields: Any) -> dict[str, Any]:
    """A customer's three baskets, a week apart, of vocabulary index 3; per-basket arrays follow `sold_on`."""
    days = fields.get("sold_on", [date(2026, 2, 1), date(2026, 2, 8), date(2026, 2, 15)])
    products = fields.get("products", [[3] for _ in days])
    row: dict[str, Any] = {
        "funnel_kind": FUNNEL_KINDS[0],
        "funnel_id": "c1",
        "store_id": "s1",
        "n_baskets": len(days),
        "last_sold_on": days[-1],
        "sold_on": days,
        "gap_days": [-1, *((day - before).days for before, day in pairwise(days))],
        "day_of_week": [day.isoweekday() for day in days],
        "day_of_month": [day.day for day in days],
        "month": [day.month for day in days],
        "products": products,
        "quantities": [[1.0] * len(items) for items in products],
        "amounts_cents": [[100] * len(items) for items in products],
        "attributes": None,
        "vocabulary_hash": "v1",
    }
    return row | fields


def vocabulary_entry(**fields: Any) -> dict[str, Any]:
    """One known product: p1 at index 3."""
    row: dict[str, Any] = {
        "product_index": 3,
        "product_id": "p1",
        "category": None,
        "n_baskets": 10,
        "unit_price_cents": 100.0,
        "vocabulary_hash": "v1",
    }
    return row | fields


def product(**fields: Any) -> dict[str, Any]:
    """One product: p1, called Oats, for 100 cents."""
    row: dict[str, Any] = {
        "product_id": "p1",
        "name": "Oats",
        "category": "breakfast",
        "brand": None,
        "price_cents": 100.0,
        "first_sold_on": date(2026, 1, 1),
        "unit": None,
        "discontinued_on": None,
        "replaced_by": None,
    }
    return row | fields


def prediction(**fields: Any) -> dict[str, Any]:
    """Customer c1 is predicted to buy two of p1 in store s1 on the business date."""
    products = fields.get("products", [{"product_id": "p1", "probability": 0.5, "quantity": 2.0}])
    row: dict[str, Any] = {
        "funnel_kind": FUNNEL_KINDS[0],
        "funnel_id": "c1",
        "store_id": "s1",
        "products": products,
        "n_products": len(products),
        "gap_days": 7.0,
        "next_sold_on": BUSINESS_DATE,
        "last_sold_on": date(2026, 2, 22),
        "fallback": None,
        "model_version": "larder-shop/1",
        "business_date": BUSINESS_DATE,
    }
    return row | fields


def stockout(**fields: Any) -> dict[str, Any]:
    """Product p1 runs out in store s1 on the business date: five units short, worth 500 cents."""
    row: dict[str, Any] = {
        "store_id": "s1",
        "product_id": "p1",
        "category": "breakfast",
        "short_on": BUSINESS_DATE,
        "probability": 0.9,
        "on_hand": 1.0,
        "resupply": 0.0,
        "resupply_on": None,
        "demand": 6.0,
        "demand_p10": 3.0,
        "demand_p90": 9.0,
        "units_short": 5.0,
        "days_of_cover": 1.0,
        "value_at_risk_cents": 500,
        "residual": [0.0, -1.0, -2.0, -3.0, -4.0, -5.0, -5.0],
        "n_customers": 1,
        "severity": "high",
        "reason": "1 on the shelf, 6 expected to be asked for",
    }
    return row | fields


def anomaly(**fields: Any) -> dict[str, Any]:
    """Customer c1 bought what customers like c1 hardly ever buy."""
    row: dict[str, Any] = {
        "funnel_kind": FUNNEL_KINDS[0],
        "funnel_id": "c1",
        "store_id": "s1",
        "observed_on": date(2026, 2, 28),
        "distance": 0.9,
        "cluster": 0,
        "score": 3.0,
        "content_score": 4.0,
        "size_score": 0.2,
        "quantity_score": 0.1,
        "timing_score": 0.0,
        "is_news": True,
        "is_alert": True,
        "value_cents": 4000,
        "direction": "loss",
        "severity": "medium",
        "reason": "bought p9, never bought before",
    }
    return row | fields


def next_offer(**fields: Any) -> dict[str, Any]:
    """Customer c1 most likely takes breakfast next, in one to three days after the last time."""
    row: dict[str, Any] = {
        "customer_id": "c1",
        "offer_rank": 1,
        "offer": "breakfast",
        "probability": 0.5,
        "from_days": 1,
        "to_days": 3,
        "bucket_probability": 0.4,
        "joint_probability": 0.2,
        "probability_by_day": [0.5] * 28,
        "expected_on": BUSINESS_DATE,
        "expected_amount_cents": 100.0,
        "last_sold_on": date(2026, 2, 27),
        "fallback": None,
        "model_version": "larder-shop-next_offers/1",
        "business_date": BUSINESS_DATE,
    }
    return row | fields


def customer_segment(**fields: Any) -> dict[str, Any]:
    """Customer c1 is alone in the segment of tea, as the night before."""
    row: dict[str, Any] = {
        "customer_id": "c1",
        "segment_id": 1,
        "segment_name": "tea",
        "n_members": 1,
        "is_new_segment": False,
        "rand_index": 1.0,
        "x": 0.0,
        "y": 0.0,
    }
    return row | fields


def customer_day(**fields: Any) -> dict[str, Any]:
    """Customer c1 paid 100 cents for one line on 1 February 2026."""
    row: dict[str, Any] = {
        "customer_id": "c1",
        "sold_on": date(2026, 2, 1),
        "lines": 1,
        "bought_cents": 100,
        "returned_cents": 0,
    }
    return row | fields


def customer_value(**fields: Any) -> dict[str, Any]:
    """Customer c1, a champion: 90 days are expected to bring 3,000 cents."""
    row: dict[str, Any] = {
        "customer_id": "c1",
        "first_sold_on": date(2026, 1, 1),
        "last_sold_on": date(2026, 2, 22),
        "recency_days": 7,
        "frequency": 8,
        "monetary_cents": 250.0,
        "spend_cents": 2000.0,
        "recency_score": 5,
        "frequency_score": 5,
        "monetary_score": 4,
        "segment": "champions",
        "trend": "up",
        "still_customer": 0.9,
        "next_sold_on": date(2026, 3, 8),
        **{
            f"{what}_{days}{end}": scale * days
            for days in (30, 90, 365)
            for what, scale in (("baskets", 0.1), ("spend", 100 / 3))
            for end in (("", "_low", "_high") if what == "baskets" else ("_cents", "_low_cents", "_high_cents"))
        },
        "lifetime_value_cents": 9000.0,
        "method": "blend",
        "fallback": None,
        "model_version": "larder-shop-customer_values/1",
        "business_date": BUSINESS_DATE,
    }
    return row | fields


def stock_level(**fields: Any) -> dict[str, Any]:
    """Ten units of p1 on the shelf of s1, as delivered."""
    row: dict[str, Any] = {
        "store_id": "s1",
        "product_id": "p1",
        "on_hand": 10.0,
        "as_of": BUSINESS_DATE,
        "origin": "delivered",
    }
    return row | fields


def resupply(**fields: Any) -> dict[str, Any]:
    """Five units of p1 arrive in s1 on the business date."""
    row: dict[str, Any] = {
        "store_id": "s1",
        "product_id": "p1",
        "arrives_on": BUSINESS_DATE,
        "units": 5.0,
        "origin": "delivered",
    }
    return row | fields


def expected_demand(**fields: Any) -> dict[str, Any]:
    """Four units of p1 expected in s1 on the business date, as a Poisson count."""
    mean = fields.get("mean", 4.0)
    row: dict[str, Any] = {
        "store_id": "s1",
        "product_id": "p1",
        "demand_on": BUSINESS_DATE,
        "mean": mean,
        "variance": mean,
        "cumulative_variance": mean,
        "p10": 0.0,
        "p50": mean,
        "p90": 2.0 * mean,
        "model_weight": 0.0,
        "from_customers": 0.0,
        "n_customers": 0,
        "method": "learned",
        "largest_week": 14.0 * mean,
        "trailing_week": 7.0 * mean,
        "ignored_units": 0.0,
    }
    return row | fields


def return_forecast(**fields: Any) -> dict[str, Any]:
    """One open line of customer c1, half of whose two units are expected back within the two days that are left."""
    row: dict[str, Any] = {
        "basket_key": f"b{next(_line_numbers)}",
        "customer_id": "c1",
        "store_id": "s1",
        "product_id": "p1",
        "sold_on": BUSINESS_DATE - timedelta(days=9),
        "quantity": 2.0,
        "amount_cents": 200,
        "last_return_on": BUSINESS_DATE + timedelta(days=1),
        "probability": 0.5,
        "expected_units": 1.0,
        "expected_units_by_day": [0.75, 0.25],
        "fallback": None,
        "model_version": "larder-shop-returns/1",
        "business_date": BUSINESS_DATE,
    }
    return row | fields


def expected_return(**fields: Any) -> dict[str, Any]:
    """Half a unit of p1 is expected back in store s1 on the business date."""
    row: dict[str, Any] = {
        "store_id": "s1",
        "product_id": "p1",
        "returns_on": BUSINESS_DATE,
        "expected_units": 0.5,
        "n_lines": 1,
        "business_date": BUSINESS_DATE,
    }
    return row | fields
