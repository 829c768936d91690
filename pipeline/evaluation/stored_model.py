"""What lies in files about a model: its weights, and the vocabulary it was made with."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.lens import Lens


def load_model(keras_file: Path) -> "Lens":
    """A model file of ours."""
    import keras

    # Importing the model makes Keras know our layers.
    import models.lens  # noqa: F401

    model: Lens = keras.saving.load_model(keras_file, compile=False)
    return model


def non_finite_weights(keras_file: Path) -> list[str]:
    """Names of the arrays in a `.keras` file that hold NaN or infinity.

    Reads the stored weights themselves: what is checked is what will be served, and no model code runs.
    """
    import h5py

    with zipfile.ZipFile(keras_file) as archive:
        stored = io.BytesIO(archive.read("model.weights.h5"))
    bad: list[str] = []

    def check(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset) and node.dtype.kind == "f" and not np.isfinite(node[...]).all():
            bad.append(name)

    with h5py.File(stored, "r") as weights:
        weights.visititems(check)
    return bad


def vocabulary_hash(vocabulary: Path) -> str:
    """The hash that identifies a vocabulary table's mapping; ValueError where the table is empty."""
    import pyarrow.dataset as ds

    rows = ds.dataset(vocabulary, format="parquet").head(1, columns=["vocabulary_hash"])
    if rows.num_rows == 0:
        raise ValueError(f"{vocabulary} holds no product; run build_sequences again")
    return str(rows["vocabulary_hash"][0].as_py())
