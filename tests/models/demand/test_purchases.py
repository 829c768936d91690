"""Units of one purchase and odd quantities do not depend on what a product is measured in, nor on the odd lines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demand.purchases import expected_size, largest_line, purchase_size, quantity_limit

QUANTITIES = st.lists(st.integers(1, 12), min_size=20, max_size=60)


def of(quantities: list[float], usual: float = 1.0) -> tuple[float, float]:
    """Units of one purchase and the limit, of one product's lines."""
    lines = np.array(quantities)
    median, large = np.array([np.median(lines)]), np.array([np.quantile(lines, 0.95)])
    count, of_others = np.array([len(lines)]), np.array([usual])
    limit = quantity_limit(median, large, count, of_others)
    return float(purchase_size(median, count, of_others, limit)[0]), float(limit[0])


@given(quantities=QUANTITIES, measure=st.floats(0.001, 5000.0))
def test_another_unit_of_measure_changes_nothing_but_the_scale(quantities: list[int], measure: float) -> None:
    size, limit = of([float(units) for units in quantities])
    scaled_size, scaled_limit = of([units * measure for units in quantities])
    assert scaled_size == pytest.approx(size * measure)
    assert scaled_limit == pytest.approx(limit * measure)


@given(quantities=QUANTITIES, times=st.floats(1000.0, 1e6))
def test_a_mistyped_quantity_is_odd_and_makes_no_other_line_odd(quantities: list[int], times: float) -> None:
    usual = [float(units) for units in quantities]
    odd = times * max(usual)
    size, limit = of([*usual, odd])
    assert odd > limit > max(usual)
    assert size == pytest.approx(of(usual)[0], abs=np.ptp(usual) / 2 + 1e-9)


@pytest.mark.parametrize("few", [[70_000.0], [70_000.0, 80_000.0]])
def test_few_lines_are_held_against_those_of_comparable_products(few: list[float]) -> None:
    size, limit = of(few, usual=2.0)
    assert few[0] > limit
    assert size == 2.0


def test_a_wholesale_product_is_not_odd_to_itself() -> None:
    assert of([500.0, 480.0, 2000.0, 510.0, 1500.0])[1] > 2000.0


def next_size(size: float, lines: int, usual: float) -> float:
    return float(expected_size(np.array([size]), np.array([lines]), np.array([usual]))[0])


SIZES = st.floats(0.1, 5000.0)


@given(size=SIZES, usual=SIZES, lines=st.integers(1, 200), scale=st.floats(0.01, 100.0))
def test_the_next_purchase_lies_between_the_product_s_and_comparable_ones(
    size: float, usual: float, lines: int, scale: float
) -> None:
    found = next_size(size, lines, usual)
    assert min(size, usual) * (1 - 1e-9) <= found <= max(size, usual) * (1 + 1e-9)
    assert next_size(size * scale, lines, usual * scale) == pytest.approx(found * scale)
    assert abs(np.log(next_size(size, lines + 1, usual) / size)) <= abs(np.log(found / size)) + 1e-9


@given(times=st.floats(0.001, 1000.0))
def test_of_a_product_with_a_month_of_lines_its_own_say_all(times: float) -> None:
    assert next_size(times, 60, 1.0) == pytest.approx(times, rel=0.005)


@given(size=st.floats(0.1, 5000.0), lines=st.integers(1, 1000))
def test_more_lines_let_one_of_them_count_for_more(size: float, lines: int) -> None:
    few, more = (float(largest_line(np.array([size]), np.array([count]))[0]) for count in (lines, lines + 1))
    assert 3.0 * size <= few * (1 + 1e-9)
    assert few <= more
