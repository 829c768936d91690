"""Verdicts propose thresholds: enough of them, the lowest that does, and an interval that says how sure it is."""

from pathlib import Path

import pytest
from scipy.stats import binomtest
from typer.testing import CliRunner

from pipeline.alerts import incidents
from pipeline.alerts.thresholds import MIN_VERDICTS, proposal, propose, wilson
from pipeline.cli import app
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.shop_nights import Nights


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (8, 10), (10, 10), (160, 200)])
def test_the_interval_is_wilsons(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high))


def test_the_lowest_threshold_that_reaches_the_target() -> None:
    verdicts = [(0.4, False)] * 10 + [(0.6, True)] * 2 + [(0.6, False)] * 2 + [(0.9, True)] * 12
    found = proposal("dairy", verdicts, 0.8)
    assert (found.threshold, found.kept_right, found.kept, found.right, found.wrong) == (0.6, 14, 16, 14, 12)
    assert proposal("dairy", verdicts, 0.95).threshold == 0.9


def test_too_few_verdicts_propose_nothing() -> None:
    few = [(0.9, True)] * (MIN_VERDICTS - 1)
    assert not proposal("dairy", few).has_enough
    assert proposal("dairy", few).threshold is None
    assert proposal("dairy", [*few, (0.9, True)]).threshold == 0.9


def test_none_reaches_the_target() -> None:
    found = proposal("dairy", [(0.5, False)] * 20 + [(0.9, True)] * 9)
    assert (found.has_enough, found.threshold) == (True, None)


def judge(nights: Nights, verdicts: dict[str, str]) -> None:
    for found in nights.incidents(is_live=True):
        nights.act(incidents.close, found, verdict=verdicts[found.subject_id])


def test_verdicts_count_by_category_and_known_does_not(nights: Nights) -> None:
    products = {"p1": "right", "p2": "wrong", "p3": "known"}
    nights.publish(1, *(stockout(product_id=name, category="dairy") for name in products), anomalies=[anomaly()])
    judge(nights, products | {"c1": "wrong"})
    (dairy,) = propose(nights.settings, kind="stockout", source="shop")
    assert (dairy.category, dairy.right, dairy.wrong) == ("dairy", 1, 1)
    (customers,) = propose(nights.settings, kind="anomaly", source="shop")
    assert (customers.category, customers.right, customers.wrong) == ("customer", 0, 1)


def test_the_command_proposes_and_changes_nothing(nights: Nights, tmp_path: Path) -> None:
    nights.publish(1, *(stockout(product_id=f"p{n}", probability=0.4 if n < 8 else 0.9) for n in range(24)))
    judge(nights, {f"p{n}": "wrong" if n < 8 else "right" for n in range(24)})
    before = nights.settings.demand.min_probability
    output = CliRunner().invoke(app, ["alerts", "thresholds", "--kind", "stockout"]).output
    assert "0.900" in output
    assert "16 of 16" in output
    assert "81 to 100 %" in output
    assert f"{before:g}" in output
    empty = CliRunner().invoke(app, ["alerts", "thresholds", "--kind", "anomaly"]).output
    assert "no verdicts" in empty
