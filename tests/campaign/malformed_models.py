"""Model files that are none of ours, each refused with its reason; no code of any of them is run."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import load_error
from tests.pipeline.tracking.nights import N_PRODUCTS, tiny_model

RAN = "ran"  # the file that a piece of code would write
Members = dict[str, bytes]
Spoil = Callable[[Members, Path], Members | bytes]


@cache
def whole() -> bytes:
    """A file that is right."""
    path = Path.cwd() / ".campaign-model.keras"
    try:
        tiny_model().save(path)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _members(content: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _config(change: Callable[[dict[str, Any], Path], Any]) -> Spoil:
    def spoil(members: Members, folder: Path) -> Members:
        config = json.loads(members["config.json"])
        changed = change(config, folder)
        return members | {"config.json": json.dumps(config if changed is None else changed).encode()}

    return spoil


def _weights(change: Callable[[np.ndarray], np.ndarray | None]) -> Spoil:
    """Each array of numbers changed, or left out."""

    def spoil(members: Members, _folder: Path) -> Members:
        stored = io.BytesIO(members["model.weights.h5"])
        with h5py.File(stored, "r+") as file:
            found: list[str] = []
            file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Dataset) else None)
            for name in found:
                if file[name].dtype.kind != "f":
                    continue
                changed = change(file[name][...])
                del file[name]
                if changed is not None:
                    file[name] = changed
        return members | {"model.weights.h5": stored.getvalue()}

    return spoil


def _code(module: str | None, name: str, registered: str | None = None) -> Spoil:
    """The class of the model is a function of Python that would write a file."""

    def change(config: dict[str, Any], folder: Path) -> None:
        config |= {"module": module, "class_name": name, "registered_name": registered}
        config["config"] = {"command": f"touch {folder / RAN}", "args": [f"touch {folder / RAN}"]}

    return _config(change)


def _inner(layer: Callable[[Path], dict[str, Any]]) -> Spoil:
    """A layer somewhere in the settings of our own class, which Keras would make first."""

    def change(config: dict[str, Any], folder: Path) -> None:
        config["config"] = {**config["config"], "backbone": layer(folder)}

    return _config(change)


def _lambda(folder: Path) -> dict[str, Any]:
    import base64
    import marshal

    code = compile(f"open({str(folder / RAN)!r}, 'w')", "x", "eval")
    function = {
        "class_name": "__lambda__",
        "config": {"code": base64.b64encode(marshal.dumps(code)).decode(), "defaults": None, "closure": None},
    }
    return {
        "module": "keras.layers",
        "class_name": "Lambda",
        "registered_name": None,
        "config": {"name": "x", "function": function},
    }


def _pickle(folder: Path) -> bytes:
    """What would write the file when it is loaded as a pickle."""
    return f"cposix\nsystem\n(S'touch {folder / RAN}'\ntR.".encode()


def _without(*names: str) -> Spoil:
    return lambda members, _folder: {name: content for name, content in members.items() if name not in names}


CASES: dict[str, Spoil] = {
    "nothing": lambda _members, _folder: b"",
    "noise": lambda _members, _folder: bytes(range(256)) * 99,
    "half of it": lambda members, _folder: _zipped(members)[:-200],
    "a pickle": lambda _members, folder: _pickle(folder),
    "an archive of nothing": lambda _members, _folder: {},
    "no description": _without("config.json"),
    "no weights": _without("model.weights.h5"),
    "weights that are a pickle": lambda members, folder: members | {"model.weights.h5": _pickle(folder)},
    "a description that is none": lambda members, _folder: members | {"config.json": b"{"},
    "a description that is a list": _config(lambda _config, _folder: [1]),
    "a description that is a number": lambda members, _folder: members | {"config.json": b"1e999"},
    "a description without end": lambda members, _folder: members | {"config.json": b"[" * 100_000},
    "NaN in the weights": _weights(lambda array: array * np.nan),
    "infinite weights": _weights(lambda array: array + np.inf),
    "weights left out": _weights(lambda _array: None),
    "weights of another shape": _weights(lambda array: np.zeros((*array.shape, 2), array.dtype)),
    "os.system as the class": _code("os", "system"),
    "subprocess as the class": _code("subprocess", "Popen"),
    "os.system under our name": _code("os", "system", "larder>Lens"),
    "a lambda in a layer": _inner(_lambda),
    "a function as a layer": _inner(
        lambda folder: {"module": "os", "class_name": "system", "config": f"touch {folder / RAN}"}
    ),
    "another class of Keras": _config(
        lambda config, _folder: config.update(module="keras", class_name="Sequential", registered_name=None)
    ),
}


def refused(case: str, folder: Path) -> str:
    """The reason for which a file is not used: found without running it, or by Keras when it is loaded.

    Raises: AssertionError: it was used, without a reason, or something of it was run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, vocabulary = folder / "model.keras", folder / "vocabulary"
    vocabulary.mkdir()
    names = [f"p{number}" for number in range(3, N_PRODUCTS)]
    rows = {"product_index": list(range(3, N_PRODUCTS)), "product_id": names, "vocabulary_hash": ["v1"] * len(names)}
    pq.write_table(pa.table(rows), vocabulary / "part.parquet")
    spoiled = CASES[case](_members(whole()), folder)
    path.write_bytes(spoiled if isinstance(spoiled, bytes) else _zipped(spoiled))
    # Both ways in, each by itself: what is looked at without running it, and what Keras does with it.
    problems = NEXT_BASKET.problems(path, {"vocabulary": vocabulary})
    loading = load_error(NEXT_BASKET, path)
    assert not (folder / RAN).exists(), f"{case}: code of the file was run"
    reasons = [*problems, *([loading] if loading else [])]
    assert reasons, f"{case}: was used"
    return reasons[0]
