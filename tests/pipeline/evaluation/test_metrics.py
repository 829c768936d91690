"""Ranking metrics against examples worked by hand, and what must hold for every ranking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.metrics import CUTOFFS, METRICS, gap_error_days, ranking_metrics

WIDTH = max(CUTOFFS)


def ranking(*products: int) -> np.ndarray:
    """One customer's ranking, padded to the largest cutoff."""
    return np.array([[*products, *[0] * (WIDTH - len(products))]])


def measure(ranked: np.ndarray, *bought: int, size: int | None = None) -> dict[str, float]:
    """Metrics of one customer who bought `bought`, and `size - len(bought)` unknown products."""
    return ranking_metrics(ranked, np.array([bought]), np.array([size or len(bought)]))


def test_two_of_four_products_found_among_the_first_five() -> None:
    metrics = measure(ranking(10, 11, 12, 13, 14), 11, 14, 20, 21)
    assert metrics["recall@5"] == pytest.approx(2 / 4)
    assert metrics["precision@5"] == pytest.approx(2 / 5)
    assert metrics["f1@5"] == pytest.approx(2 * 0.5 * 0.4 / 0.9)
    assert metrics["hit_ratio@5"] == 1.0
    # Gains at positions 2 and 5: 1/log2(3) + 1/log2(6); best: positions 1 to 4.
    assert metrics["ndcg@5"] == pytest.approx((0.63093 + 0.38685) / (1 + 0.63093 + 0.5 + 0.43068), rel=1e-4)


def test_nothing_found_is_zero_everywhere() -> None:
    assert set(measure(ranking(10, 11), 20).values()) == {0.0}


def test_unknown_products_count_as_bought_and_never_as_hit() -> None:
    ranked = ranking(1, 10)
    assert measure(ranked, 1, 10, size=4)["recall@5"] == pytest.approx(1 / 4)


def test_every_customer_counts_once_whatever_the_size_of_the_basket() -> None:
    ranked = np.concatenate([ranking(10), ranking(10)])
    truth = np.array([[10, 0, 0, 0], [20, 21, 22, 23]])
    assert ranking_metrics(ranked, truth, np.array([1, 4]))["recall@1"] == pytest.approx(0.5)


def test_too_short_a_ranking_is_an_error() -> None:
    with pytest.raises(ValueError, match="largest cutoff"):
        ranking_metrics(np.zeros((1, 3), int), np.array([[4]]), np.array([1]))


def test_gap_error_is_the_mean_of_absolute_days() -> None:
    assert gap_error_days(np.array([1.0, 9.0]), np.array([3.0, 5.0])) == pytest.approx(3.0)


@st.composite
def customers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rankings without repeats, true baskets, their sizes."""
    n = draw(st.integers(1, 6))
    products = st.lists(st.integers(3, 40), min_size=1, max_size=30, unique=True)
    rankings, baskets = (draw(st.lists(products, min_size=n, max_size=n)) for _ in range(2))
    ranked = np.concatenate([ranking(*row[:WIDTH]) for row in rankings])
    truth = np.array([[*row, *[0] * (30 - len(row))] for row in baskets])
    return ranked, truth, np.array([len(row) for row in baskets])


@given(customers())
def test_metrics_lie_between_zero_and_one_and_grow_with_the_cutoff(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    metrics = ranking_metrics(*case)
    assert set(metrics) == {f"{name}@{cutoff}" for name in METRICS for cutoff in CUTOFFS}
    assert all(0.0 <= value <= 1.0 + 1e-12 for value in metrics.values())
    for growing in ("recall", "hit_ratio"):
        values = [metrics[f"{growing}@{cutoff}"] for cutoff in CUTOFFS]
        assert values == sorted(values)


@given(customers(), st.randoms(use_true_random=False))
def test_order_within_the_true_basket_does_not_matter(
    case: tuple[np.ndarray, np.ndarray, np.ndarray], random: "np.random.Generator"
) -> None:
    ranked, truth, sizes = case
    columns = list(range(truth.shape[1]))
    random.shuffle(columns)
    assert ranking_metrics(ranked, truth, sizes) == ranking_metrics(ranked, truth[:, columns], sizes)


@given(customers())
def test_recommending_the_basket_itself_is_perfect(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, truth, sizes = case
    metrics = ranking_metrics(truth[:, :WIDTH], truth, sizes)
    assert all(metrics[f"ndcg@{cutoff}"] == pytest.approx(1.0) for cutoff in CUTOFFS)
    assert metrics["hit_ratio@1"] == 1.0
