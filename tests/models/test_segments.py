import numpy as np
import pytest

from models.segments import names_of, plane, segment

GROUPS, MEMBERS = 4, 40


def vectors(seed: int = 0, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Members around the corners of a space, larger groups first, and their true group."""
    true = np.repeat(np.arange(GROUPS), [MEMBERS - 5 * group for group in range(GROUPS)])
    return np.eye(GROUPS)[true] + np.random.default_rng(seed).normal(0, noise, (len(true), GROUPS)), true


def test_groups_are_found_and_the_largest_is_the_first() -> None:
    points, true = vectors()
    found = segment(points, GROUPS)
    assert (found.number == true + 1).all()
    assert found.rand_index is None
    assert found.kept == frozenset()


def test_the_next_night_keeps_the_numbers_whatever_the_order_of_members() -> None:
    points, _ = vectors()
    before = segment(points, GROUPS).number
    order = np.random.default_rng(1).permutation(len(points))
    after = segment(vectors(seed=2)[0][order], GROUPS, before[order])
    assert (after.number == before[order]).all()
    assert after.rand_index == pytest.approx(1.0)
    assert after.kept == {1, 2, 3, 4}


def test_newcomers_join_and_leavers_leave_without_a_new_number() -> None:
    points, _ = vectors()
    before = segment(points, GROUPS).number
    before[::7] = -1
    assert segment(points, GROUPS, before).kept == {1, 2, 3, 4}


def test_a_group_of_other_members_gets_a_new_number() -> None:
    points, true = vectors()
    before = segment(points, GROUPS).number
    # The last group falls apart into the others; half of the first makes a group of its own.
    moved = points.copy()
    moved[true == 3] = points[true == 1][: (true == 3).sum()]
    moved[np.flatnonzero(true == 0)[:20]] += 5.0
    after = segment(moved, GROUPS, before)
    assert after.number.max() == 5
    assert after.rand_index is not None
    assert after.rand_index < 1.0


def test_few_members_make_fewer_groups_and_none_is_an_error() -> None:
    assert set(segment(vectors()[0][:12], GROUPS).number) == {1}
    with pytest.raises(ValueError, match=r"segments\.min_baskets"):
        segment(np.zeros((0, 3)), GROUPS)


def test_names_come_from_what_a_group_has_above_everyone_and_stay() -> None:
    number = np.array([1, 1, 2, 2])
    weights = np.array([[9.0, 1.0, 5.0], [8.0, 2.0, 5.0], [1.0, 9.0, 5.0], [2.0, 8.0, 5.0]])
    labels = ["tea", "milk", "bread"]
    assert names_of(number, weights, labels, {}) == {1: "tea", 2: "milk"}
    assert names_of(number, weights, labels, {2: "early birds"}) == {1: "tea", 2: "early birds"}
    assert names_of(number, weights, labels, {2: "tea"})[1] == "tea (1)"


def test_the_plane_shows_groups_apart_and_is_steady() -> None:
    points, true = vectors()
    points_in_plane = plane(points)
    assert points_in_plane.shape == (len(points), 2)
    assert np.ptp([points_in_plane[true == group].mean(axis=0) for group in range(GROUPS)]) > 0.5
    assert plane(points[::-1])[::-1] == pytest.approx(points_in_plane)
    assert plane(points[:, :1]).shape == (len(points), 2)
