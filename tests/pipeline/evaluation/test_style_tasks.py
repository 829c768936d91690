"""Examples of article vectors and styles: the held-out days change none, and nobody teaches both."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.refusal import Refusal
from models.style_config import StyleConfig
from models.style_fields import VIEWED
from pipeline.dataset.style_data import StyleData
from pipeline.evaluation.style_tasks import ItemVectorExamples, StyleTaskExamples
from pipeline.settings import TrainingSettings
from tests.pipeline.dataset.fashion_tables import SMALL, fashion_tables

SETTINGS = TrainingSettings(holdout_days=20)
FIRST_HELD_OUT = SMALL.business_date - timedelta(days=20)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small fashion shop without pictures, its vectors at random."""
    return fashion_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def changed(tables: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same tables; in the held-out days everyone bought one and the same article, and looked at no other."""
    folder = tmp_path_factory.mktemp("changed")
    rows = pq.read_table(tables["baskets"]).to_pylist()
    for row in rows:
        if row["sold_on"] >= FIRST_HELD_OUT:
            row["products"] = [row["products"][0] | {"product_id": "F00000"}]
    pq.write_table(
        pa.Table.from_pylist(rows, pq.read_schema(next(tables["baskets"].rglob("*.parquet")))), folder / "b.parquet"
    )
    views = pq.read_table(tables["views"])
    late = pc.greater_equal(views["viewed_on"], pa.scalar(FIRST_HELD_OUT))
    looked = pc.if_else(late, pa.scalar("F00000"), views["product_id"])
    pq.write_table(views.set_column(1, "product_id", looked), folder / "v.parquet")
    return tables | {"baskets": folder / "b.parquet", "views": folder / "v.parquet"}


def items_of(tables: dict[str, Path]) -> ItemVectorExamples:
    return ItemVectorExamples.open(tables, SMALL.business_date, SETTINGS)


def styles_of(tables: dict[str, Path]) -> StyleTaskExamples:
    return StyleTaskExamples.open(tables, SMALL.business_date, SETTINGS, StyleConfig())


def test_held_out_days_change_no_example_but_the_question(tables: dict[str, Path], changed: dict[str, Path]) -> None:
    for make in (items_of, styles_of):
        before, after = make(tables), make(changed)
        for step in (0, 3):
            one, other = before.batch(step, 8), after.batch(step, 8)
            assert one.keys() == other.keys()
            for name in one:
                np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        assert before.held_out.problem.columns.tolist() != after.held_out.problem.columns.tolist()
    assert items_of(tables).training.reader == items_of(changed).training.reader


def test_views_of_the_night_are_read(tables: dict[str, Path]) -> None:
    examples = styles_of(tables)
    assert examples.training.reads_views
    assert examples.batch(0, 8)[VIEWED].any()


def test_nobody_teaches_vectors_and_styles_or_is_measured_by_what_taught_vectors(tables: dict[str, Path]) -> None:
    data = StyleData.open(tables, SMALL.business_date, images=False)
    taught = set(items_of(tables).training.customers.tolist())
    asked = set(styles_of(tables).held_out.problem.customers.tolist())
    assert taught <= set(np.flatnonzero(data.teaches_vectors).tolist())
    assert asked.isdisjoint(np.flatnonzero(data.teaches_vectors).tolist())
    fewer = replace(data, customers=data.customers[5:])
    assert fewer.teaches_vectors.tolist() == data.teaches_vectors[5:].tolist(), "the same on every night"


def test_a_pass_is_never_shorter_than_is_worth_keeping_a_model_for(tables: dict[str, Path]) -> None:
    examples = items_of(tables)
    assert examples.steps_per_epoch(128) >= 250
    assert examples.steps_per_epoch(128) % examples.training.steps_per_epoch(128) == 0


def test_days_in_which_nobody_comes_back_say_what_to_change(tables: dict[str, Path]) -> None:
    with pytest.raises(Refusal, match=r"training\.holdout_days"):
        ItemVectorExamples.open(tables, SMALL.business_date + timedelta(days=60), SETTINGS)
