"""Scores: right alerts count as right, missing and wrong ones lower what they should."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.simulator.score import CHANGED_DAYS, SHOWN_DAYS, ScoreError, score_changes, score_stockouts
from tests.pipeline.simulator.conftest import SMALL, SimulatedShop


@pytest.fixture
def short(shop: SimulatedShop) -> set[tuple[str, str]]:
    """Cells that are short within a week."""
    truth = shop.table("truth/stockouts.csv")
    week = truth[(truth["period"] == "horizon") & (truth["day"] < SMALL.business_date + timedelta(days=7))]
    return set(zip(week["store_id"], week["product_id"], strict=True))


@pytest.fixture
def changed(shop: SimulatedShop) -> set[str]:
    """Customers whose change showed lately."""
    return shown(shop, "changes", SHOWN_DAYS) | shown(shop, "leavers", SHOWN_DAYS)


def shown(shop: SimulatedShop, kind: str, days: int) -> set[str]:
    truth = shop.table(f"truth/{kind}.csv").dropna(subset="shown_on")
    age = (SMALL.business_date - truth["shown_on"]).map(lambda each: each.days)
    return set(truth[(age > 0) & (age <= days)]["customer_id"])


def test_the_truth_itself_scores_one(shop: SimulatedShop, short: set, changed: set) -> None:
    scores = score_stockouts(shop.folder, short, 7) + score_changes(shop.folder, changed)
    assert all(score.recall == 1.0 for score in scores if score.true)
    assert [score.precision for score in scores if score.alerts is not None] == [1.0, 1.0]


def test_wrong_alerts_lower_precision_alone(shop: SimulatedShop, short: set) -> None:
    wrong = {("S999", str(number)) for number in range(len(short))}
    every, planted = score_stockouts(shop.folder, short | wrong, 7)
    assert (every.recall, every.precision, planted.recall) == (1.0, 0.5, 1.0)


def test_an_alert_of_an_earlier_change_is_right_but_not_what_is_looked_for(shop: SimulatedShop, changed: set) -> None:
    earlier = (shown(shop, "changes", CHANGED_DAYS) | shown(shop, "leavers", CHANGED_DAYS)) - changed
    assert earlier
    total = score_changes(shop.folder, earlier)[0]
    assert (total.recall, total.precision) == (0.0, 1.0)


def test_who_leaves_is_missed_when_three_usual_gaps_have_passed(shop: SimulatedShop) -> None:
    left = shop.table("truth/leavers.csv").dropna(subset="shown_on")
    assert (left["shown_on"] > left["last_visit_on"]).all()


def test_no_alert_has_no_precision(shop: SimulatedShop) -> None:
    score = score_stockouts(shop.folder, [], 7)[0]
    assert (score.recall, score.precision) == (0.0, None)


def test_a_longer_horizon_holds_no_fewer_stockouts(shop: SimulatedShop) -> None:
    counts = [score_stockouts(shop.folder, [], days)[0].true for days in range(1, 15)]
    assert counts == sorted(counts)


def test_a_horizon_beyond_the_truth_is_refused(shop: SimulatedShop) -> None:
    with pytest.raises(ScoreError, match="14 days ahead"):
        score_stockouts(shop.folder, [], 15)


def test_a_folder_without_a_shop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match="larder simulate --out"):
        score_changes(tmp_path, [])
