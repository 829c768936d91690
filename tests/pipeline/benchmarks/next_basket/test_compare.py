"""`larder benchmark next-basket`: what it writes, and that finished trials are kept."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.benchmarks.data.reality_check import RealityCheck
from pipeline.benchmarks.next_basket.compare import compare, paired_differences, summary, table
from pipeline.cli import app
from tests.models.baskets import as_lists
from tests.pipeline.benchmarks.folders import write_small_reality_check

MODELS = ["personal-then-global", "tifu-knn"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 60 customers."""
    made = tmp_path_factory.mktemp("reality_check")
    write_small_reality_check(made)
    return made


@pytest.fixture(scope="module")
def out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods, two seeds, compared by the command."""
    made = tmp_path_factory.mktemp("out") / "comparison"
    command = ["benchmark", "next-basket", "--dataset", "reality-check", str(folder), "--seeds", "0..1"]
    done = CliRunner().invoke(app, [*command, "--models", ",".join(MODELS), "--out", str(made)])
    assert done.exit_code == 0, done.output
    return made


def test_scores_have_mean_and_deviation_of_every_method(out: Path, folder: Path) -> None:
    scores = json.loads((out / "scores.json").read_text())
    assert scores["dataset"] == "reality-check"
    assert str(folder) not in json.dumps(scores)
    assert list(scores["models"]) == MODELS
    for of_model in scores["models"].values():
        assert of_model["seeds"] == [0, 1]
        assert 0.0 < of_model["metrics"]["recall@10"]["mean"] <= 1.0
        assert of_model["peak_mb"]["mean"] > 0
    assert scores["models"]["tifu-knn"]["settings"]["alpha"] == 0.1


def test_rankings_can_be_scored_again_by_anyone(out: Path, folder: Path) -> None:
    rankings = pq.read_table(out / "rankings.parquet").to_pandas()
    assert list(rankings.columns) == ["model", "seed", "customer", "rank", "product", "probability"]
    dataset = RealityCheck(folder)
    recalls = []
    for seed in (0, 1):
        fold = dataset.fold(seed)
        chosen = rankings[(rankings["model"] == "tifu-knn") & (rankings["seed"] == seed) & (rankings["rank"] <= 10)]
        named = chosen.groupby("customer")["product"].agg(set)
        customers = dataset.customer_names[fold.truth.customers]
        for customer, (basket,) in zip(customers, as_lists(fold.truth), strict=True):
            true = set(dataset.product_names[basket])
            recalls.append(len(true & named[customer]) / len(true))
    scores = json.loads((out / "scores.json").read_text())
    assert np.mean(recalls) == pytest.approx(scores["models"]["tifu-knn"]["metrics"]["recall@10"]["mean"], abs=1e-5)


def test_the_table_has_a_line_for_every_method_and_every_difference(out: Path) -> None:
    methods, differences, _ = (out / "table.md").read_text().split("\n\n")
    assert methods.startswith("| method | R@10 |")
    assert [line.split("|")[1].strip() for line in methods.splitlines()[2:]] == MODELS
    assert differences.startswith(f"| {MODELS[0]} ahead of | R@10 | nDCG@10 | hit@10 |")
    assert [line.split("|")[1].strip() for line in differences.splitlines()[2:]] == MODELS[1:]


def test_paired_differences_are_of_the_same_customers_who_count_once_in_the_error(out: Path) -> None:
    customers = pq.read_table(out / "customers.parquet")
    scores = json.loads((out / "scores.json").read_text())
    means = {model: of["metrics"]["recall@10"]["mean"] for model, of in scores["models"].items()}
    once = paired_differences(customers)["tifu-knn"]["recall@10"]
    assert once["mean"] == pytest.approx(means[MODELS[0]] - means[MODELS[1]], abs=2e-5)
    # The same customers tested again by further seeds say nothing new.
    frame = customers.to_pandas()
    again = pd.concat([frame, frame.assign(seed=frame["seed"] + 2)])
    assert paired_differences(pa.Table.from_pandas(again))["tifu-knn"]["recall@10"] == once


def test_finished_trials_are_kept_and_a_new_method_joins_them(out: Path, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.glob("trials/*/trial.json")}
    trials = compare(["reality-check", str(folder)], [*MODELS, "global-top"], [0], out, lambda _: None)
    assert [trial["model"] for trial in trials] == [*MODELS, "global-top"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(out.glob("trials/*/trial.json"))) == len(before) + 1


def test_a_method_configured_otherwise_is_tried_again(out: Path, folder: Path) -> None:
    trial = out / "trials" / "tifu-knn-0" / "trial.json"
    found = json.loads(trial.read_text())
    trial.write_text(json.dumps(found | {"configured": found["configured"] | {"alpha": 0.7}}))
    compare(["reality-check", str(folder)], ["tifu-knn"], [0], out, lambda _: None)
    assert json.loads(trial.read_text())["configured"]["alpha"] == 0.1


def test_another_data_set_does_not_go_into_the_same_folder(out: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose another --out"):
        compare(["reality-check", str(tmp_path)], ["tifu-knn"], [0], out, lambda _: None)


def test_a_failed_trial_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"history\.json is missing"):
        compare(["reality-check", str(tmp_path)], ["tifu-knn"], [0], tmp_path / "out", lambda _: None)


def test_one_seed_has_no_deviation(folder: Path, out: Path) -> None:
    trials = compare(["reality-check", str(folder)], ["tifu-knn"], [0], out, lambda _: None)
    assert "±" not in table(summary(trials, out))


@pytest.mark.parametrize(
    ("option", "said"),
    [(["--models", "tifu"], "unknown model 'tifu'"), (["--models", "tifu-knn", "--seeds", "a"], "write a range as")],
)
def test_a_wrong_option_is_one_line(option: list[str], said: str, folder: Path, tmp_path: Path) -> None:
    command = ["benchmark", "next-basket", "--dataset", "reality-check", str(folder), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*command, *option])
    assert done.exit_code == 1
    assert said in done.output
