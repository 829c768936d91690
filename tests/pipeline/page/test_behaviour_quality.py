"""The back-test of behaviour as Model quality shows it."""

from datetime import timedelta
from typing import Any

from pipeline.page.behaviour_quality import behaviour_quality
from pipeline.workspace import Workspace
from tests.backtest_factories import behaviour_backtest
from tests.factories import BUSINESS_DATE
from tests.published_tables import publish_rows


def cells(parts: list[Any]) -> str:
    return str([part.to_plotly_json() for part in parts])


def test_each_night_has_a_row_with_quotients_of_its_sums(workspace: Workspace) -> None:
    more = behaviour_backtest(store_id="s2", judged=20, stayed_away=5, alerts=0, right_alerts=0)
    publish_rows(workspace, "behaviour_backtests", behaviour_backtest(), more)
    before = {"version": "earlier", "business_date": BUSINESS_DATE - timedelta(days=1)}
    publish_rows(workspace, "behaviour_backtests", behaviour_backtest(alerts=0, right_alerts=0), **before)
    shown = cells(behaviour_quality(workspace.lake, 60))
    # 10 of 40 stayed away, of the alerts 3 of 4.
    for figure in ("'40'", "'25%'", "'4'", "'75%'", "'3.0'", str(BUSINESS_DATE), str(before["business_date"])):
        assert figure in shown


def test_nothing_is_shown_before_the_first_back_test(workspace: Workspace) -> None:
    assert behaviour_quality(workspace.lake, 60) == []
    publish_rows(workspace, "behaviour_backtests")
    assert behaviour_quality(workspace.lake, 60) == []
