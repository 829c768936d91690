"""The best of what is in store for each customer: the largest intents, whatever the blocks and the order of rows."""

from datetime import date

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.rank_styles import InStore, rank_rows

DAY = date(2026, 3, 1)


def styles(factors: np.ndarray, own: list[list[tuple[str, float]]]) -> pa.RecordBatch:
    kinds = pa.list_(pa.struct([("product_id", pa.string()), ("score", pa.float32())]))
    n = len(factors)
    return pa.RecordBatch.from_pydict(
        {
            "customer_id": pa.array([f"c{row}" for row in range(n)]),
            "factors": pa.array(factors.tolist(), pa.list_(pa.float32())),
            "own": pa.array([[{"product_id": item, "score": score} for item, score in of] for of in own], kinds),
            "is_cold": pa.array([False] * n),
            "fallback": pa.nulls(n, pa.string()),
            "model_version": pa.array(["m/1"] * n),
            "business_date": pa.array([DAY] * n),
        }
    )


@settings(max_examples=30)
@given(st.integers(1, 8), st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**16))
def test_the_best_are_those_with_the_largest_intents(customers: int, articles: int, best: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    of_customers = random.normal(size=(customers, 4)).astype(np.float32)
    of_articles = random.normal(size=(articles, 4)).astype(np.float32)
    names = [f"a{row:02d}" for row in range(articles)]
    own = [[(names[row % articles], 2.0), ("gone", 9.0)] for row in range(customers)]
    store = InStore(pa.array(names), of_articles, random.random(articles) < 0.5)
    found = rank_rows(styles(of_customers, own), store, best).to_pylist()
    intents = of_customers @ of_articles.T
    for row in range(customers):
        intents[row, row % articles] += 2.0
        mine = [each for each in found if each["customer_id"] == f"c{row}"]
        assert [each["style_rank"] for each in mine] == list(range(1, min(best, articles) + 1))
        expected = np.sort(intents[row])[::-1][: len(mine)]
        np.testing.assert_allclose([each["intent"] for each in mine], expected, rtol=1e-4, atol=1e-5)
        assert all(
            np.isclose(intents[row, names.index(each["product_id"])], each["intent"], atol=1e-4) for each in mine
        )


def test_nothing_in_store_ranks_nothing() -> None:
    store = InStore(pa.array([], pa.string()), np.zeros((0, 3), np.float32), np.zeros(0, bool))
    for diversity in (0.0, 0.5):
        assert rank_rows(styles(np.ones((2, 3)), [[], []]), store, 5, diversity).num_rows == 0


def test_a_diverse_list_holds_other_articles_and_says_their_own_intents() -> None:
    """Two kinds of articles by vector; what sells, the third factor, makes no two alike."""
    of_articles = np.array([[1, 0, 0.9], [1, 0, 0.8], [1, 0, 0.7], [0, 1, 0.0]], np.float32)
    names = ["a", "b", "c", "other"]
    store = InStore(pa.array(names), of_articles, np.array([False, False, False, True]), n_vector=2)
    of_customers = np.array([[2.0, 1.5, 1.0]], np.float32)
    plain, diverse = (
        rank_rows(styles(of_customers, [[("b", 0.5)]]), store, 2, diversity).to_pylist() for diversity in (0.0, 0.8)
    )
    assert [row["product_id"] for row in plain] == ["b", "a"]
    assert [row["product_id"] for row in diverse] == ["b", "other"]
    assert [row["style_rank"] for row in diverse] == [1, 2]
    np.testing.assert_allclose([row["intent"] for row in diverse], [3.3, 1.5], rtol=1e-6)
    assert [row["is_new"] for row in diverse] == [False, True]
