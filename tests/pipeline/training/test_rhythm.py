"""The rhythm head trained alone: what it learns from gaps that ended and gaps that did not."""

import numpy as np
import pytest
from keras import ops

from models.fields import N_RHYTHM_FEATURES, RHYTHM_FEATURES
from models.heads.time_to_next import HazardHead
from pipeline.settings import TrainingSettings
from pipeline.training.rhythm import RhythmExamples, train_rhythm

SHORT, LONG = 3, 15


def head(seed: int = 0) -> HazardHead:
    made = HazardHead(2, rhythm_units=8, seed=seed)
    made.build()
    return made


def settings(**changed: object) -> TrainingSettings:
    return TrainingSettings(batch_size=32, learning_rate=0.01).model_copy(update=changed)


def two_kinds(n: int = 800, longest: float = np.inf) -> RhythmExamples:
    """Of customers whose gap before was short the next one is too, and as seen for at most `longest` days."""
    random = np.random.default_rng(0)
    is_short = random.random(n) < 0.5
    gaps = np.where(is_short, SHORT, LONG) + random.integers(0, 3, n)
    rhythm = random.random((n, N_RHYTHM_FEATURES)).astype(np.float32)
    rhythm[:, RHYTHM_FEATURES.index("log_gap_1")] = np.where(is_short, 1.0, 3.0)
    seen = np.minimum(gaps, longest).astype(np.float32)
    return RhythmExamples(rhythm, seen, (gaps <= longest).astype(np.float32))


def medians(made: HazardHead, examples: RhythmExamples) -> np.ndarray:
    n = len(examples.rhythm)
    log_odds = made(np.zeros((n, 2), np.float32), {"rhythm": examples.rhythm})
    return np.asarray(ops.convert_to_numpy(made.median(log_odds, np.zeros(n, np.float32))))


@pytest.mark.parametrize("is_trained_further", [True, False])
def test_days_follow_from_the_gaps_before(is_trained_further: bool) -> None:
    made, examples = head(), two_kinds()
    made.trainable = is_trained_further
    train_rhythm(made, examples, settings())
    days, is_short = medians(made, examples), examples.rhythm[:, RHYTHM_FEATURES.index("log_gap_1")] < 2
    assert np.all(np.abs(days[is_short] - SHORT - 1) < 1.5)
    assert np.all(np.abs(days[~is_short] - LONG - 1) < 1.5)


def test_gaps_that_have_not_ended_count_as_that_long_at_least() -> None:
    """All that is seen for ten days: half of the gaps end by then, of the others nothing but a lower bound is known."""
    made, examples = head(), two_kinds(longest=10.0)
    train_rhythm(made, examples, settings())
    is_short = examples.rhythm[:, RHYTHM_FEATURES.index("log_gap_1")] < 2
    assert not examples.is_observed[~is_short].any()
    assert medians(made, examples)[~is_short].min() > 10.0


def test_the_rest_of_the_head_stays_as_it_starts() -> None:
    made, untouched = head(), head()
    train_rhythm(made, two_kinds(), settings())
    for ours, theirs in zip(made.log_odds.get_weights(), untouched.log_odds.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_trained_again_it_ends_with_the_same_weights() -> None:
    first, again = head(), head()
    for made in (first, again):
        train_rhythm(made, two_kinds(), settings())
    for ours, theirs in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("rhythm_steps", "steps"), [(10_000, 8 * 25), (7, 7), (200, 200)])
def test_it_takes_eight_passes_or_as_many_steps_as_allowed(rhythm_steps: int, steps: int) -> None:
    assert train_rhythm(head(), two_kinds(), settings(rhythm_steps=rhythm_steps)) == steps


def test_one_example_is_enough_to_train() -> None:
    made, one = head(), RhythmExamples(*(array[:1] for array in two_kinds()))
    train_rhythm(made, one, settings())
    assert np.isfinite(medians(made, one)).all()
