"""The back-test of predicted baskets as Model quality shows it."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.page.basket_quality import BasketFigures, basket_quality, by_night, read_basket_nights
from pipeline.workspace import Workspace
from tests.backtest_factories import basket_backtest
from tests.factories import BUSINESS_DATE
from tests.published_tables import publish_rows


def cells(parts: list[Any]) -> str:
    return str([part.to_plotly_json() for part in parts])


def test_figures_are_quotients_of_sums(workspace: Workspace) -> None:
    older = basket_backtest(as_of=BUSINESS_DATE - timedelta(days=14), predicted=10, recall_10=2.0, hits=2)
    replay = basket_backtest(origin="replay", recall_10=4.0)
    publish_rows(workspace, "basket_backtests", basket_backtest(), older, replay)
    (night,) = read_basket_nights(workspace.lake, 60)
    figures = BasketFigures.of(night.drawn)
    assert figures.per("recall_10") == pytest.approx(3 / 8)
    assert figures.per("hits", "named") == pytest.approx(6 / 16)
    assert figures.calibration_error == pytest.approx((abs(2.4 - 2) + abs(4.8 - 6)) / 16)
    assert list(by_night([night]).data[0].y) == pytest.approx([0.375])
    shown = cells(basket_quality([night]))
    for text in ("'Published'", "'Replayed'", "'0.375'", "'1.000'", "'60%'", "'7'", "'14'"):
        assert text in shown, text


def test_before_anything_published_can_be_judged_the_replay_is_drawn(workspace: Workspace) -> None:
    waiting = basket_backtest(as_of=BUSINESS_DATE - timedelta(days=1), came=0)
    publish_rows(workspace, "basket_backtests", waiting, basket_backtest(origin="replay", recall_10=4.0))
    (night,) = read_basket_nights(workspace.lake, 60)
    assert list(by_night([night]).data[0].y) == pytest.approx([1.0])


def test_nothing_is_shown_before_the_first_back_test(workspace: Workspace) -> None:
    assert basket_quality(read_basket_nights(workspace.lake, 60)) == []
    publish_rows(workspace, "basket_backtests")
    assert basket_quality(read_basket_nights(workspace.lake, 60)) == []
