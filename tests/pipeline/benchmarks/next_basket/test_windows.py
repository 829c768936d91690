"""Windows in time: what may be read on a morning, who is tested, and that nothing later changes a ranking."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models.baselines.next_basket import Ranking
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.next_basket.ranker import SETTINGS
from pipeline.benchmarks.next_basket.trial import run_window
from pipeline.benchmarks.next_basket.window_methods import NightsModel, NightsRanker, WindowMethod, window_method
from pipeline.benchmarks.next_basket.windows import N_WINDOWS, WINDOW_DAYS, SourceWindows
from pipeline.cli import app
from pipeline.dataset.histories import read_parts
from pipeline.settings import Settings
from pipeline.tasks.catalog import NEXT_BASKET, task_and_settings
from tests.factories import sequence
from tests.models.baskets import as_lists
from tests.pipeline.dataset.sequences import random_sequences, write_sequences

DAYS = 140
FEW = tuple(replace(each, n_trees=5, min_rows_in_leaf=5) for each in SETTINGS[:2])


def windows(folder: Path, rows: list[dict[str, Any]]) -> SourceWindows:
    return SourceWindows("shop", *write_sequences(folder, rows, row_group_size=25), min_baskets=2)


def with_later_baskets(rows: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    """Every basket on or after `day` but the first holds other products."""
    changed = []
    for row in rows:
        first = sum(sold_on < day for sold_on in row["sold_on"])
        products = [[4, 9] if place > first else of for place, of in enumerate(row["products"])]
        changed.append(sequence(funnel_id=row["funnel_id"], sold_on=row["sold_on"], products=products))
    return changed


def rankings(source: SourceWindows, window: int, method: WindowMethod) -> Ranking:
    with source.morning(window) as morning:
        fold = source.fold(morning)
        method.fit(morning, fold)
        return method.rank(morning, fold, 10)


def test_windows_are_the_last_ones_and_numbered_from_the_oldest(tmp_path: Path) -> None:
    source = windows(tmp_path, random_sequences(60, days=DAYS))
    last = max(day for part in read_parts(tmp_path / "sequences") for day in part.sold_on.tolist())
    ends = source.first_day(N_WINDOWS - 1) + timedelta(days=WINDOW_DAYS - 1)
    assert ends == date(1970, 1, 1) + timedelta(days=last)
    assert source.first_day(0) == ends - timedelta(days=N_WINDOWS * WINDOW_DAYS - 1)
    with pytest.raises(ValueError, match="no window 5"):
        source.first_day(N_WINDOWS)


def test_a_morning_holds_no_later_basket_and_tests_the_first_basket_of_the_window(tmp_path: Path) -> None:
    rows = random_sequences(60, days=DAYS)
    source = windows(tmp_path, rows)
    with source.morning(2) as morning:
        day, end = morning.day, morning.day + timedelta(days=WINDOW_DAYS)
        written = pq.read_table(morning.sequences).to_pylist()
        fold = source.fold(morning)
    expected = {}
    for row in rows:
        n = sum(sold_on < day for sold_on in row["sold_on"])
        known = [product for product in (row["products"][n] if n < len(row["products"]) else []) if product > 2]
        if n >= 2 and n < len(row["sold_on"]) and row["sold_on"][n] < end and known:
            expected[row["funnel_id"]] = (n, known)
    assert written
    assert all(max(row["sold_on"]) < day and len(row["sold_on"]) >= 2 for row in written)
    tested = source.customer_names[fold.histories.customers].tolist()
    assert sorted(tested) == sorted(expected)
    names = [f"p{place}" for place in range(20)]
    for customer, n_baskets, (basket,) in zip(tested, fold.histories.n_baskets, as_lists(fold.truth), strict=True):
        n, known = expected[customer]
        assert n_baskets == n
        assert sorted(source.product_names[basket]) == sorted({names[product - FIRST_PRODUCT] for product in known})


@pytest.mark.parametrize("name", ["personal-then-global", "global-top", "ranker"])
def test_nothing_after_the_morning_changes_a_ranking(tmp_path: Path, name: str) -> None:
    rows = random_sequences(80, days=DAYS)
    source = windows(tmp_path / "one", rows)
    later = windows(tmp_path / "other", with_later_baskets(rows, source.first_day(3)))
    made = [rankings(each, 3, NightsRanker(0, FEW) if name == "ranker" else window_method(name, 0))
            for each in (source, later)]  # fmt: skip
    assert made[0].products.any()
    np.testing.assert_array_equal(made[0].products, made[1].products)
    np.testing.assert_array_equal(made[0].scores, made[1].scores)


def test_the_model_takes_the_passes_that_its_name_says(tmp_path: Path) -> None:
    source = windows(tmp_path, random_sequences(60, days=DAYS))
    found, rows, customers = run_window(source, "lens@2", 4)
    assert found["settings"]["passes"] == found["settings"]["training"]["epochs"] == 2
    assert found["window"] == source.first_day(4).isoformat()
    assert len(customers) == found["customers"]["test"] > 0
    assert set(rows["product"].to_pylist()) <= set(source.product_names[FIRST_PRODUCT:])


def test_without_a_number_it_takes_a_nights_own() -> None:
    _, settings = task_and_settings(NEXT_BASKET.name, Settings())
    nightly = settings.training.model_copy(update={"workers": 1})
    assert NightsModel("lens", 0, None).settings()["training"] == nightly.model_dump()


@pytest.mark.parametrize("name", ["lens@0", "lens@two", "nothing"])
def test_unknown_methods_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        window_method(name, 0)


def test_an_unknown_protocol_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    command = ["benchmark", "next-basket", "--dataset", "shop", "--protocol", "seasons", "--models", "lens"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "seasons" in done.output
    assert "last-baskets" in done.output
