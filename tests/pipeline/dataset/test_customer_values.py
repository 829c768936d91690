"""Examples and rows of customer values without Spark: held-out days are not learned, parts give what the whole does."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.days import day_of
from pipeline.dataset.customer_value_rows import CLOSED_FORM, ValuePredictor, value_predictor
from pipeline.dataset.customer_values import ValueExamples, model_problems, read_purchases
from pipeline.settings import Settings
from pipeline.tables.customer_days import CUSTOMER_DAYS
from pipeline.task import PredictionInput
from pipeline.tasks.catalog import CUSTOMER_VALUES, task_and_settings
from tests.models.customer_value.customers import START, simulated

N, DAYS = 300, 150
NIGHT = day_of(START + DAYS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of `customer_days`: half of the customers' days, some after the night, and a return."""
    purchases, path = simulated(N, 200), tmp_path_factory.mktemp("customer_days")
    n = len(purchases.days)
    rows = pa.table(
        {
            "customer_id": [f"c{number:03}" for number in purchases.customers],
            "sold_on": pa.array(purchases.days.astype(np.int32)).cast(pa.date32()),
            "lines": np.ones(n, np.int64),
            "bought_cents": (100 * purchases.spend).astype(np.int64),
            "returned_cents": np.where(np.arange(n) % 50 == 0, 100, 0),
        }
    )
    pq.write_table(rows.take(np.random.default_rng(0).permutation(n)), path / "part.parquet")
    return path


def examples(folder: Path, settings: Settings) -> ValueExamples:
    task, of_task = task_and_settings(CUSTOMER_VALUES.name, settings)
    found: ValueExamples = task.examples({CUSTOMER_DAYS.name: folder}, NIGHT, of_task.training)
    return found


def predictor(folder: Path, settings: Settings) -> ValuePredictor:
    _, of_task = task_and_settings(CUSTOMER_VALUES.name, settings)
    return value_predictor(PredictionInput(NIGHT, of_task, {CUSTOMER_DAYS.name: folder}, None))


def customers(folder: Path) -> pa.RecordBatch:
    """Rows as the job makes them."""
    before = pq.read_table(folder).filter(pa.compute.field("sold_on") < NIGHT).to_pylist()
    days: dict[str, list[dict[str, int]]] = {}
    for row in sorted(before, key=lambda row: (row["customer_id"], row["sold_on"])):
        day = {"day": (row["sold_on"] - day_of(0)).days} | {name: row[name] for name in CUSTOMER_DAYS.column_names[2:]}
        days.setdefault(row["customer_id"], []).append(day)
    return pa.RecordBatch.from_pylist([{"customer_id": name, "days": each} for name, each in days.items()])


def test_held_out_days_and_later_ones_change_no_byte_of_the_model(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    cut = examples(folder, settings)
    assert cut.horizon == 30
    assert 0 < cut.n_held_out <= N
    rows = pq.read_table(folder)
    kept = rows.filter(pa.compute.field("sold_on") < day_of(cut.first_held_out))
    pq.write_table(kept, tmp_path / "part.parquet")
    assert cut.fitted().to_json() == examples(tmp_path, settings).fitted().to_json()


def test_a_part_of_the_rows_is_predicted_as_the_whole(folder: Path, settings: Settings) -> None:
    predict, rows = predictor(folder, settings), customers(folder)
    whole = pa.Table.from_batches(predict(rows)).sort_by("customer_id")
    half = rows.num_rows // 2
    parts = pa.Table.from_batches([*predict(rows.slice(half)), *predict(rows.slice(0, half))]).sort_by("customer_id")
    for name in whole.column_names:
        if pa.types.is_floating(whole[name].type):
            np.testing.assert_allclose(parts[name].to_numpy(), whole[name].to_numpy(), rtol=1e-9, err_msg=name)
        else:
            assert parts[name].to_pylist() == whole[name].to_pylist(), name
    assert set(whole["model_version"].to_pylist()) == {CLOSED_FORM}
    assert set(whole["recency_score"].to_pylist()) <= {1, 2, 3, 4, 5}
    assert (whole["spend_90_low_cents"].to_numpy() <= whole["spend_90_high_cents"].to_numpy()).all()
    assert min(whole["next_sold_on"].to_pylist()) >= NIGHT


def test_more_years_are_worth_more_and_a_higher_rate_less(folder: Path, settings: Settings) -> None:
    rows = customers(folder)

    def worth(**values: float) -> float:
        changed = settings.model_copy(update={"values": settings.values.model_copy(update=values)})
        return float(
            sum(pa.compute.sum(part["lifetime_value_cents"]).as_py() for part in predictor(folder, changed)(rows))
        )

    assert worth(years=1) < worth(years=3)
    assert worth(discount_rate=0.3) < worth(discount_rate=0.0)


def test_no_sale_with_a_customer_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ValueError, match="deliver sales with customers or take customer_value out"):
        read_purchases({CUSTOMER_DAYS.name: folder}, day_of(START) - timedelta(days=1))


@pytest.mark.parametrize("text", ["", "{}", '{"name": "blend", "members": {}}', "[NaN]"])
def test_another_file_is_no_model(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    assert model_problems(tmp_path / "model.json")


def test_a_figure_that_is_not_finite_is_found(folder: Path, settings: Settings, tmp_path: Path) -> None:
    text = examples(folder, settings).fitted().to_json()
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(text)
    bad.write_text(text.replace('"horizon": 30,\n "members"', '"horizon": 30,\n "more": NaN,\n "members"'))
    assert model_problems(good) == []
    assert model_problems(bad) == ["figures are not finite"]
