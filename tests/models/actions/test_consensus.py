"""The consensus is the remainder of the largest expected similarity, whatever the order of the samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.actions.consensus import consensus, counted, similarity

REMAINDERS = st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=5).map(tuple), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("predicted", "observed", "expected"),
    [((), (), 1.0), ((3, 4), (3, 4), 1.0), ((3,), (), 0.0), ((3, 4, 5), (3, 5, 4), 2 / 3), ((3, 4), (3, 4, 5, 6), 0.5)],
)
def test_similarity_counts_swaps_once_and_divides_by_the_longer(
    predicted: tuple[int, ...], observed: tuple[int, ...], expected: float
) -> None:
    assert similarity(predicted, observed) == pytest.approx(expected)


@given(REMAINDERS)
def test_nothing_else_among_the_samples_is_nearer_to_them(samples: list[tuple[int, ...]]) -> None:
    def expected(one: tuple[int, ...]) -> float:
        return sum(similarity(one, other) for other in samples) / len(samples)

    chosen = consensus(counted(samples))
    assert chosen in samples
    assert expected(chosen) == pytest.approx(max(map(expected, samples)))
    assert consensus(counted(reversed(samples))) == chosen


def test_a_frequent_short_one_loses_to_the_middle_of_many_long_ones() -> None:
    samples = [(3,)] * 3 + [(4, 5, 4, 5, 4), (4, 5, 4, 5), (4, 5, 4, 4, 5), (4, 5, 5, 4, 5)]
    assert counted(samples).most_common(1)[0][0] == (3,)
    assert len(consensus(counted(samples))) >= 4


def test_there_must_be_something_to_choose_from() -> None:
    with pytest.raises(ValueError, match="no remainder"):
        consensus({})
