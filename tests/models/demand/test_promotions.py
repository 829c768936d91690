"""What promotions do, learned from earlier ones."""

import numpy as np
import pytest

from models.demand.promotions import LARGEST, uplift

DAYS = 112


def shop(factor: float, products: int = 40, mean: float = 6.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Poisson sales with a promotion of a week for each product, and which days those are."""
    rng = np.random.default_rng(seed)
    promoted = np.zeros((products, DAYS), dtype=bool)
    for product, first in enumerate(rng.integers(0, DAYS - 7, products)):
        promoted[product, first : first + 7] = True
    return rng.poisson(mean * np.where(promoted, factor, 1.0)).astype(float), promoted


def learned(purchases: np.ndarray, promoted: np.ndarray, kinds: np.ndarray | None = None) -> np.ndarray:
    known = np.ones(purchases.shape, dtype=bool)
    return uplift(purchases, known, promoted, np.zeros(len(purchases), np.int64) if kinds is None else kinds)


@pytest.mark.parametrize("factor", [1.0, 1.7, 3.0, 5.0])
def test_the_factor_is_found_again(factor: float) -> None:
    assert learned(*shop(factor)).mean() == pytest.approx(factor, rel=0.08)


def test_a_busy_week_of_the_whole_store_is_no_promotion() -> None:
    purchases, promoted = shop(1.0)
    promoted[:] = False
    purchases[:, 50:57] *= 3.0
    promoted[:5, 50:57] = True
    assert learned(purchases, promoted)[:5] == pytest.approx(np.ones(5), abs=0.3)


def test_a_product_never_promoted_gets_what_its_kind_shows() -> None:
    one, of_one = shop(4.0, 20)
    two, of_two = shop(1.5, 20, seed=1)
    of_one[0] = of_two[0] = False
    kinds = np.repeat([0, 1], 20)
    found = learned(np.concatenate([one, two]), np.concatenate([of_one, of_two]), kinds)
    assert found[0] == pytest.approx(4.0, rel=0.15)
    assert found[20] == pytest.approx(1.5, rel=0.15)


def test_without_any_promotion_nothing_is_raised() -> None:
    purchases, promoted = shop(3.0)
    assert (learned(purchases, np.zeros_like(promoted)) == 1.0).all()


def test_what_was_always_promoted_teaches_nothing_and_no_factor_is_absurd() -> None:
    purchases, promoted = shop(2.0)
    promoted[0] = True
    purchases[1, promoted[1]] = 5000.0
    found = learned(purchases, promoted)
    assert found.max() <= LARGEST
    assert (found >= 1.0).all()
