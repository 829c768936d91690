"""What a model expects in a basket, of the whole vocabulary, and its survival curves."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from models.heads.mean import MeanHead
from models.lens import Lens
from models.special_ids import FIRST_PRODUCT
from tests.models.batches import padded, random_batch, rows
from tests.models.conftest import POINTING, TINY, tiny

HORIZON = 5


@pytest.fixture(scope="module", params=[POINTING, replace(TINY, time_head="hazard")], ids=["pointing", "generating"])
def lens(request: pytest.FixtureRequest) -> Lens:
    made = tiny(request.param)
    # An untrained head expects one unit of everything.
    kernel = made.basket.quantity.log_mean.kernel
    kernel.assign(np.random.default_rng(1).normal(size=kernel.shape, scale=0.3))
    return made


def expected(lens: Lens, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: ops.convert_to_numpy(each) for name, each in lens.expected_demand(batch, HORIZON).items()}


def test_means_of_pairs_are_those_of_their_inputs_side_by_side() -> None:
    head = MeanHead(3 + 4 + 1)
    head.build()
    random = np.random.default_rng(0)
    head.log_mean.kernel.assign(random.normal(size=(8, 1)))
    left, right, pairs = (random.normal(size=shape).astype(np.float32) for shape in ((2, 3), (5, 4), (2, 5)))
    beside = np.concatenate([np.repeat(left[:, None], 5, 1), np.repeat(right[None], 2, 0), pairs[..., None]], axis=2)
    np.testing.assert_allclose(head.of_pairs(left, right, pairs), head(beside), rtol=1e-5)


def test_units_of_a_predicted_product_are_its_probability_times_its_quantity(lens: Lens) -> None:
    batch = random_batch()
    basket = {name: ops.convert_to_numpy(each) for name, each in lens.best_basket(batch, 12).items()}
    found = np.take_along_axis(expected(lens, batch)["units"], basket["products"], axis=1)
    np.testing.assert_allclose(found, basket["probabilities"] * basket["quantities"], rtol=1e-4)


def test_every_product_of_the_vocabulary_has_units_and_no_other_index(lens: Lens) -> None:
    units = expected(lens, random_batch())["units"]
    assert units.shape == (4, lens.n_products)
    assert (units[:, FIRST_PRODUCT:] > 0).all()
    assert not units[:, :FIRST_PRODUCT].any()


def test_curves_fall_from_the_day_before_and_begin_where_the_wait_stands(lens: Lens) -> None:
    batch = random_batch()
    found, elapsed = expected(lens, batch), batch["elapsed_days"]
    for name in ("log_wait", "log_gap"):
        assert found[name].shape == (4, 1 + HORIZON)
        assert (np.diff(found[name], axis=1) < 0).all()
    assert not found["log_gap"][:, 0].any()
    so_far = ops.convert_to_numpy(lens.log_survival(batch, elapsed[:, None] - 1.0))
    np.testing.assert_allclose(found["log_wait"][:, 0], so_far[:, 0])


def test_padding_and_other_customers_of_the_batch_change_nothing(lens: Lens) -> None:
    batch = random_batch()
    whole, wider, alone = (expected(lens, each) for each in (batch, padded(batch), rows(batch, [2])))
    for name, values in whole.items():
        np.testing.assert_allclose(wider[name], values, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(alone[name], values[[2]], rtol=1e-4, atol=1e-7)


def test_a_head_that_only_regresses_expects_no_day() -> None:
    with pytest.raises(NotImplementedError, match="hazard"):
        tiny().expected_demand(random_batch(), HORIZON)
