"""A backbone with heads: the total is the weighted sum, and a head without weights is not computed."""

import numpy as np
import pytest

from models.backbones.hierarchical import HierarchicalBackbone
from models.heads.time_to_next import HazardHead, RegressionHead
from models.multi_head_model import MultiHeadModel
from tests.models.batches import N_CUSTOMERS, N_PRODUCTS, random_batch


class OtherDays(RegressionHead):
    """A second head of the same kind, whose loss has a name of its own."""

    loss_names = ("other",)

    def loss_per_example(self, outputs, batch):  # type: ignore[no-untyped-def]
        return {"other": super().loss_per_example(outputs, batch)["gap"]}


def model(**weights: float) -> MultiHeadModel:
    backbone = HierarchicalBackbone(
        N_PRODUCTS, N_CUSTOMERS, session_units=(4,), behaviour_units=(4,), product_units=4, customer_units=2
    )
    heads = {"days": HazardHead(backbone.output_units), "other_days": OtherDays(backbone.output_units)}
    return MultiHeadModel(backbone, heads, weights)


def losses(made: MultiHeadModel) -> dict[str, float]:
    return {name: float(value) for name, value in made.losses(random_batch()).items()}


def test_the_total_is_the_weighted_sum_of_the_losses() -> None:
    found = losses(model(gap=2.0, other=0.5))
    assert set(found) == {"total", "gap", "other"}
    assert found["total"] == pytest.approx(2.0 * found["gap"] + 0.5 * found["other"])


def test_a_loss_of_weight_zero_is_reported_and_one_without_weight_is_not() -> None:
    found = losses(model(gap=0.0, other=1.0))
    assert found["gap"] > 0
    assert found["total"] == pytest.approx(found["other"])
    assert set(losses(model(gap=1.0))) == {"total", "gap"}


def test_heads_are_attributes_and_their_weights_those_of_the_model() -> None:
    made = model(gap=1.0)
    ours = {id(weight) for weight in made.weights}
    for part in (made.backbone, made.days, made.other_days):
        assert {id(weight) for weight in part.weights} <= ours


def test_a_call_gives_the_state() -> None:
    made, batch = model(gap=1.0), random_batch()
    np.testing.assert_array_equal(made(batch), made.backbone(batch))


def test_a_weight_of_an_unknown_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="check: size"):
        model(gap=1.0, size=1.0)
