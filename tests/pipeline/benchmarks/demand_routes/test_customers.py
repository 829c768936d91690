"""How much others bought: whoever was too new, too long gone, or nobody in particular."""

from datetime import date

import numpy as np
import pytest

from models.demand.model_route import PRIOR_UNITS
from pipeline.benchmarks.data.daily_sales import DailySales
from pipeline.benchmarks.demand_routes.customers import other_share

TODAY = 60


def sales(*lines: tuple[int, int, int, float]) -> DailySales:
    """Lines of customer (-1: none), product, day and units, of one store with two products."""
    customers, products, days, units = (np.array(column) for column in zip(*lines, strict=True))
    nothing = np.zeros((2, TODAY + 30))
    return DailySales(
        product_names=np.array(["s/p0", "s/p1"], object),
        first_day=date(2025, 1, 1),
        units=nothing,
        spend=nothing,
        buyers=nothing,
        categories=np.zeros(2, np.int64),
        line_customers=customers,
        line_products=products,
        line_days=days,
        line_units=units.astype(np.float64),
        stores=np.zeros(2, np.int64),
    )


REGULAR = [(0, 0, day, 1.0) for day in range(2, TODAY, 7)]


def share(*lines: tuple[int, int, int, float]) -> list[float]:
    return other_share(sales(*lines), TODAY, active_days=30, min_baskets=2).tolist()


def test_who_came_often_and_lately_is_none_of_the_others() -> None:
    assert share(*REGULAR)[0] == 0.0
    assert np.isnan(share(*REGULAR)[1])  # never sold


@pytest.mark.parametrize("customer", [-1, 1], ids=["without a customer", "for the first time"])
def test_sales_to_others_are_their_part_drawn_towards_the_store_s(customer: int) -> None:
    found = share(*REGULAR, (customer, 1, TODAY - 3, 12.0))
    store = 12.0 / (12.0 + 4.0)  # four weeks of one unit
    assert found[1] == pytest.approx((12.0 + PRIOR_UNITS * store) / (12.0 + PRIOR_UNITS))
    assert found[0] == pytest.approx(PRIOR_UNITS * store / (4.0 + PRIOR_UNITS))


def test_who_was_away_too_long_counts_among_the_others() -> None:
    found = share(*REGULAR, (1, 1, 1, 1.0), (1, 1, 5, 1.0), (1, 1, TODAY - 1, 12.0))
    assert found[1] > 0.7


def test_sales_of_the_day_and_later_change_nothing() -> None:
    later = [(2, 1, TODAY + ahead, 50.0) for ahead in range(5)]
    before, after = share(*REGULAR, (-1, 1, 50, 2.0)), share(*REGULAR, (-1, 1, 50, 2.0), *later)
    assert before == after
