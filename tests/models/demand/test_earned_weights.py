import numpy as np

from models.demand.earned_weights import Earned, blended, earned_weights

WINDOWS = 4


def drawn(noise: float) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Units of 200 products of two groups; the other's forecast is right for group 0 and noise for group 1."""
    random = np.random.default_rng(0)
    groups = [np.repeat([0, 1], 100)] * WINDOWS
    units = [random.poisson(20.0, (200, 7)).astype(float) for _ in range(WINDOWS)]
    store = [sold + random.normal(0.0, noise, (200, 1)) for sold in units]
    other = [np.where(groups[0][:, None] == 0, sold, 0.0) for sold in units]
    return store, other, units, groups


def test_a_group_gets_the_weight_that_its_weeks_prove() -> None:
    found = earned_weights(*drawn(noise=5.0))
    assert found[0] == Earned(best=1.0, weight=1.0)
    assert found[1].weight == 0.0


def test_what_is_no_better_for_sure_gets_nothing() -> None:
    store, _, units, groups = drawn(noise=5.0)
    alike = [each + np.random.default_rng(1).normal(0.0, 1e-3, each.shape) for each in store]
    assert all(found.weight == 0.0 for found in earned_weights(store, alike, units, groups).values())


def test_weights_are_by_product_or_one_for_all() -> None:
    store, other = np.zeros((2, 3)), np.full((2, 3), 10.0)
    assert blended(store, other, 0.2).tolist() == [[2.0] * 3] * 2
    assert blended(store, other, np.array([0.0, 1.0])).tolist() == [[0.0] * 3, [10.0] * 3]
