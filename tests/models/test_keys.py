"""Keys: stable, and found whatever their order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.keys import keys_of, rows_of


def test_a_key_never_changes() -> None:
    assert keys_of(["p1", "", "Äpfel"]).tolist() == [-7940245846511773976, -5426141060434712860, 2024730328106909909]


@given(st.lists(st.text(), unique=True), st.randoms())
def test_every_known_key_is_found(identifiers: list[str], random: object) -> None:
    keys = keys_of(identifiers)
    order = np.random.default_rng(len(identifiers)).permutation(len(keys))
    rows = rows_of(keys, keys[order], missing=-1)
    np.testing.assert_array_equal(keys[order][rows], keys)


def test_an_unknown_key_is_missing() -> None:
    assert rows_of(keys_of(["a", "b"]), keys_of(["b"]), missing=7).tolist() == [7, 0]
    assert rows_of(keys_of(["a"]), keys_of([]), missing=0).tolist() == [0]
