"""Decoding from known probabilities: what beams find that greedy search misses, where baskets end, what is sampled."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from models.decoders.search import beam_search, sample
from models.special_ids import END, FIRST_PRODUCT, PADDING

N_PRODUCTS = 7
A, B, C, D = range(FIRST_PRODUCT, N_PRODUCTS)


def probabilities(**of: float) -> np.ndarray:
    """Probabilities of the end and of products by name."""
    names = {"end": END, "a": A, "b": B, "c": C, "d": D}
    row = np.zeros(N_PRODUCTS, np.float32)
    for name, probability in of.items():
        row[names[name]] = probability
    return row


def tree(following: dict[tuple[int, ...], np.ndarray]) -> Any:
    """A decode step whose probabilities depend on the whole basket so far; the state is that basket, as digits."""

    def decode_step(products: Any, states: list[Any], allowed: Any) -> tuple[Any, list[Any]]:
        decoded = np.asarray(ops.convert_to_numpy(states[0])) * 10 + ops.convert_to_numpy(products)
        known = {int("0" + "".join(map(str, path))): row for path, row in following.items()}
        return ops.convert_to_tensor(np.stack([known.get(int(each), probabilities(end=1.0)) for each in decoded])), [
            ops.convert_to_tensor(decoded)
        ]

    return decode_step


START = [np.zeros(1, np.int64)]

# a is likeliest first, but what may follow it is uncertain; after b, c is nearly sure.
GARDEN_PATH = {
    (): probabilities(a=0.5, b=0.4, end=0.1),
    (A,): probabilities(b=0.2, c=0.2, d=0.2, end=0.4),
    (B,): probabilities(c=0.9, end=0.1),
    (A, B): probabilities(end=0.9, c=0.1),
    (A, C): probabilities(end=0.9, b=0.1),
    (A, D): probabilities(end=0.9, b=0.1),
    (B, C): probabilities(end=0.9, a=0.1),
}


def decoded(following: dict[tuple[int, ...], np.ndarray], beams: int, most: int = 4) -> list[int]:
    found = beam_search(ops.convert_to_tensor(following[()][None]), START, tree(following), most, beams)
    basket: list[int] = ops.convert_to_numpy(found)[0].tolist()
    return basket


def test_greed_takes_the_likeliest_product_at_each_step() -> None:
    assert decoded(GARDEN_PATH, beams=1) == [A, B, PADDING, PADDING]


def test_beams_find_the_basket_that_is_likelier_as_a_whole() -> None:
    assert decoded(GARDEN_PATH, beams=2) == [B, C, PADDING, PADDING]


@pytest.mark.parametrize("beams", [1, 2, 4])
def test_a_basket_ends_where_half_of_all_have_ended(beams: int) -> None:
    surely = {(): probabilities(a=1.0), (A,): probabilities(b=0.7, end=0.3), (A, B): probabilities(c=0.6, end=0.4)}
    assert decoded(surely, beams) == [A, B, PADDING, PADDING], "after two products .7 x .6 = .42 have not ended"


def test_a_basket_may_be_cut_short() -> None:
    assert decoded(GARDEN_PATH, beams=2, most=1) == [A]


def test_funnels_do_not_mix_their_beams() -> None:
    first = np.stack([GARDEN_PATH[()], probabilities(d=0.9, end=0.1)])
    states = [np.zeros(2, np.int64)]
    found = beam_search(ops.convert_to_tensor(first), states, tree(GARDEN_PATH), 3, beams=2)
    assert ops.convert_to_numpy(found).tolist() == [[B, C, PADDING], [D, PADDING, PADDING]]


def test_baskets_are_drawn_as_often_as_they_are_likely() -> None:
    n = 4000
    first = ops.convert_to_tensor(np.repeat(GARDEN_PATH[()][None], n, axis=0))
    states = [np.zeros(n, np.int64)]
    seeds = keras.random.SeedGenerator(1)

    def sampler(log_probabilities: Any, position: int) -> Any:
        return keras.random.categorical(log_probabilities, 1, dtype="int32", seed=seeds)[:, 0]

    draws = ops.convert_to_numpy(sample(first, states, tree(GARDEN_PATH), 4, sampler))
    assert np.all(draws[:, 0] >= FIRST_PRODUCT), "a basket holds a product"
    starts_with_b = draws[:, 0] == B
    assert starts_with_b.mean() == pytest.approx(0.4 / 0.9, abs=0.03)
    ended = draws[starts_with_b][:, 1] == END
    assert ended.mean() == pytest.approx(0.1, abs=0.03)
    for basket in draws[:200]:
        real = basket[basket >= FIRST_PRODUCT]
        assert len(set(real)) == len(real)
        assert np.all(basket[np.flatnonzero(basket == END)[0] + 1 :] == PADDING) if END in basket else True
