"""Days until the next basket as a benchmark: the protocol knows no future, and its scores are what they say."""

import numpy as np
import pytest

from models.basket_sequences import BasketSequences
from models.ragged import offsets_of
from pipeline.benchmarks.report.calibration import expected_calibration_error, reliability
from pipeline.benchmarks.time_to_next.gaps import FIRST_TEST, LAST_TEST, Gaps, gaps_of, train_validation_test
from pipeline.benchmarks.time_to_next.methods import METHODS, gap_method
from pipeline.benchmarks.time_to_next.metrics import gap_scores
from pipeline.benchmarks.time_to_next.predictions import DAYS, GapPrediction, median_within_horizon

N_DAYS, START = 120, 11_000


def shoppers(n: int = 300, seed: int = 0) -> BasketSequences:
    """Customers who come every two to thirty days, each at a pace of their own, with one or two products."""
    random = np.random.default_rng(seed)
    days = []
    for _ in range(n):
        pace = random.uniform(2, 30)
        gaps = np.maximum(random.exponential(pace, 80).round(), 1).astype(int)
        came = np.r_[0, random.integers(0, 20) + np.cumsum(gaps)]
        days.append(np.unique(came[came < N_DAYS]))
    sizes = random.integers(1, 3, sum(map(len, days)))
    return BasketSequences(
        customers=np.arange(n),
        basket_offsets=offsets_of(np.array([len(each) for each in days])),
        product_offsets=offsets_of(sizes),
        product_ids=random.integers(3, 30, sizes.sum()).astype(np.int32),
        n_products=30,
        sold_on=(START + np.concatenate(days)).astype(np.int32),
        quantities=np.ones(sizes.sum(), np.float32),
    )


def one_customer(days: list[int]) -> BasketSequences:
    n = len(days)
    return BasketSequences(
        customers=np.zeros(1, np.int64),
        basket_offsets=np.array([0, n]),
        product_offsets=np.arange(n + 1),
        product_ids=np.full(n, 3, np.int32),
        n_products=4,
        sold_on=np.array(days, np.int32),
    )


def test_a_gap_ends_with_the_next_basket_or_lasts_until_the_data_end() -> None:
    gaps = gaps_of(one_customer([0, 4, 9, 30]), first=3, last=20, known_before=25)
    assert gaps.days.tolist() == [5.0, 16.0]
    assert gaps.observed.tolist() == [True, False]
    assert gaps.begun_on.tolist() == [4, 9]


def test_later_baskets_change_neither_training_nor_validation() -> None:
    sequences = shoppers()
    assert sequences.sold_on is not None
    moved = sequences.sold_on.copy()
    moved[moved >= START + FIRST_TEST] = START + N_DAYS - 1
    other = BasketSequences(**{**sequences.__dict__, "sold_on": moved})
    for ours, theirs in zip(train_validation_test(sequences)[:2], train_validation_test(other)[:2], strict=True):
        assert ours.days.tolist() == theirs.days.tolist()
        assert ours.observed.tolist() == theirs.observed.tolist()
        assert ours.histories.sold_on.max() < START + FIRST_TEST


def test_all_gaps_of_the_window_are_tested_and_no_customer_is_in_both_training_and_validation() -> None:
    sequences = shoppers()
    assert sequences.sold_on is not None
    train, validation, test = train_validation_test(sequences)
    days = sequences.sold_on - START
    assert len(test) == ((days >= FIRST_TEST) & (days <= LAST_TEST)).sum()
    ids = [set(gaps.histories.ids[gaps.funnels]) for gaps in (train, validation)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("model", METHODS)
def test_a_forecast_reads_the_past_alone(model: str) -> None:
    sequences = shoppers()
    train, validation, test = train_validation_test(sequences)
    method = gap_method(model, 0)
    method.fit(train, validation)
    predicted = method.predict(test)
    # The same gaps, asked for before anything after them has happened.
    day = int(test.begun_on[0])
    rows = np.flatnonzero(test.begun_on == day)
    unknown = gaps_of(sequences, first=day, last=day, known_before=day + 1)
    again = method.predict(unknown)
    assert len(unknown) == len(rows) > 0
    np.testing.assert_allclose(predicted.days[rows], again.days)
    if again.survival is not None:
        assert np.all(np.diff(again.survival, axis=1) <= 1e-12)


def test_own_gaps_beat_everyones_where_everyone_has_a_pace() -> None:
    scores = {}
    for model in ("global-median", "shrunk-median", "kaplan-meier", "cox", "boosted-hazard"):
        train, validation, test = train_validation_test(shoppers())
        method = gap_method(model, 0)
        method.fit(train, validation)
        scores[model] = gap_scores(method.predict(test), test)
    assert scores["global-median"]["concordance"] == 0.5
    for model in ("cox", "boosted-hazard"):
        assert scores[model]["concordance"] > 0.6
        assert scores[model]["ibs"] < scores["kaplan-meier"]["ibs"]
    assert scores["shrunk-median"]["mae_days"] < scores["global-median"]["mae_days"]


def test_scores_of_a_known_case() -> None:
    gaps = gaps_of(one_customer([0, 2, 10]), first=0, last=10, known_before=50)  # 2 and 8 days, then 40 without
    sure = np.ones((3, len(DAYS)))
    sure[0, 1:], sure[1, 7:] = 0.0, 0.0
    scores = gap_scores(GapPrediction(np.array([2.0, 8.0, 30.0]), sure), gaps)
    assert scores == {"mae_days": 0.0, "concordance": 1.0, "ibs": 0.0, "ece_week": 0.0}
    wrong = gap_scores(GapPrediction(np.array([8.0, 2.0, 1.0])), gaps)
    assert wrong == {"mae_days": 6.0, "concordance": 0.0}


def test_the_median_is_that_of_gaps_that_end_within_the_horizon() -> None:
    survival = np.linspace(1.0, 0.5, len(DAYS) + 1)[None, 1:]  # half never come; the others evenly on 28 days
    assert median_within_horizon(survival)[0] == pytest.approx(14.5)


def test_calibration_compares_probabilities_with_shares() -> None:
    bins = reliability(np.repeat([0.25, 0.75], [800, 200]), np.r_[np.arange(800) % 4 == 0, np.zeros(200, bool)])
    assert [each["n"] for each in bins] == [100] * 10
    assert [each["observed"] for each in bins] == [0.25] * 8 + [0.0] * 2
    assert expected_calibration_error(bins) == pytest.approx(0.2 * 0.75)


def test_data_that_are_too_short_are_refused() -> None:
    with pytest.raises(ValueError, match="11 days of baskets"):
        train_validation_test(one_customer([0, 10]))


def test_gaps_can_be_taken() -> None:
    gaps: Gaps = train_validation_test(shoppers())[2]
    assert gaps.take(np.array([5, 2])).days.tolist() == [gaps.days[5], gaps.days[2]]
