"""What is kept of a picture: the picture itself, small, or outputs of a pretrained network, from a file of weights."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.refusal import Refusal
from pipeline.dataset.pictures import read_picture
from pipeline.settings import StyleSettings

SIDE, NETWORK_SIDE = 32, 224
_AT_ONCE = 32
_LOADED: dict[str, Any] = {}


@dataclass(frozen=True)
class ImageNetwork:
    """How pictures are read.

    Args: name: identifies the rows that it makes; network: of keras.applications, and weights: its file; None: pixels.
    """

    name: str
    network: str | None = None
    weights: Path | None = None

    @classmethod
    def of(cls, settings: StyleSettings) -> "ImageNetwork":
        """Raises: Refusal: the file of weights is missing."""
        weights = settings.image_weights
        if weights is None:
            return cls(f"pixels {SIDE}")
        if not weights.is_file():
            raise Refusal(f"styles.image_weights names {weights}, which is no file; correct it or unset it")
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        return cls(f"{settings.image_network} {digest}", settings.image_network, weights)

    @property
    def side(self) -> int:
        """Of the pictures that are read."""
        return SIDE if self.network is None else NETWORK_SIDE

    def check(self) -> None:
        """Raises: Refusal: the file holds no weights of the network."""
        if self.network is not None:
            self._loaded()

    def read(self, paths: list[Path]) -> tuple[list[bytes | None], list[list[float] | None]]:
        """Pixels, or outputs, of each picture; None for one that cannot be read."""
        pictures = [read_picture(path, self.side) for path in paths]
        good = [row for row, picture in enumerate(pictures) if not isinstance(picture, str)]
        pixels: list[bytes | None] = [None] * len(paths)
        outputs: list[list[float] | None] = [None] * len(paths)
        for first in range(0, len(good), _AT_ONCE):
            rows = good[first : first + _AT_ONCE]
            if self.network is None:
                for row in rows:
                    pixels[row] = np.asarray(pictures[row], np.uint8).tobytes()
            else:
                made = self._outputs(np.stack([np.asarray(pictures[row]) for row in rows]))
                for row, values in zip(rows, made, strict=True):
                    outputs[row] = values.tolist()
        return pixels, outputs

    def _outputs(self, pictures: np.ndarray) -> np.ndarray:
        """Means over the last layer; uint8 [B, h, w, 3] -> float32 [B, v]."""
        model, preprocess = self._loaded()
        found: np.ndarray = np.asarray(model(preprocess(pictures.astype(np.float32)), training=False))
        return found

    def _loaded(self) -> Any:
        """The network, loaded once per process; weights are arrays, and no code of the file is run."""
        if self.name not in _LOADED:
            import keras

            network = str(self.network)
            modules = {"ResNet50": "resnet50", "ResNet50V2": "resnet_v2", "MobileNetV2": "mobilenet_v2"}
            make = getattr(keras.applications, network)
            preprocess = getattr(keras.applications, modules[network]).preprocess_input
            try:
                shape = (NETWORK_SIDE, NETWORK_SIDE, 3)
                model = make(include_top=False, pooling="avg", weights=str(self.weights), input_shape=shape)
            except (OSError, ValueError, TypeError) as error:
                raise Refusal(f"{self.weights} holds no weights of {network} without its top: {error}") from error
            _LOADED.clear()
            _LOADED[self.name] = model, preprocess
        return _LOADED[self.name]
