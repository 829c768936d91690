"""The Reality-Check folder: form, folds, and what a method is shown."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.benchmarks.data.catalog import open_dataset
from pipeline.benchmarks.data.reality_check import RealityCheck
from pipeline.sources.source import SourceError
from tests.models.baskets import as_lists
from tests.pipeline.benchmarks.folders import write_reality_check


def test_a_history_and_its_next_basket_are_separated(tmp_path: Path) -> None:
    write_reality_check(tmp_path, {"7": [[0, 2], [1]], "9": [[2], [2, 0]], "11": [[1], [1]]})
    dataset = RealityCheck(tmp_path)
    fold = dataset.fold(0)
    assert [len(part) for part in (fold.train, fold.validation, fold.histories, fold.truth)] == [2, 0, 1, 1]
    shown = dict(zip(dataset.customer_names[fold.train.customers], as_lists(fold.train), strict=True))
    tested = str(dataset.customer_names[fold.histories.customers[0]])
    parted = {tested: [*as_lists(fold.histories)[0], *as_lists(fold.truth)[0]]}
    assert shown | parted == {"7": [[3, 5], [4]], "9": [[5], [3, 5]], "11": [[4], [4]]}
    assert dataset.product_names.tolist() == ["", "", "", "0", "1", "2"]


def test_folds_are_the_published_ones(tmp_path: Path) -> None:
    write_reality_check(tmp_path, {str(number): [[number], [number]] for number in range(50)})
    fold = RealityCheck(tmp_path).fold(3)
    order = np.random.RandomState(3).permutation(50)
    assert fold.train.customers.tolist() == order[:36].tolist()
    assert fold.validation.customers.tolist() == order[36:40].tolist()
    assert fold.histories.customers.tolist() == order[40:].tolist()


def test_a_folder_without_the_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"history\.json is missing"):
        open_dataset(["reality-check", str(tmp_path)])


def test_files_of_different_customers_are_an_error(tmp_path: Path) -> None:
    write_reality_check(tmp_path, {"7": [[0], [1]]})
    (tmp_path / "future.json").write_text(json.dumps({"8": [[-1], [1], [-1]]}))
    with pytest.raises(ValueError, match="different customers"):
        RealityCheck(tmp_path)


@pytest.mark.parametrize("words", [["instacart"], ["tafeng", "somewhere"], ["reality-check"]])
def test_an_unknown_data_set_is_an_error(words: list[str]) -> None:
    with pytest.raises((ValueError, SourceError)):
        open_dataset(words)
