"""What lies in files about a model: its class, its weights, its keys, and the vocabulary it was made with."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.config import LensConfig
from models.keys import keys_of
from models.refusal import Refusal
from pipeline.dataset.vocabulary import product_names

if TYPE_CHECKING:
    import h5py

LENS_CLASS = "larder>Lens"
"""Under which Keras stores the class."""
NEXT_OFFER_CLASS = "larder>NextOfferModel"
RETURN_CLASS = "larder>LineReturns"
ITEM_VECTOR_CLASS = "larder>ItemVectorModel"
STYLE_CLASS = "larder>StyleModel"
_NOT_FINITE = "weights are not finite"


def lens_problems(keras_file: Path, vocabulary: Path) -> list[str]:
    """Why a stored LENS must not be used, in words; empty where nothing is wrong.

    Reads the stored weights themselves: what is checked is what will be served, and no model code runs.
    """
    problems = model_problems(keras_file, LENS_CLASS)
    if problems and not problems[0].startswith(_NOT_FINITE):
        return problems
    try:
        names = product_names(vocabulary)
        with _stored_arrays(keras_file) as arrays:
            keys = next((array[...] for name, array in arrays if name.endswith("/product_keys")), None)
    except Exception as error:
        return [_unreadable(error)]
    named = np.where(names == "", 0, keys_of(names))
    if keys is None or not np.array_equal(keys, named):
        problems.append(
            f"the vocabulary beside the model ({len(named)} indices) is not that of the keys in its file "
            f"({0 if keys is None else len(keys)} indices)"
        )
    return problems


def lens_config(keras_file: Path) -> LensConfig:
    """What makes the architecture of a stored LENS.

    Raises: ValueError: for a setting that this version does not know.
    """
    with zipfile.ZipFile(keras_file) as archive:
        return LensConfig.from_stored(json.loads(archive.read("config.json"))["config"]["config"])


def model_problems(keras_file: Path, expected_class: str) -> list[str]:
    """Why a stored model must not be used, in words: another class, or weights that are not finite; else empty."""
    try:
        with zipfile.ZipFile(keras_file) as archive:
            described = json.loads(archive.read("config.json"))
        stored_class = described.get("registered_name") if isinstance(described, dict) else None
        if stored_class != expected_class:
            return [f"the file holds a {stored_class}, not a {expected_class}"]
        bad = non_finite_weights(keras_file)
    except Exception as error:
        return [_unreadable(error)]
    return [f"{_NOT_FINITE}: {len(bad)} arrays, first {bad[0]}"] if bad else []


def _unreadable(error: Exception) -> str:
    """Whatever a library makes of a file, the file is at fault: a night never ends for that."""
    return f"the file cannot be read: {type(error).__name__}: {error}"[:500]


def return_model_problems(keras_file: Path, number_names: tuple[str, ...]) -> list[str]:
    """Why a stored model of returns must not be used: as `model_problems`, or it reads other numbers of a line."""
    problems = model_problems(keras_file, RETURN_CLASS)
    if problems:
        return problems
    with zipfile.ZipFile(keras_file) as archive:
        stored = json.loads(archive.read("config.json"))["config"]["number_names"]
    if tuple(stored) != number_names:
        unknown = sorted(set(stored) ^ set(number_names)) or ["their order"]
        return [f"it reads other numbers of a line than this version of Larder makes; first: {unknown[0]}"]
    return []


def non_finite_weights(keras_file: Path) -> list[str]:
    """Names of the arrays in a `.keras` file that hold NaN or infinity."""
    with _stored_arrays(keras_file) as arrays:
        return [name for name, array in arrays if array.dtype.kind == "f" and not np.isfinite(array[...]).all()]


@contextmanager
def _stored_arrays(keras_file: Path) -> Iterator[list[tuple[str, "h5py.Dataset"]]]:
    """Every array in the weights of a `.keras` file, with its name."""
    import h5py

    with zipfile.ZipFile(keras_file) as archive:
        stored = io.BytesIO(archive.read("model.weights.h5"))
    arrays: list[tuple[str, h5py.Dataset]] = []

    def collect(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            arrays.append((name, node))

    with h5py.File(stored, "r") as weights:
        weights.visititems(collect)
        yield arrays


def vocabulary_hash(vocabulary: Path) -> str:
    """The hash that identifies a vocabulary table's mapping; ValueError where the table is empty."""
    import pyarrow.dataset as ds

    rows = ds.dataset(vocabulary, format="parquet").head(1, columns=["vocabulary_hash"])
    if rows.num_rows == 0:
        raise Refusal(f"{vocabulary} holds no product; run build_sequences again")
    return str(rows["vocabulary_hash"][0].as_py())
