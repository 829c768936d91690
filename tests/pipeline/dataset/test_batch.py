"""Batches: packing, padding, and what a target says."""

import numpy as np
import pyarrow as pa
import pytest

from models import special_ids
from pipeline.dataset.batch import Cut, pasts, targets
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.histories import Histories, read_histories
from pipeline.tables.vocabulary import END_INDEX, FIRST_PRODUCT_INDEX, PADDING_INDEX, UNKNOWN_INDEX
from tests.factories import sequence
from tests.models.batches import assert_as_described
from tests.pipeline.dataset.sequences import SCHEMA, random_sequences

WIDE = Cut(50, 50)


def histories_of(*rows: dict) -> Histories:  # type: ignore[type-arg]
    return read_histories(pa.Table.from_pylist(list(rows), schema=SCHEMA))


def everything(histories: Histories) -> dict[str, np.ndarray]:
    funnels, ends = np.arange(len(histories)), histories.basket_offsets[1:]
    return pasts(histories, ends, funnels, WIDE, CandidateSource().find(histories, funnels, ends))


def test_special_indices_agree_with_the_vocabulary_table() -> None:
    ours = (special_ids.PADDING, special_ids.UNKNOWN, special_ids.END, special_ids.FIRST_PRODUCT)
    assert ours == (PADDING_INDEX, UNKNOWN_INDEX, END_INDEX, FIRST_PRODUCT_INDEX)


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_holds_exactly_the_histories(seed: int) -> None:
    rows = random_sequences(10, seed)
    batch = everything(histories_of(*rows))
    for row, basket_rows in zip(rows, batch["basket_rows"], strict=True):
        packed = batch["product_ids"][basket_rows[basket_rows > 0] - 1]
        assert [[product for product in basket if product] for basket in packed.tolist()] == row["products"]


def test_batches_are_as_the_fields_describe_them() -> None:
    histories = histories_of(*random_sequences(12))
    ends = histories.basket_offsets[1:] - 1
    funnels = np.arange(12)
    batch = pasts(histories, ends, funnels, WIDE, CandidateSource().find(histories, funnels, ends))
    batch |= targets(histories, ends, max_products=9, candidates=batch["candidates"])
    batch |= {"customer_ids": np.zeros(12, np.int32)}
    assert_as_described(batch)


def test_padding_is_on_the_right_and_no_basket_is_empty() -> None:
    batch = everything(histories_of(*random_sequences(30)))
    for name in ("product_ids", "basket_rows"):
        real = batch[name] > 0
        assert np.all(real[:, :-1] >= real[:, 1:])
        assert np.all(real[:, 0])


def test_attributes_are_equal_numbers_where_they_are_equal_and_padded() -> None:
    said = [["age=30-39", "area=7"], ["area=7"], None, ["age=40-49", "area=7"]]
    rows = [sequence(funnel_id=f"c{number}", attributes=each) for number, each in enumerate(said)]
    attributes = everything(histories_of(*rows))["attributes"]
    assert attributes.dtype == np.int32
    np.testing.assert_array_equal(attributes > 0, [[True, True], [True, False], [False, False], [True, True]])
    assert attributes[0, 1] == attributes[1, 0] == attributes[3, 1]
    assert len({attributes[0, 0], attributes[0, 1], attributes[3, 0]}) == 3


def test_a_slice_of_an_arrow_table_reads_like_its_rows() -> None:
    rows = [row | {"attributes": [f"area={n}"] * (n % 3)} for n, row in enumerate(random_sequences(10))]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    for part in (table.slice(4, 3), table.to_batches()[0].slice(4, 3)):
        ours, theirs = everything(read_histories(part)), everything(histories_of(*rows[4:7]))
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_targets_end_and_leave_out_unknown_products() -> None:
    histories = histories_of(sequence(products=[[3], [1, 4, 5], [6]]))
    found = targets(histories, np.array([1, 2]), max_products=5)
    assert found["target_products"].tolist() == [[4, 5, END_INDEX], [6, END_INDEX, 0]]
    assert found["target_sizes"].tolist() == [3.0, 1.0]


def test_a_basket_that_does_not_fit_shows_a_part_and_no_end() -> None:
    histories = histories_of(sequence(products=[[3], [3, 4, 5, 6], [6]]))
    found = targets(histories, np.array([1]), 2, np.random.default_rng(0))["target_products"]
    assert found.shape == (1, 2)
    assert set(found[0]) < {3, 4, 5, 6}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_products", [1, 3, 50])
def test_candidates_are_looked_for_in_the_whole_basket_however_much_is_decoded(seed: int, max_products: int) -> None:
    rows = random_sequences(12, seed)
    histories, ends = histories_of(*rows), np.cumsum([len(row["products"]) for row in rows]) - 1
    random = np.random.default_rng(seed)
    candidates = np.stack([random.permutation(np.arange(12))[:8] for _ in rows]).astype(np.int32)
    waited = np.where(random.random(12) < 0.3, 4.0, np.nan)
    found = targets(histories, ends, max_products, random, waited=waited, candidates=candidates)["target_candidates"]
    baskets = [row["products"][-1] if np.isnan(days) else [] for row, days in zip(rows, waited, strict=True)]
    expected = [
        [product >= FIRST_PRODUCT_INDEX and product in basket for product in named]
        for named, basket in zip(candidates.tolist(), baskets, strict=True)
    ]
    np.testing.assert_array_equal(found, expected)
    assert found.any()
    assert not found.all()


def test_shuffled_targets_keep_quantities_with_their_products() -> None:
    row = sequence(products=[[3], [3, 4, 5, 6], [6]])
    row["quantities"][1] = [3.0, 4.0, 5.0, 6.0]
    found = targets(histories_of(row), np.array([1]), 9, np.random.default_rng(1))
    assert found["target_quantities"][0, :4].tolist() == found["target_products"][0, :4].astype(float).tolist()


def test_features_say_gap_money_units_and_lines() -> None:
    row = sequence(products=[[3], [3, 4], [3]])
    row["amounts_cents"][1] = [150, 250]
    features = everything(histories_of(row))["basket_features"]
    np.testing.assert_allclose(np.expm1(features[1, :4]), [7.0, 4.0, 2.0, 2.0], rtol=1e-5)
    np.testing.assert_allclose(features[:, 4:6] ** 2 @ np.ones(2), 1.0, rtol=1e-5)


def test_another_vocabulary_renames_products() -> None:
    histories = histories_of(sequence(products=[[3], [4], [1]]))
    assert histories.renamed(np.array([0, 1, 2, 9, 1])).product_ids.tolist() == [9, 1, 1]
