"""The night's own back-test as Model quality shows it."""

import pytest

from pipeline.page.alert_quality import alert_quality, calibration, latest_alert_night, read_alert_nights
from pipeline.workspace import Workspace
from tests.backtest_factories import alert_backtest
from tests.published_tables import publish_rows


def test_a_night_s_figures_are_quotients_of_its_sums(workspace: Workspace) -> None:
    second = alert_backtest(store_id="s2", bin=8, judged=5, stated=4.25, happened=5, alerts=5, right_alerts=5)
    publish_rows(workspace, "alert_backtests", alert_backtest(), second)
    (night,) = read_alert_nights(workspace.lake, "stockout", 60)
    assert latest_alert_night(workspace.lake, "stockout") == night
    assert night.precision == pytest.approx(8 / 10)
    assert night.recall == pytest.approx(8 / 9)
    assert night.days_ahead == pytest.approx(12 / 8)
    assert night.calibration_error == pytest.approx((0.5 + 0.75) / 15)
    drawn = calibration(night).data[1]
    assert list(drawn.x) == pytest.approx([0.35, 0.85])
    assert list(drawn.y) == pytest.approx([0.4, 1.0])


def test_nothing_is_drawn_before_the_first_back_test(workspace: Workspace) -> None:
    assert latest_alert_night(workspace.lake, "stockout") is None
    assert alert_quality(read_alert_nights(workspace.lake, "stockout", 60)) == []


def test_a_back_test_without_alerts_has_no_precision(workspace: Workspace) -> None:
    publish_rows(workspace, "alert_backtests", alert_backtest(happened=0, alerts=0, right_alerts=0, days_ahead=0))
    nights = read_alert_nights(workspace.lake, "stockout", 60)
    assert (nights[0].precision, nights[0].recall, nights[0].days_ahead) == (None, None, None)
    assert len(alert_quality(nights)) == 4
