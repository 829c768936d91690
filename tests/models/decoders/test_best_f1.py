"""The basket of the largest expected F1: worked by hand, and no worse than what a simulation of baskets finds."""

import numpy as np
import pytest
from keras import ops

from models.decoders.best_f1 import best_f1_basket


def lengths(probabilities: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Products taken of a ranking 1, 2, 3, ...; they are its first."""
    ranked = np.broadcast_to(np.arange(1, probabilities.shape[1] + 1, dtype=np.int32), probabilities.shape)
    found = ops.convert_to_numpy(
        best_f1_basket(*(ops.convert_to_tensor(each) for each in (ranked, probabilities.astype("float32"), size)))
    )
    n: np.ndarray = (found > 0).sum(axis=1)
    np.testing.assert_array_equal(found, np.where(np.arange(found.shape[1]) < n[:, None], ranked, 0))
    return n


def test_worked_by_hand() -> None:
    # 2 x .5 / (1 + 2) = .333, 2 x .9 / (2 + 2) = .45, 2 x 1.0 / (3 + 2) = .4; of a basket of ten also the third helps:
    # 2 x .9 / (2 + 10) = .15, 2 x 1.0 / (3 + 10) = .154.
    chances = np.array([[0.5, 0.4, 0.1]])
    assert lengths(chances, np.array([2.0], np.float32)).tolist() == [2]
    assert lengths(chances, np.array([10.0], np.float32)).tolist() == [3]


def test_at_least_one_product_however_improbable() -> None:
    assert lengths(np.array([[1e-6, 1e-7], [0.0, 0.0]]), np.array([1.0, 5.0], np.float32)).tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_hardly_worse_than_the_best_length_of_simulated_baskets(seed: int) -> None:
    random = np.random.default_rng(seed)
    chances = np.sort(random.beta(0.4, 2.0, (8, 15)), axis=1)[:, ::-1]
    bought = random.random((20_000, *chances.shape)) < chances
    sizes = bought.sum(axis=2, keepdims=True)
    f1 = (2.0 * bought.cumsum(axis=2) / (sizes + np.arange(1, 16))).mean(axis=0)
    taken = lengths(chances, chances.sum(axis=1).astype(np.float32))
    assert np.all(f1[np.arange(8), taken - 1] > 0.95 * f1.max(axis=1))
    assert np.ptp(taken) > 0
