"""A checkpoint of which a power cut left half is not used: training goes on from the one before, or begins anew."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.training.checkpoints import Checkpoints


def opened(folder: Path) -> tuple[Checkpoints, keras.Model]:
    """A training's checkpoints, and the model whose weights are all equal to the step at which they were saved."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    optimizer = keras.optimizers.RMSprop()
    optimizer.build(model.trainable_variables)
    return Checkpoints(folder, model, optimizer, 2, chief=True), model


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with the checkpoints of steps 9 and 10, whose numbers sort otherwise as words."""
    checkpoints, model = opened(tmp_path)
    for checkpoints.step in (9, 10):
        model.set_weights([np.full_like(array, checkpoints.step) for array in model.get_weights()])
        checkpoints.save()
    return tmp_path


def restored(folder: Path) -> int:
    """The step that a new process begins from; its weights are those of that step, and the next step can be saved."""
    checkpoints, model = opened(folder)
    anew = model.get_weights()
    checkpoints.restore()
    expected = [np.full_like(array, checkpoints.step) for array in anew] if checkpoints.step else anew
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), expected, strict=True))
    return checkpoints.step


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, None])
def test_of_half_a_checkpoint_nothing_is_used(two: Path, part: str, share: float | None) -> None:
    path = two / f"ckpt-10.{part}"
    if share is None:
        path.unlink()
    else:
        os.truncate(path, int(path.stat().st_size * share))
    assert restored(two) == 9
    os.truncate(two / "ckpt-9.index", 0)
    assert restored(two) == 0


@pytest.mark.parametrize("said", [None, "", "model_checkpo", 'model_checkpoint_path: "ckpt-9"\n'])
def test_the_files_say_which_is_newest_and_no_list_of_them(two: Path, said: str | None) -> None:
    path = two / "checkpoint"
    path.unlink() if said is None else path.write_text(said)
    assert restored(two) == 10


def test_a_flipped_bit_is_found(two: Path) -> None:
    path = two / "ckpt-10.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert restored(two) == 9


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    """Also those of a layer within a layer: a resumed training drops what the undisturbed one would have dropped."""

    def dropping() -> tuple[Checkpoints, keras.Model]:
        inner = keras.Sequential([keras.layers.Input((50,)), keras.layers.Dropout(0.5, seed=3)])
        model = keras.Sequential([keras.layers.Input((50,)), inner, keras.layers.Dropout(0.5, seed=4)])
        optimizer = keras.optimizers.RMSprop()
        optimizer.build(model.trainable_variables)
        return Checkpoints(tmp_path, model, optimizer, 2, chief=True), model

    ones = np.ones((1, 50), np.float32)
    checkpoints, model = dropping()
    before = [np.asarray(model(ones, training=True)) for _ in range(3)][-1]
    checkpoints.step = 3
    checkpoints.save()
    expected = np.asarray(model(ones, training=True))
    assert not np.array_equal(before, expected)
    resumed, model = dropping()
    resumed.restore()
    np.testing.assert_array_equal(np.asarray(model(ones, training=True)), expected)
