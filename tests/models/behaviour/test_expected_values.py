import numpy as np
import pytest

from models.behaviour.expected_values import residuals


def series(funnels: int = 300, values: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values around a level of each funnel's own; the last one of each is to be judged."""
    random = np.random.default_rng(seed)
    level = random.normal(3.0, 1.0, funnels)
    found = level[:, None] + random.normal(0.0, 0.5, (funnels, values))
    recent = np.zeros((funnels, values), dtype=bool)
    recent[:, -1] = True
    return found.ravel(), np.repeat(np.arange(funnels), values), recent.ravel()


def test_what_is_left_of_judged_values_scatters_as_that_of_the_history() -> None:
    values, funnel, recent = series()
    left = residuals(values, funnel, recent, 300)
    assert left.residual[recent].std() == pytest.approx(left.residual[left.usable].std(), rel=0.1)
    assert left.residual[recent].mean() == pytest.approx(0.0, abs=0.1)


def test_a_value_that_is_judged_changes_no_expectation() -> None:
    values, funnel, recent = series()
    left = residuals(values, funnel, recent, 300)
    changed = residuals(np.where(recent, 99.0, values), funnel, recent, 300)
    assert changed.mean == pytest.approx(left.mean)
    assert changed.residual[~recent] == pytest.approx(left.residual[~recent])


def test_a_history_value_is_left_out_of_its_own_expectation() -> None:
    values, funnel, recent = series()
    first = np.flatnonzero(funnel == 5)[0]
    raised = values.copy()
    raised[first] += 0.5
    before, after = residuals(values, funnel, recent, 300), residuals(raised, funnel, recent, 300)
    others = np.flatnonzero(funnel == 5)[1:]
    # The others' expectation follows it; its own moves only as far as all funnels' fit does.
    assert abs(after.mean[first] - before.mean[first]) < 0.1 * (after.mean[others] - before.mean[others]).min()


def test_short_histories_are_drawn_towards_everyone() -> None:
    random = np.random.default_rng(1)
    values, funnel, recent = series()
    values = np.concatenate([values, random.normal(9.0, 0.5, 3)])
    funnel, recent = np.append(funnel, [300] * 3), np.append(recent, [False, False, True])
    assert residuals(values, funnel, recent, 301).mean[-1] < 9.0


def test_too_little_to_learn_from_leaves_nothing() -> None:
    left = residuals(np.array([1.0, 2.0, 9.0]), np.zeros(3, int), np.array([False, False, True]), 1)
    assert left.residual.tolist() == [0.0, 0.0, 0.0]
