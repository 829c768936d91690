"""Rows of the tables in which a night tests itself, complete and valid; a test names what matters."""

from datetime import timedelta
from typing import Any

from tests.factories import BUSINESS_DATE


def demand_backtest(**fields: Any) -> dict[str, Any]:
    """Four units of p1 expected in s1 a week before the business date, and four sold."""
    mean = fields.get("mean", 4.0)
    as_of = fields.get("as_of", BUSINESS_DATE - timedelta(days=7))
    row: dict[str, Any] = {
        "store_id": "s1",
        "product_id": "p1",
        "as_of": as_of,
        "demand_on": as_of,
        "mean": mean,
        "variance": mean,
        "cumulative_variance": mean,
        "units": mean,
        "method": "learned",
    }
    return row | fields


def alert_backtest(**fields: Any) -> dict[str, Any]:
    """A week before the business date: ten shelves of s1 with .35 stated, four short, five alerts, three right."""
    row: dict[str, Any] = {
        "kind": "stockout",
        "store_id": "s1",
        "as_of": BUSINESS_DATE - timedelta(days=7),
        "bin": 3,
        "judged": 10,
        "stated": 3.5,
        "happened": 4,
        "alerts": 5,
        "right_alerts": 3,
        "days_ahead": 6,
        "intercept": 0.0,
        "slope": 1.0,
    }
    return row | fields


def behaviour_backtest(**fields: Any) -> dict[str, Any]:
    """A week before the business date: twenty customers of s1, five stayed away; four alerts, three right."""
    row: dict[str, Any] = {
        "store_id": "s1",
        "as_of": BUSINESS_DATE - timedelta(days=7),
        "bin": 1,
        "judged": 20,
        "stayed_away": 5,
        "alerts": 4,
        "right_alerts": 3,
    }
    return row | fields


def basket_backtest(**fields: Any) -> dict[str, Any]:
    """A week before the business date: ten customers, four came; of the products named half were bought as stated."""
    row: dict[str, Any] = {
        "origin": "model",
        "as_of": BUSINESS_DATE - timedelta(days=7),
        "predicted": 10,
        "came": 4,
        "named": 8,
        "bought": 16,
        "hits": 4,
        "hit_customers": 3,
        "recall_10": 1.0,
        "size_error": 10,
        "days_error": 6,
        "due": 5,
        "came_by_due": 3,
        "list_named": 8,
        "list_hits": 2,
        "list_hit_customers": 2,
        "list_recall_10": 0.5,
        "named_by_tenth": [0, 0, 0, 4, 0, 0, 4, 0, 0, 0],
        "stated_by_tenth": [0.0, 0.0, 0.0, 1.2, 0.0, 0.0, 2.4, 0.0, 0.0, 0.0],
        "hits_by_tenth": [0, 0, 0, 1, 0, 0, 3, 0, 0, 0],
    }
    return row | fields
