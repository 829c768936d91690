"""The promotion gate: each condition refuses on its own, and says why."""

from datetime import date
from math import nan
from typing import Any

import pytest

from pipeline.evaluation.gate import Rule, refusals
from pipeline.evaluation.scorecard import Scorecard, Window
from pipeline.settings import PromotionSettings

BUSINESS_DATE = date(2026, 3, 1)


def card(candidate: float = 0.3, champion: float | None = 0.3, baseline: float = 0.1) -> Scorecard:
    """A scorecard by recall@10."""
    models = {"candidate": {"recall@10": candidate}, "global_top": {"recall@10": baseline}}
    if champion is not None:
        models["champion"] = {"recall@10": champion}
    return Scorecard(
        source="shop",
        business_date=BUSINESS_DATE,
        run_id="run2",
        window=Window.before(BUSINESS_DATE, 14),
        customers=10,
        champion_version="larder-shop/1" if champion is not None else None,
        vocabulary_hash="v1",
        data_versions={},
        models=models,
    )


def judge(scorecard: Scorecard, **changed: Any) -> list[str]:
    """Refusals of a candidate that is all right but for what is changed."""
    facts: dict[str, Any] = {
        "problems": [],
        "vocabulary_hash": "v1",
        "champion_version": scorecard.champion_version,
        "champion_business_date": BUSINESS_DATE if scorecard.champion_version else None,
        "rule": Rule("recall@10", PromotionSettings()),
    }
    return refusals(scorecard, **facts | changed)


def test_a_candidate_that_meets_every_condition_passes() -> None:
    assert judge(card()) == []


def test_the_first_candidate_needs_no_champion_to_compare_with() -> None:
    assert judge(card(champion=None)) == []


@pytest.mark.parametrize(
    ("scorecard", "changed", "reason"),
    [
        (card(), {"problems": ["weights are not finite"]}, "not finite"),
        (card(), {"vocabulary_hash": "v2"}, "vocabulary v1"),
        (card(candidate=0.1, champion=0.1), {}, "does not exceed"),
        (card(candidate=nan), {}, "does not exceed"),
        (card(candidate=0.3, champion=nan), {}, "falls behind"),
        (card(candidate=0.29, champion=0.3), {}, "falls behind"),
        (card(), {"champion_version": "larder-shop/7"}, "is now larder-shop/7"),
        (card(), {"champion_business_date": date(2026, 3, 2)}, "backfill"),
    ],
)
def test_one_failed_condition_refuses(scorecard: Scorecard, changed: dict[str, Any], reason: str) -> None:
    reasons = judge(scorecard, **changed)
    assert reasons
    assert any(reason in each for each in reasons)


def test_every_failed_condition_is_named() -> None:
    assert len(judge(card(candidate=nan), problems=["a"], vocabulary_hash="v2")) == 4


def test_a_loss_to_the_champion_within_the_tolerance_passes() -> None:
    assert judge(card(candidate=0.296, champion=0.3)) == []


def test_a_baseline_that_was_not_measured_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match=r"promotion\.baseline 'nobody'"):
        judge(card(), rule=Rule("recall@10", PromotionSettings(baseline="nobody")))


@pytest.mark.parametrize(
    ("best", "smaller"), [({"global_top": 0.1, "personal_top": 0.4}, False), ({"mean": 9.0, "median": 0.1}, True)]
)
def test_by_default_the_best_baseline_must_be_beaten(best: dict[str, float], smaller: bool) -> None:
    measured = {"candidate": {"m": 0.3}} | {name: {"m": value} for name, value in best.items()}
    scorecard = card(champion=None).model_copy(update={"models": measured})
    reasons = judge(scorecard, rule=Rule("m", PromotionSettings(), frozenset({"m"} if smaller else ())))
    assert len(reasons) == 1
    assert ("personal_top" if not smaller else "median") in reasons[0]
    weakest = PromotionSettings(baseline="mean" if smaller else "global_top")
    assert judge(scorecard, rule=Rule("m", weakest, frozenset({"m"} if smaller else ()))) == []


@pytest.mark.parametrize(("candidate", "refused"), [(2.0, False), (2.004, False), (2.1, True), (nan, True)])
def test_where_smaller_is_better_a_larger_value_falls_behind(candidate: float, refused: bool) -> None:
    measured = {"candidate": {"m": candidate}, "champion": {"m": 2.0}, "mean": {"m": 3.0}}
    scorecard = card().model_copy(update={"models": measured})
    assert bool(judge(scorecard, rule=Rule("m", PromotionSettings(), frozenset({"m"})))) is refused


@pytest.mark.parametrize(
    ("candidate", "best_other", "refused"),
    [(0.17, "champion", False), (0.181, "champion", True), (nan, "champion", True), (0.155, "kaplan_meier", False)],
)
def test_a_guarded_metric_may_not_fall_behind_the_best_other_model(
    candidate: float, best_other: str, refused: bool
) -> None:
    others = {"champion": 0.17, "kaplan_meier": 0.19} | ({"kaplan_meier": 0.15} if best_other != "champion" else {})
    measured = {name: {"days_brier": value} for name, value in (others | {"candidate": candidate}).items()}
    models = {name: values | measured.get(name, {}) for name, values in card().models.items()} | {
        name: values for name, values in measured.items() if name not in card().models
    }
    rule = Rule("recall@10", PromotionSettings(), frozenset({"days_brier"}))
    reasons = judge(card().model_copy(update={"models": models}), rule=rule)
    assert bool(reasons) is refused
    assert all(f"worse than {best_other}'s" in reason for reason in reasons)


def test_a_guard_that_the_candidate_was_not_measured_by_refuses_nothing() -> None:
    models = card().models | {"kaplan_meier": {"days_brier": 0.1}}
    assert judge(card().model_copy(update={"models": models})) == []
