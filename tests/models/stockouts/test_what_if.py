import numpy as np
import pytest

from models.stockouts.shortages import Shelves
from models.stockouts.what_if import what_if


def shelf(mean: list[float], on_hand: float, arriving: list[float], ratio: float = 1.0) -> Shelves:
    """One product whose demand is a Poisson count, or wider by a variance-to-mean ratio."""
    daily = np.array([mean], dtype=float)
    return Shelves(
        daily, ratio * daily, ratio * np.cumsum(daily, axis=1), np.array([float(on_hand)]), np.array([arriving], float)
    )


def test_worked_by_hand() -> None:
    # 10 on hand, 4 a day expected: 6, 2, -2, -6 are left. Five on the third day leave 6, 2, 3, -1.
    found = what_if(shelf([4, 4, 4, 4], 10, [0, 0, 0, 0]), 2, 5, 0.5)
    assert found.before.residual[0].tolist() == [6, 2, -2, -6]
    assert found.after.residual[0].tolist() == [6, 2, 3, -1]
    assert found.short_before[0].tolist() == [False, False, True, True]
    assert found.short_after[0].tolist() == [False, False, False, True]
    assert not found.alert_gone[0]


@pytest.mark.parametrize("ratio", [1.0, 3.0])
@pytest.mark.parametrize("probability", [0.2, 0.35, 0.6])
def test_the_units_needed_are_just_enough(probability: float, ratio: float) -> None:
    shelves = shelf([4, 4, 4, 4], 10, [0, 0, 1, 0], ratio)
    needed = float(what_if(shelves, 1, 0, probability).units_needed[0])
    assert needed > 0
    assert not what_if(shelves, 1, needed, probability).short_after[0, 1:].any()
    assert what_if(shelves, 1, needed - 1, probability).short_after[0, 1:].any()


def test_a_delivery_that_comes_after_the_shelf_is_empty_does_not_undo_the_alert() -> None:
    found = what_if(shelf([8, 8, 8, 8], 4, [0, 0, 0, 0]), 2, 100, 0.35)
    assert found.before.is_alert[0]
    assert not found.alert_gone[0]
    assert found.after.units_short[0] < found.before.units_short[0]
    assert found.short_after[0].tolist() == [True, True, False, False]


def test_nothing_delivered_changes_nothing() -> None:
    found = what_if(shelf([3, 5, 2, 4], 6, [0, 2, 0, 0], 2.0), 1, 0, 0.35)
    assert (found.after.short_by == found.before.short_by).all()
    assert (found.short_after == found.short_before).all()


def test_by_the_paper_s_rule_only_its_own_day_is_helped() -> None:
    found = what_if(shelf([4, 4, 4, 4], 100, [5, 0, 0, 4]), 1, 9, 0.5, "per_day")
    assert found.short_before[0].tolist() == [False, True, True, False]
    assert found.short_after[0].tolist() == [False, False, True, False]
    assert found.units_needed[0] == 4


@pytest.mark.parametrize(("day", "units"), [(-1, 1.0), (4, 1.0), (0, -1.0), (0, float("nan"))])
def test_a_delivery_that_cannot_be_is_an_error(day: int, units: float) -> None:
    with pytest.raises(ValueError, match=r"day|units"):
        what_if(shelf([4, 4, 4, 4], 10, [0, 0, 0, 0]), day, units, 0.35)
