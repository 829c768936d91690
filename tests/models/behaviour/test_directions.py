"""The direction of a change: less is spent than usual, or at least as much."""

import numpy as np
import pytest

from models.behaviour.detection import KINDS
from models.behaviour.directions import OF_KIND, directions
from models.directions import DIRECTIONS, GAIN, LOSS
from tests.models.behaviour.test_detection import RECENT_DAYS, TODAY, Line, Shop, judge, other_half

SINCE = TODAY - RECENT_DAYS


def found(shop: Shop, customer: int = 7) -> tuple[str, str]:
    """Kind and direction of a customer's change."""
    scores = judge(shop)
    return KINDS[scores.kind[customer]], directions(shop.histories(), scores)[customer]


def dearer(factor: float) -> Shop:
    """A customer who buys other products lately, of so many times the price: a line's amount follows its units."""

    def alter(line: Line) -> Line:
        customer, day, product, units = other_half(line)
        return customer, day, product, units * factor

    return Shop().change(7, SINCE, alter)


def test_every_kind_has_a_direction_by_itself_or_by_its_money() -> None:
    assert set(KINDS) - set(OF_KIND) == {"content"}
    assert set(OF_KIND.values()) <= set(DIRECTIONS)


def test_a_customer_who_stays_away_is_a_loss() -> None:
    assert found(Shop().change(7, TODAY - 26, lambda _line: None)) == ("silence", LOSS)


def test_more_units_are_a_gain() -> None:
    kind, direction = found(Shop().change(7, SINCE, lambda line: (*line[:3], line[3] * 6)))
    assert (kind in {"quantity", "size"}, direction) == (True, GAIN)


@pytest.mark.parametrize(("factor", "direction"), [(0.6, LOSS), (1.5, GAIN)])
def test_other_products_go_by_the_money(factor: float, direction: str) -> None:
    assert found(dearer(factor)) == ("content", direction)


def test_the_order_of_lines_changes_nothing() -> None:
    shop = dearer(0.6)
    before = directions(shop.histories(), judge(shop))
    shop.lines = [shop.lines[row] for row in np.random.default_rng(1).permutation(len(shop.lines))]
    assert directions(shop.histories(), judge(shop)) == before
