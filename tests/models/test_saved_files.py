"""Model files: those written before backbones and heads predict as they did, and what cannot be read says why."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from models.saved_files import load_model
from tests.models.batches import random_batch
from tests.models.conftest import tiny

SAVED = Path(__file__).parent / "saved"


@pytest.mark.parametrize("name", ["pointing", "transforming"])
def test_a_file_of_before_predicts_as_it_did(name: str) -> None:
    model = load_model(SAVED / f"{name}_before_backbones.keras")
    expected = json.loads((SAVED / f"{name}_before_backbones.json").read_text())
    found = model.decode(random_batch(), 6)
    assert set(found) == set(expected)
    for key, value in found.items():
        np.testing.assert_allclose(ops.convert_to_numpy(value), expected[key], rtol=1e-5, atol=1e-6, err_msg=key)


def test_a_file_of_before_saved_again_is_one_of_today(tmp_path: Path) -> None:
    model = load_model(SAVED / "pointing_before_backbones.keras")
    model.save(tmp_path / "again.keras")
    again = load_model(tmp_path / "again.keras")
    for ours, theirs in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))
    np.testing.assert_array_equal(model.keys.product_keys, again.keys.product_keys)


def test_a_setting_of_a_later_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "later.keras"
    tiny().save(tmp_path / "now.keras")
    with zipfile.ZipFile(tmp_path / "now.keras") as now, zipfile.ZipFile(path, "w") as later:
        for name in now.namelist():
            content = now.read(name)
            if name == "config.json":
                content = content.replace(b'"session_units"', b'"session_layers": 3, "session_units"')
            later.writestr(name, content)
    with pytest.raises(ValueError, match=r"later\.keras.*session_layers"):
        load_model(path)


def test_what_is_no_model_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "some.keras").write_text("not a model")
    with pytest.raises(ValueError, match=r"some\.keras"):
        load_model(tmp_path / "some.keras")
