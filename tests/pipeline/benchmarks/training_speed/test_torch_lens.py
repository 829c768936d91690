"""The torch model that training speed is compared with computes the same losses as `lens1000`.

Torch is no dependency of Larder: this file is collected where torch can be imported, or where LARDER_TORCH_PYTHON
names a Python that has it. Run it after any change of the losses of `lens1000` or of the torch model.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.catalog import build
from pipeline.benchmarks.data.catalog import open_dataset
from pipeline.benchmarks.next_basket.lens import LensMethod
from pipeline.benchmarks.training_speed.compare import ARCHITECTURE, TORCH_PROGRAM
from tests.pipeline.benchmarks.folders import write_small_reality_check
from tests.pipeline.benchmarks.training_speed.conftest import TORCH_PYTHON

LOSSES = ("content", "quantity", "size", "gap")


def torch_weights(model: Any) -> dict[str, np.ndarray]:
    """The weights of a Keras lens1000 under the names of the torch model, layouts changed where they differ."""

    def lstm(name: str, cell: Any, suffix: str = "") -> dict[str, np.ndarray]:
        kernel, recurrent, bias = (weight.numpy() for weight in cell.weights)
        return {
            f"{name}.weight_ih_l0{suffix}": kernel.T,
            f"{name}.weight_hh_l0{suffix}": recurrent.T,
            f"{name}.bias_ih_l0{suffix}": bias,
            f"{name}.bias_hh_l0{suffix}": np.zeros_like(bias),
        }

    def dense(name: str, layer: Any) -> dict[str, np.ndarray]:
        return {f"{name}.weight": layer.kernel.numpy().T, f"{name}.bias": layer.bias.numpy()}

    weights = {"products.weight": model.backbone.products.vectors.numpy(), "bias": model.backbone.products.bias.numpy()}
    weights["customers.weight"] = model.backbone.customers.unseen.numpy()[None]
    for name, encoder in (("session", model.backbone.session_encoder), ("behaviour", model.backbone.behaviour_encoder)):
        both_ways = encoder.stack[0]
        weights |= lstm(name, both_ways.forward_layer.cell) | lstm(name, both_ways.backward_layer.cell, "_reverse")
    weights |= lstm("decoder", model.basket.decoder.stack[0].cell) | dense("start", model.basket.decoder.starts[0])
    weights |= dense("readout", model.basket.next_symbol.readout) | dense("quantity", model.basket.quantity.log_mean)
    weights |= dense("size", model.basket.size.log_mean) | dense("gap", model.time_to_next.weeks)
    return {name: np.ascontiguousarray(weight, np.float32) for name, weight in weights.items()}


def test_equal_weights_and_batches_give_equal_losses_and_gradients(tmp_path: Path) -> None:
    import tensorflow as tf

    write_small_reality_check(tmp_path)
    fold = open_dataset(["reality-check", str(tmp_path)]).fold(0)
    data = LensMethod(ARCHITECTURE, seed=0).data(fold.train, fold.validation, fold.histories)
    batches = [data.batch(number, 16) for number in range(2)]
    # One example whose next basket has not come, and one quantity far above any mean.
    batches[1]["target_observed"][0] = 0.0
    batches[1]["target_quantities"][1, 0] = 500.0
    model = build(
        ARCHITECTURE,
        product_keys=data.product_keys,
        customer_keys=data.customer_keys,
        product_counts=data.product_counts,
        seed=3,
    )
    stored: dict[str, Any] = {f"{n}/{name}": array for n, batch in enumerate(batches) for name, array in batch.items()}
    np.savez(tmp_path / "batches.npz", **stored)
    np.savez(tmp_path / "weights.npz", **torch_weights(model))
    command = [str(TORCH_PYTHON), str(TORCH_PROGRAM), str(tmp_path / "batches.npz"), "--threads", "1"]
    command += ["--products", str(fold.train.n_products), "--weights", str(tmp_path / "weights.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)

    tensors = [{name: tf.constant(array) for name, array in batch.items()} for batch in batches]
    for of_torch, batch in zip(printed["losses"], tensors, strict=True):
        ours = model.losses(batch)
        assert {name: of_torch[name] for name in LOSSES} == {
            name: pytest.approx(float(ours[name]), rel=1e-4) for name in LOSSES
        }
    with tf.GradientTape() as tape:
        total = model.losses(tensors[0])["total"]
    watched = {"readout.weight": model.basket.next_symbol.readout.kernel, "gap.weight": model.time_to_next.weeks.kernel}
    watched |= {
        "quantity.weight": model.basket.quantity.log_mean.kernel,
        "size.weight": model.basket.size.log_mean.kernel,
    }
    watched |= {"bias": model.backbone.products.bias, "start.weight": model.basket.decoder.starts[0].kernel}
    gradients = tape.gradient(total, [weight.value for weight in watched.values()])
    norms = {name: float(tf.norm(gradient)) for name, gradient in zip(watched, gradients, strict=True)}
    assert norms == {name: pytest.approx(printed["gradient_norms"][name], rel=1e-3) for name in watched}
