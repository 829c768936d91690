"""What is kept of a picture: its pixels, or the outputs of a network whose weights a file holds; nothing is fetched."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.refusal import Refusal
from pipeline.dataset.image_network import SIDE, ImageNetwork
from pipeline.settings import StyleSettings


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """A red one, one that is none, and a blue one."""
    paths = [tmp_path / name for name in ("red.png", "none.png", "blue.png")]
    for path in (paths[0], paths[2]):
        Image.new("RGB", (50, 40), path.stem).save(path)
    paths[1].write_text("no picture")
    return paths


def test_without_weights_the_picture_itself_is_kept_small(pictures: list[Path]) -> None:
    network = ImageNetwork.of(StyleSettings())
    pixels, outputs = network.read(pictures)
    assert outputs == [None] * 3
    assert pixels[1] is None
    assert network.name == f"pixels {SIDE}"
    red = np.frombuffer(pixels[0] or b"", np.uint8).reshape(SIDE, SIDE, 3)
    assert red[SIDE // 2, SIDE // 2].tolist() == [255, 0, 0]


def test_weights_of_a_file_make_outputs_and_name_the_rows(pictures: list[Path], tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    made = keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3))
    weights = tmp_path / "mobile.weights.h5"
    made.save_weights(weights)
    network = ImageNetwork.of(StyleSettings(image_weights=weights, image_network="MobileNetV2"))
    pixels, outputs = network.read(pictures)
    assert pixels == [None] * 3
    assert outputs[1] is None
    assert len(outputs[0] or []) == 1280
    assert outputs[0] != outputs[2]
    assert network.read(pictures[:1])[1][0] == pytest.approx(outputs[0], rel=1e-4, abs=1e-5)
    assert network.name.startswith("MobileNetV2 ")


def test_a_file_that_is_missing_or_holds_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="which is no file"):
        ImageNetwork.of(StyleSettings(image_weights=tmp_path / "none.h5"))
    other = tmp_path / "other.weights.h5"
    other.write_bytes(b"no weights")
    with pytest.raises(Refusal, match="holds no weights of ResNet50"):
        ImageNetwork.of(StyleSettings(image_weights=other)).check()
