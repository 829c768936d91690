"""Days until the next basket: probabilities that are ones, and gaps that have not ended."""

import keras
import numpy as np
import pytest
from keras import ops

from models.heads.time_to_next import HazardHead, RegressionHead, time_head

DAYS = np.arange(-1.0, 400.0, dtype=np.float32)


def random_log_odds(funnels: int = 6, scale: float = 2.0) -> np.ndarray:
    head = HazardHead(3)
    n = int(head(np.zeros((1, 3), np.float32)).shape[1])
    return np.random.default_rng(0).normal(-2.0, scale, (funnels, n)).astype(np.float32)


def survival(log_odds: np.ndarray, days: np.ndarray) -> np.ndarray:
    wide = np.broadcast_to(days, (len(log_odds), len(days))).astype(np.float32)
    return np.exp(ops.convert_to_numpy(HazardHead(3).log_survival(log_odds, wide)))


def losses(log_odds: np.ndarray, days: float, observed: float) -> np.ndarray:
    ones = np.ones(len(log_odds), np.float32)
    return ops.convert_to_numpy(HazardHead(3).loss(log_odds, days * ones, observed * ones))


def test_probabilities_of_all_days_sum_to_at_most_one() -> None:
    still_out = survival(random_log_odds(), DAYS)
    assert np.all(still_out[:, 0] == 1.0)
    probabilities = -np.diff(still_out, axis=1)
    assert np.all(probabilities >= -1e-6)
    assert np.all(probabilities.sum(axis=1) <= 1.0 + 1e-6)


@pytest.mark.parametrize("day", [0, 1, 13, 28])
def test_the_loss_of_an_ended_gap_is_that_of_its_day(day: int) -> None:
    log_odds = random_log_odds()
    of_day = survival(log_odds, np.array([day - 1.0])) - survival(log_odds, np.array([float(day)]))
    np.testing.assert_allclose(losses(log_odds, day, 1.0), -np.log(of_day[:, 0]), rtol=1e-3, atol=1e-4)


def test_the_loss_of_a_gap_within_a_week_is_that_of_the_week() -> None:
    log_odds = random_log_odds()
    of_week = survival(log_odds, np.array([28.0])) - survival(log_odds, np.array([35.0]))
    for day in (29, 32, 35):
        np.testing.assert_allclose(losses(log_odds, day, 1.0), -np.log(of_week[:, 0]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("day", [1, 14, 29])
def test_a_gap_that_has_not_ended_may_end_on_the_day_it_is_asked_for(day: int) -> None:
    log_odds = random_log_odds()
    lasted = survival(log_odds, np.array([day - 1.0]))[:, 0]
    np.testing.assert_allclose(losses(log_odds, day, 0.0), -np.log(lasted), rtol=1e-3, atol=1e-4)


def test_half_have_come_by_the_median() -> None:
    log_odds = random_log_odds()
    elapsed = np.array([0.0, 1.0, 7.0, 30.0, 90.0, 200.0], np.float32)
    median = ops.convert_to_numpy(HazardHead(3).median(log_odds, elapsed))
    for row, (days, waited) in enumerate(zip(median, elapsed, strict=True)):
        # A day ends half a day after what stands for it.
        left = survival(log_odds[row : row + 1], np.array([days - 0.5, waited - 1.0]))[0]
        assert left[0] / left[1] == pytest.approx(0.5, abs=0.01) or days == waited


def test_the_median_gap_waits_longer_the_longer_nothing_came() -> None:
    elapsed = np.array([0.0, 1.0, 7.0, 30.0, 90.0, 300.0], np.float32)
    same = np.tile(random_log_odds(1, scale=0.1), (len(elapsed), 1))
    days = ops.convert_to_numpy(HazardHead(3).median(same, elapsed))
    assert np.all(np.diff(days) > 0)
    assert np.all(days > elapsed)


def test_gaps_that_have_not_ended_are_not_forgotten() -> None:
    """Gaps of 20 days in the mean, seen for 20 days at most: those that ended are half as long."""
    random = np.random.default_rng(0)
    gaps, limit = random.geometric(0.05, 4000), random.integers(1, 21, 4000)
    observed = (gaps < limit).astype(np.float32)
    days = np.minimum(gaps, limit).astype(np.float32)
    found = {}
    for kind in ("hazard", "mse"):
        head = time_head(kind, 1, seed=0)
        head.build()
        optimizer = keras.optimizers.Adam(0.05)
        import tensorflow as tf

        state = tf.zeros((len(days), 1))
        for _ in range(150):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(head.loss(head(state), days, observed))
            gradients = tape.gradient(loss, head.trainable_variables)
            optimizer.apply(gradients, head.trainable_variables)
        found[kind] = float(head.median(head(state[:1]), np.zeros(1, np.float32))[0])
    assert found["mse"] < 8
    assert 12 < found["hazard"] < 16  # the median is 13.5


@pytest.mark.parametrize("error", ["mse", "mae"])
def test_regression_learns_from_ended_gaps_alone(error: str) -> None:
    head = RegressionHead(3, error)
    weeks, days = np.array([[1.0], [1.0]], np.float32), np.array([21.0, 21.0], np.float32)
    loss = ops.convert_to_numpy(head.loss(weeks, days, np.array([1.0, 0.0], np.float32)))
    assert loss.tolist() == [4.0 if error == "mse" else 2.0, 0.0]
    assert ops.convert_to_numpy(head.median(weeks, np.array([0.0, 30.0], np.float32))).tolist() == [7.0, 30.0]


def test_an_unknown_head_is_named() -> None:
    with pytest.raises(ValueError, match="'weibull'; known: hazard, mse, mae"):
        time_head("weibull", 3, seed=0)
