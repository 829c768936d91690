from dataclasses import replace

import numpy as np
import pytest

from models.behaviour.affinities import surprise
from models.behaviour.funnel_baskets import FunnelBaskets

FUNNELS, BASKETS = 120, 8


def histories(swapped: int | None = None, last: int | None = None) -> FunnelBaskets:
    """Funnels of two tastes, each with ten products of five categories; the last basket is to be judged.

    Args: swapped: a funnel whose last basket is of the other taste; last: the product of funnel 0's last basket.
    """
    random = np.random.default_rng(0)
    rows = []
    for funnel in range(FUNNELS):
        own = random.permutation(20)[:6] + 20 * (funnel % 2)
        for basket in range(BASKETS):
            bought = random.permutation(own)[:3]
            if basket == BASKETS - 1 and funnel == swapped:
                bought = (bought + 20) % 40
            if basket == BASKETS - 1 and funnel == 0 and last is not None:
                bought = np.array([last])
            rows += [(funnel, basket, int(product)) for product in bought]
    funnels, days, products = np.array(rows).T
    ones = np.ones(len(rows))
    return FunnelBaskets.of_lines(funnels, days, products, ones, ones, category=np.arange(40) // 4, recent_from=None)


def test_a_basket_of_another_taste_surprises_most() -> None:
    found = histories(swapped=7)
    assert surprise(found, found.expected)[found.last].argmax() == 7


def test_own_products_then_own_categories_then_those_that_go_with_them() -> None:
    known = set(histories().known[[0]].indices.tolist())
    categories = {product // 4 for product in known}
    same_taste = [product for product in range(20) if product not in known]
    own_category = next(product for product in same_taste if product // 4 in categories)
    found = [histories(last=product) for product in (min(known), own_category, 39)]
    surprises = [surprise(each, each.expected)[each.last[0]] for each in found]
    assert surprises[0] < surprises[1] < surprises[2]


def test_a_judged_basket_changes_nothing_for_the_histories() -> None:
    one, other = histories(), histories(swapped=7)
    known = ~one.recent
    before, after = surprise(one, one.expected), surprise(other, other.expected)
    assert after[known] == pytest.approx(before[known])


def test_one_category_for_all_tells_nothing_and_breaks_nothing() -> None:
    found = histories()
    plain = replace(found, category=np.zeros(40, dtype=np.int64))
    assert np.isfinite(surprise(plain, plain.expected)).all()
