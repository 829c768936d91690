from datetime import date, timedelta

import numpy as np
import pytest

from models.stockouts.shortages import Shelves, find_shortages, reasons, severity

# A Thursday.
HORIZON = [date(2026, 3, 5) + timedelta(days=ahead) for ahead in range(4)]


def shelf(mean: list[float], on_hand: float, arriving: list[float], dispersion: float = 1.0) -> Shelves:
    """One product's shelf; variances are those of independent days."""
    means = np.array([mean], dtype=float)
    return Shelves(
        means, means * dispersion, np.cumsum(means, axis=1) * dispersion, np.array([on_hand]), np.array([arriving])
    )


def test_cumulated_residual_worked_by_hand() -> None:
    # 10 on hand; 4 are asked for every day; 5 arrive on the third.
    found = find_shortages(shelf([4, 4, 4, 4], 10, [0, 0, 5, 0]), 0.5)
    assert found.residual[0].tolist() == [6, 2, 3, -1]
    assert found.is_alert[0]
    assert found.short_day[0] == 3
    # After three days 3 are left, three quarters of what the fourth asks for.
    assert found.days_of_cover[0] == pytest.approx(3.75)


def test_per_day_residual_worked_by_hand() -> None:
    # The paper's example by day: deliveries 5, 0, 5, 4 against 4 a day, whatever stands on the shelf.
    found = find_shortages(shelf([4, 4, 4, 4], 100, [5, 0, 5, 4]), 0.5, "per_day")
    assert found.residual[0].tolist() == [1, -4, 1, 0]
    assert found.is_alert[0]
    assert found.short_day[0] == 1


def test_a_full_shelf_alerts_only_by_the_per_day_rule() -> None:
    shelves = shelf([4, 4, 4, 4], 100, [0, 0, 0, 0])
    assert not find_shortages(shelves, 0.35).is_alert[0]
    assert find_shortages(shelves, 0.35, "per_day").is_alert[0]


def test_units_lost_before_a_delivery_are_not_asked_for_again() -> None:
    # 8 asked for on an empty shelf are lost; then 100 arrive. Cumulated supply looks ample at the end.
    found = find_shortages(shelf([8, 8, 8, 8], 0, [0, 100, 0, 0]), 0.5)
    assert found.units_short[0] == pytest.approx(8.0, abs=0.01)
    assert found.short_day[0] == 0
    assert found.days_of_cover[0] == 0.0


def test_a_delivery_is_on_the_shelf_before_its_day_begins() -> None:
    assert not find_shortages(shelf([4, 4, 4, 4], 0, [40, 0, 0, 0]), 0.35).is_alert[0]


def test_more_stock_never_makes_it_worse() -> None:
    cases = [find_shortages(shelf([3, 5, 2, 4], stock, [0, 2, 0, 0], 2.0), 0.35) for stock in range(20)]
    assert (np.diff([case.short_by.max() for case in cases]) <= 1e-12).all()
    assert (np.diff([case.units_short[0] for case in cases]) <= 1e-9).all()
    assert (np.diff([case.days_of_cover[0] for case in cases]) >= 0).all()


def test_uncertain_demand_alerts_earlier_at_a_low_threshold() -> None:
    calm, wild = (find_shortages(shelf([5, 5, 5, 5], 22, [0, 0, 0, 0], ratio), 0.3) for ratio in (1.0, 6.0))
    assert not calm.is_alert[0] or calm.short_day[0] >= wild.short_day[0]
    assert wild.is_alert[0]


def test_what_nobody_asks_for_is_no_alert_even_on_an_empty_shelf_at_threshold_zero() -> None:
    assert not find_shortages(shelf([0, 0, 0, 0], 0, [0, 0, 0, 0]), 0.0).is_alert[0]


def test_the_reason_holds_the_numbers() -> None:
    shelves = shelf([10, 15, 16, 0], 12, [0, 20, 0, 0])
    (reason,) = reasons(shelves, find_shortages(shelves, 0.5), HORIZON)
    assert reason.startswith("12 on hand and 20 arriving by Fri 6 Mar against 41 expected")
    assert reason.endswith("by Sat 7 Mar")


def test_the_reason_of_the_per_day_rule_is_about_one_day() -> None:
    shelves = shelf([4, 4, 4, 4], 0, [5, 0, 5, 4])
    (reason,) = reasons(shelves, find_shortages(shelves, 0.5, "per_day"), HORIZON, "per_day")
    assert reason == "0 arriving on Fri 6 Mar against 4 expected that day"


def test_severity_grows_with_value_and_nearness() -> None:
    value, day = np.array([10.0, 60.0, 250.0, 250.0]), np.array([5, 5, 5, 0])
    assert severity(value, day, 100.0) == ["low", "medium", "high", "critical"]
