"""Past mornings' alerts against what was sold."""

from dataclasses import replace

import numpy as np
import pytest

from models.stockouts.backtest import PastShelves, judge_weeks
from models.stockouts.calibration import Calibration, calibration_error
from models.stockouts.shortages import Shelves

LEAST = 0.35


def week(on_hand: list[float], sold: list[list[float]], *, measured: bool = True, mean: float = 2.0) -> PastShelves:
    """Products of which `mean` a day is expected, as Poisson counts, and nothing arrives."""
    means = np.full((len(on_hand), len(sold[0])), mean)
    shelves = Shelves(means, means, np.cumsum(means, axis=1), np.array(on_hand), np.zeros_like(means))
    return PastShelves(shelves, np.array(sold), np.full(len(on_hand), measured))


def drawn(seed: int, products: int = 200, rate: float = 2.0) -> PastShelves:
    """Shelves in doubt, of which twice the rate that sells is expected."""
    rng = np.random.default_rng(seed)
    sold = rng.poisson(rate, (products, 7)).astype(float)
    return week(list(rng.integers(6, 30, products).astype(float)), sold.tolist(), mean=2.0 * rate)


def test_a_counted_shelf_is_short_once_it_has_sold_out_and_a_planned_one_beyond_it() -> None:
    sold = [[2.0, 2.0, 0.0], [2.0, 2.0, 1.0], [0.0, 0.0, 0.0]]
    assert week([4.0, 4.0, 0.0], sold).short_days().tolist() == [
        [False, True, True],
        [False, True, True],
        [False, False, False],
    ]
    assert week([4.0, 4.0, 0.0], sold, measured=False).short_days().tolist() == [
        [False, False, False],
        [False, False, True],
        [False, False, False],
    ]


def test_alerts_and_days_ahead_worked_by_hand() -> None:
    (found,), _ = judge_weeks([week([3.0, 90.0], [[2.0, 2.0], [2.0, 2.0]])], LEAST, "cumulative")
    assert found.is_alert.tolist() == [True, False]
    assert found.happened.tolist() == [True, False]
    assert found.days_ahead.tolist() == [1, 0]


def test_each_week_is_judged_by_what_the_weeks_before_it_taught() -> None:
    weeks = [drawn(seed) for seed in range(4)]
    judged, last = judge_weeks(weeks, LEAST, "cumulative")
    other = [*weeks[:2], week([5.0] * 30, [[9.0] * 7] * 30), drawn(9)]
    changed, _ = judge_weeks(other, LEAST, "cumulative")
    for one, same in zip(judged[:2], changed[:2], strict=True):
        assert (one.stated == same.stated).all()
    assert judge_weeks(weeks[:1], LEAST, "cumulative")[0][0].stated == pytest.approx(judged[0].stated)
    assert last != Calibration()


def test_what_is_stated_too_high_is_brought_down_by_the_weeks_before() -> None:
    judged, _ = judge_weeks([drawn(seed, 1000) for seed in range(4)], LEAST, "cumulative")
    as_stated, calibrated = (calibration_error(found.stated, found.happened) for found in (judged[0], judged[-1]))
    assert as_stated > 0.15
    assert calibrated < 0.05


def test_the_order_of_products_changes_nothing() -> None:
    shelves = drawn(3)
    back = np.arange(len(shelves.sold))[::-1]
    turned = PastShelves(
        replace(
            shelves.shelves,
            mean=shelves.shelves.mean[back],
            variance=shelves.shelves.variance[back],
            cumulative_variance=shelves.shelves.cumulative_variance[back],
            on_hand=shelves.shelves.on_hand[back],
            arriving=shelves.shelves.arriving[back],
        ),
        shelves.sold[back],
        shelves.measured[back],
    )
    (one,), first = judge_weeks([shelves], LEAST, "cumulative")
    (two,), second = judge_weeks([turned], LEAST, "cumulative")
    assert (one.stated[back] == two.stated).all()
    assert first == second
