"""Raw Ta-Feng: baskets by customer and day, and who is in which part."""

from pathlib import Path

import numpy as np
import pytest

from models.basket_sequences import BasketSequences
from pipeline.benchmarks.data.tafeng import TaFeng
from tests.models.baskets import as_lists
from tests.pipeline.benchmarks.folders import write_tafeng

LINES = [
    ("11/2/2000", "00001", "470001", 1),
    ("11/1/2000", "00001", "470002", 2),
    ("11/2/2000", "00001", "470002", 1),
    ("11/2/2000", "00001", "470001", 3),
    ("12/1/2000", "00002", "470001", 1),
    ("1/1/2001", "00003", "470003", 1),
    ("2/1/2001", "00003", "470001", 1),
]


def test_a_basket_is_a_customers_day_and_one_basket_is_not_enough(tmp_path: Path) -> None:
    write_tafeng(tmp_path / "ta_feng.csv.zip", LINES)
    dataset = TaFeng(tmp_path / "ta_feng.csv.zip")
    assert dataset.customer_names.tolist() == ["00001", "00003"]
    # 470001 and 470002 are on two days each, 470003 on one.
    assert dataset.product_names.tolist() == ["", "", "", "470001", "470002", "470003"]
    fold = dataset.fold(0)
    whole = BasketSequences.joined([fold.train, fold.validation, fold.histories])
    assert sorted(whole.customers.tolist()) == [0, 1]
    shown = dict(zip(whole.customers.tolist(), as_lists(whole), strict=True))
    tested = int(fold.truth.customers[0])
    shown[tested] += as_lists(fold.truth)[0]
    assert shown == {0: [[4], [3, 4]], 1: [[5], [3]]}


def test_quantities_and_days_stay_with_their_baskets(tmp_path: Path) -> None:
    lines = [(f"11/{day}/2000", f"{customer:05}", "1", day) for customer in range(10) for day in (3, 5, 9)]
    write_tafeng(tmp_path / "ta_feng.csv.zip", lines)
    fold = TaFeng(tmp_path / "ta_feng.csv.zip").fold(1)
    assert [len(part) for part in (fold.train, fold.validation, fold.histories)] == [6, 1, 3]
    assert fold.truth.quantities is not None
    assert fold.truth.sold_on is not None
    assert fold.truth.quantities.tolist() == [9.0] * 3
    first = np.datetime64("2000-11-09").astype("datetime64[D]").astype(int)
    assert fold.truth.sold_on.tolist() == [first] * 3
    assert fold.histories.quantities is not None
    assert fold.histories.quantities.tolist() == [3.0, 5.0] * 3


def test_no_customer_is_in_two_parts(tmp_path: Path) -> None:
    lines = [(f"11/{day}/2000", f"{customer:05}", "1", 1) for customer in range(40) for day in (3, 5)]
    write_tafeng(tmp_path / "ta_feng.csv.zip", lines)
    fold = TaFeng(tmp_path / "ta_feng.csv.zip").fold(2)
    numbers = np.concatenate([part.customers for part in (fold.train, fold.validation, fold.histories)])
    assert sorted(numbers.tolist()) == list(range(40))


def test_a_file_not_fetched_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="larder source fetch tafeng"):
        TaFeng(tmp_path / "ta_feng.csv.zip")
