"""Methods for the rest of a case are compared on the same moments, and their rows carry every score."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models.actions.action_log import FIRST_ACTION, prefixes_of
from pipeline.benchmarks.actions.compare import compare
from pipeline.benchmarks.actions.logs import divided, log_of_sales, open_log, part_of, perfect_remainders
from pipeline.cli import app
from pipeline.evaluation.actions import rest_metrics
from pipeline.simulator.sales_cases import SalesSettings, simulate_cases


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """Sixty cases that all go a, b, c, one after another."""
    rows = [
        f"{case},{action},2025-01-{1 + case % 28:02d} 0{hour}:00:00"
        for case in range(60)
        for hour, action in enumerate("abc", start=1)
    ]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(["Case ID,Activity,Time", *rows]) + "\n")
    return file


def test_the_first_cases_by_start_train_and_the_others_test(log_file: Path) -> None:
    named = open_log("mine", log_file)
    examples = divided(named, seed=0, longest_past=5, longest_rest=5)
    assert (np.diff(named.log.first_seconds) >= 0).all()
    assert examples.train.rows.max() < 40 <= examples.held_out.rows.min()
    assert (examples.held_out.ends >= 2).all()


def test_scores_are_those_of_the_rows(log_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scores = compare(
        "mine", log_file, ["actions_medoid", "actions_ngram"], [0], part="test", out=out, say=lambda _: None
    )
    assert scores["actions_medoid"]["scores"]["exact"]["mean"] == 1.0
    rows = pq.read_table(out / "predicted.parquet").to_pylist()
    assert len(rows) == 2 * 20
    for model in scores:
        of_model = [row for row in rows if row["model"] == model]
        again = rest_metrics(
            [tuple(row["predicted"]) for row in of_model], [tuple(row["observed"]) for row in of_model]
        )
        assert again["similarity"] == pytest.approx(scores[model]["scores"]["similarity"]["mean"])


def test_validation_looks_at_no_case_of_the_test_and_divides_as_the_test_does(log_file: Path) -> None:
    whole = open_log("mine", log_file)
    first = part_of(whole, "validation")
    assert first.case_ids.tolist() == whole.case_ids[:40].tolist()
    examples = divided(first, seed=0, longest_past=5, longest_rest=5)
    assert examples.train.rows.max() < 26 <= examples.held_out.rows.min()
    with pytest.raises(ValueError, match="unknown part 'tset'"):
        part_of(whole, "tset")


def test_a_finished_trial_is_kept_for_the_same_part_alone(log_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = compare("mine", log_file, ["actions_medoid"], [0], part="test", out=out, say=lambda _: None)
    trial = out / "trials" / "actions_medoid_0" / "trial.json"
    written = trial.stat().st_mtime_ns
    again = compare("mine", log_file, ["actions_medoid"], [0], part="test", out=out, say=lambda _: None)
    assert again == first
    assert trial.stat().st_mtime_ns == written
    with pytest.raises(ValueError, match="choose another --out"):
        compare("mine", log_file, ["actions_medoid"], [0], part="validation", out=out, say=lambda _: None)


def test_the_ceiling_is_the_noise_of_the_generator() -> None:
    settings = SalesSettings()
    named = log_of_sales(simulate_cases(settings))
    moments = prefixes_of(named.log)
    first = [rest[0] if rest else 0 for rest in perfect_remainders(named, moments)]
    came = [int(named.log.case(row)[end]) for row, end in zip(moments.rows, moments.ends, strict=True)]
    assert np.mean(np.array(first) == came) == pytest.approx(1 - settings.random_share * 0.9, abs=0.01)
    assert min(first) >= FIRST_ACTION


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "mine"], "name the CSV file"),
        (["--dataset", "sales", "--models", "actions_lstmm"], "actions_lstm"),
    ],
)
def test_wrong_names_end_in_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["benchmark", "actions", *arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output
