"""Model files, of today and of before the parts of LENS lay in a backbone and heads.

A `.keras` file is a zip archive with a configuration and an HDF5 file of weights. Its groups are named after the
attributes that hold the layers, in alphabetical order; from "layers" on, which lists all layers of a model, after their
classes. Files written before 2026-11-28 hold every part directly in the model, some under other names; their
groups are moved before Keras reads them, so that such a model predicts as it did, to the bit.
"""

import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from models.item_vectors import ItemVectorModel
    from models.lens import Lens
    from models.line_returns import LineReturns
    from models.next_actions import NextActions
    from models.next_offer import NextOfferModel
    from models.style import StyleModel

Model = TypeVar("Model")

_WEIGHTS = "model.weights.h5"
_MOVED = {
    "behaviour_encoder": "backbone/behaviour_encoder",
    "customers": "backbone/customers",
    "layers/product_embedding": "backbone/products",
    "layers/recurrent_encoder": "backbone/session_encoder",
    "layers/transformer_encoder": "backbone/session_encoder",
    "layers/mean_encoder": "backbone/session_encoder",
    "decoder": "basket/decoder",
    "layers/mean_head": "basket/quantity",
    "layers/mean_head_1": "basket/size",
    "gate": "basket/next_symbol/gate",
    "layers/dense": "basket/next_symbol/readout",
    "layers/pointer_head": "basket/next_symbol/pointer_head",
}
# Layers of PointerHead and of AttentionBlock, wherever they lie.
_RENAMED = {
    "presence": "inclusion",
    "look": "query_key_value",
    "seen": "attention_output",
    "thought": "feedforward_output",
    "before_looking": "attention_norm",
    "before_thinking": "feedforward_norm",
}


def load_model(keras_file: Path) -> "Lens":
    """The model in a file, without its optimizer. Starts TensorFlow.

    Raises: ValueError: naming the file, where it holds no model of ours or one of a later version.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    # Importing the class lets Keras find it by its registered name.
    from models.lens import Lens

    if not zipfile.is_zipfile(keras_file):
        raise ValueError(f"{keras_file} is no Keras model file; register the model again")
    with tempfile.TemporaryDirectory() as folder:
        file = keras_file
        if _is_flat(keras_file):
            file = Path(folder) / "model.keras"
            _write_with_moved_weights(keras_file, file)
        try:
            model = keras.saving.load_model(file, compile=False, safe_mode=True)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{keras_file} cannot be loaded by this version of Larder: {error}") from error
    if not isinstance(model, Lens):
        raise ValueError(f"{keras_file} holds a {type(model).__name__}, not a model of models/catalog.py")
    return model


def load_next_offer_model(keras_file: Path) -> "NextOfferModel":
    """The model of next offers in a file. Starts TensorFlow.

    Raises: ValueError: naming the file, where it holds no such model or one of a later version.
    """
    from models.next_offer import NextOfferModel

    return _load(keras_file, NextOfferModel)


def load_next_actions_model(keras_file: Path) -> "NextActions":
    """The model of next actions in a file. Starts TensorFlow.

    Raises: ValueError: naming the file, where it holds no such model or one of a later version.
    """
    from models.next_actions import NextActions

    return _load(keras_file, NextActions)


def load_item_vector_model(keras_file: Path) -> "ItemVectorModel":
    """The model of article vectors in a file. Starts TensorFlow.

    Raises: ValueError: naming the file, where it holds no such model or one of a later version.
    """
    from models.item_vectors import ItemVectorModel

    return _load(keras_file, ItemVectorModel)


def load_style_model(keras_file: Path) -> "StyleModel":
    """The model of style in a file. Starts TensorFlow.

    Raises: ValueError: naming the file, where it holds no such model or one of a later version.
    """
    from models.style import StyleModel

    return _load(keras_file, StyleModel)


def load_return_model(keras_file: Path) -> "LineReturns":
    """The model of returns in a file. Starts TensorFlow.

    Raises: ValueError: naming the file, where it holds no such model or one of a later version.
    """
    from models.line_returns import LineReturns

    return _load(keras_file, LineReturns)


def _load(keras_file: Path, kind: type[Model]) -> Model:
    """A model of that class, whose import lets Keras find it by its registered name; no code of the file is run."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    if not zipfile.is_zipfile(keras_file):
        raise ValueError(f"{keras_file} is no Keras model file; register the model again")
    try:
        model = keras.saving.load_model(keras_file, compile=False, safe_mode=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{keras_file} cannot be loaded by this version of Larder: {error}") from error
    if not isinstance(model, kind):
        raise ValueError(f"{keras_file} holds a {type(model).__name__}, not a {kind.__name__}")
    return model


def _is_flat(keras_file: Path) -> bool:
    """Whether the parts of the model lie directly in it, as before 2026-11-28."""
    import h5py

    with zipfile.ZipFile(keras_file) as archive:
        if _WEIGHTS not in archive.namelist():
            return False
        with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as weights:
            return "decoder" in weights and "backbone" not in weights


def _write_with_moved_weights(source: Path, target: Path) -> None:
    """Copy a model file, its weights under the names of today."""
    import h5py

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == _WEIGHTS:
                stored = io.BytesIO(content)
                with h5py.File(stored, "r+") as weights:
                    _move(weights)
                content = stored.getvalue()
            new.writestr(name, content)


def _move(weights: Any) -> None:
    """Rename groups in place: attention blocks and the pointer head, then the parts of the model as a whole."""
    paths: list[str] = []
    weights.visit(paths.append)
    blocks = {path.rpartition("/")[0] for path in paths if path.endswith("/before_thinking")}
    # The deepest first: a path is then still valid when its turn comes.
    for path in sorted(paths, key=lambda each: each.count("/"), reverse=True):
        parent, _, name = path.rpartition("/")
        # The pointer head has a layer `hidden` too, which keeps its name.
        renamed = "feedforward_hidden" if name == "hidden" and parent in blocks else _RENAMED.get(name)
        if renamed is not None:
            weights.move(path, f"{parent}/{renamed}")
    for old, new in _MOVED.items():
        if old in weights:
            weights.move(old, new)
