"""Features of a customer's own products, against a history worked out by hand."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from models.candidates.own_products import own_products
from models.fields import OWN_LOG_UNITS
from pipeline.dataset.histories import Histories, read_histories
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX
from tests.factories import sequence
from tests.pipeline.dataset.sequences import SCHEMA, random_sequences


def histories_of(*rows: dict) -> Histories:  # type: ignore[type-arg]
    return read_histories(pa.Table.from_pylist(list(rows), schema=SCHEMA))


def of_all(histories: Histories, ends: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    return own_products(histories, np.arange(len(histories)), histories.basket_offsets[1:] if ends is None else ends)


def test_the_model_finds_the_units() -> None:
    _, features = of_all(histories_of(sequence(quantities=[[7.0], [7.0], [7.0]])))
    np.testing.assert_allclose(features[0, 0, OWN_LOG_UNITS], np.log(8.0), rtol=1e-6)


def test_features_worked_out_by_hand() -> None:
    first = date(2026, 1, 1)
    days = [first + timedelta(days=days) for days in (0, 4, 10, 12)]
    row = sequence(products=[[7], [8], [7, 9], [8]], quantities=[[1.0], [2.0], [3.0, 5.0], [4.0]], sold_on=days)
    products, features = of_all(histories_of(row))
    assert products.tolist() == [[8, 7, 9]]  # decayed shares .9 ** 0 + .9 ** 2, .9 + .9 ** 3, .9
    decayed = (1.0 - 0.9**4) / 0.1
    expected = {
        8: [np.log(3), 0.5, 1.81 / decayed, 1.0, 0.0, 0.0, 0.0, 0.5, 1.0, np.log(4)],
        7: [np.log(3), 0.5, 1.629 / decayed, 0.5, np.log(2), np.log(3), 0.2, 1.0, 1.0, np.log(3)],
        9: [np.log(2), 0.25, 0.9 / decayed, 0.5, np.log(2), np.log(3), 0.0, 0.5, 0.0, np.log(6)],
    }
    for column, product in enumerate(products[0]):
        np.testing.assert_allclose(features[0, column], [*expected[product], np.log(4), np.log(4)], rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_exactly_the_known_products_of_the_past_are_named_once(seed: int) -> None:
    rows = random_sequences(10, seed)
    products, features = of_all(histories_of(*rows))
    for row, found in zip(rows, products, strict=True):
        known = {each for basket in row["products"] for each in basket if each >= FIRST_PRODUCT_INDEX}
        assert sorted(found[found > 0]) == sorted(known)
    assert np.all(features[products == 0] == 0.0)
    assert np.all(np.isfinite(features))


def test_nothing_of_the_next_basket_or_later_is_seen() -> None:
    shown = sequence(products=[[7], [8], [7, 9]])
    changed = sequence(products=[[7], [8], [5, 6]])
    end = np.array([2])
    for ours, theirs in zip(of_all(histories_of(shown), end), of_all(histories_of(changed), end), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_past_of_unknown_products_alone_names_none() -> None:
    products, features = of_all(histories_of(sequence(products=[[1], [1], [1]])))
    assert products.tolist() == [[0]]
    assert not features.any()
