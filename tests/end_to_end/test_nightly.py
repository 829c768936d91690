"""The whole night through Airflow: raw files in, alerts out, every stage on record; and one that is killed on its way.

One file, because the tests of a file run in one process and share its night.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.alerts.queries import open_alerts, publications
from pipeline.capabilities import CAPABILITIES
from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard
from pipeline.lake.content import content_hash
from pipeline.settings import REPOSITORY, Settings
from pipeline.sources.source import load_source
from pipeline.stages import read_stages
from pipeline.tables.catalog import TABLES
from pipeline.training.history import read_history
from pipeline.workspace import Workspace
from tests.end_to_end.conftest import FinishedNight, larder
from tests.killing import kill_while

pytestmark = pytest.mark.end_to_end

STAGES = [
    "ingest_transactions",
    "validate_transactions",
    "ingest_products",
    "ingest_stock",
    "build_baskets",
    "build_sequences",
    "validate_sequences",
    "train_model",
    "promote_model",
    "predict_baskets",
    "validate_predictions",
    "forecast_demand",
    "detect_stockouts",
    "detect_anomalies",
    "segment_funnels",
    "publish_alerts",
]

NAMED_AFTER_THE_RUN = {"run_id", "data_version"}


def test_every_stage_ran_once_and_is_shown_with_its_seconds(finished_night: FinishedNight) -> None:
    done = [stage.name for stage in read_stages(finished_night.folder) if stage.status == "done"]
    assert sorted(done) == sorted(STAGES)
    assert done.index("segment_funnels") > done.index("publish_alerts")
    for stage in STAGES:
        assert re.search(
            rf"^{stage}(?: next_basket)? +[\d,-]+ +[\d,-]+ +\d+\.\d$", finished_night.output, re.MULTILINE
        ), stage


def test_every_table_is_published_under_the_nights_name(finished_night: FinishedNight) -> None:
    lake = finished_night.workspace.lake
    assert {name for name in TABLES if lake.is_published(name, finished_night.name)} == _tables_of_a_night()
    assert {name for name in TABLES if lake.current(name)} == _tables_of_a_night()


def test_every_line_is_accepted_or_rejected(finished_night: FinishedNight) -> None:
    lake, run = finished_night.workspace.lake, finished_night.name
    done = [stage for stage in read_stages(finished_night.folder) if stage.status == "done"]
    kept = sum(lake.manifest(table, run).rows for table in ("transactions", "rejected_transactions"))
    assert next(stage.rows_in for stage in done if stage.name == "ingest_transactions") == kept > 0


def test_the_scorecard_holds_the_candidate_against_the_baselines(finished_night: FinishedNight) -> None:
    card = Scorecard.read(finished_night.workspace.task_folder(finished_night.name, "next_basket"))
    assert {CANDIDATE, "global_top", "personal_top"} <= set(card.models)
    assert card.customers > 0
    assert "Scorecard" in finished_night.output


def test_the_champion_of_the_first_night_is_tested_on_mornings_of_which_it_did_not_learn(
    finished_night: FinishedNight,
) -> None:
    done = [stage for stage in read_stages(finished_night.folder) if stage.status == "done"]
    predicted = next(stage for stage in done if stage.name == "predict_baskets")
    assert predicted.details["mornings_backtested"] > 0
    assert "baskets_not_backtested" not in predicted.details


def test_alerts_are_published_and_shown(finished_night: FinishedNight) -> None:
    settings, day = finished_night.settings, finished_night.business_date
    assert [night.run_id for night in publications(settings, "shop")] == [finished_night.name]
    for alert in open_alerts(settings, kind="stockout", source="shop", business_date=day, limit=10):
        assert alert.id in finished_night.output


def test_commands_that_the_summary_names_work(finished_night: FinishedNight) -> None:
    listed = larder(finished_night.environment, "alerts", "list", "--kind", "stockout", "--csv", "-")
    assert "reason" in listed.splitlines()[0]
    out = finished_night.settings.data_dir / "predictions.parquet"
    larder(finished_night.environment, "table", "predictions", "--out", str(out))
    assert out.stat().st_size > 0


def test_a_night_killed_while_it_trains_makes_the_same_tables_and_alerts(
    finished_night: FinishedNight, tmp_path: Path
) -> None:
    """As when the machine loses power; jobs killed while they write: tests/spark_jobs/test_killed_jobs.py."""
    environment = finished_night.environment | {"LARDER_DATA_DIR": str(tmp_path)}
    environment["LARDER_TRAINING__CHECKPOINT_STEPS"] = "1"  # so that there is one to resume from
    settings = Settings(data_dir=tmp_path)
    workspace = Workspace.of(settings, "shop")
    shutil.copytree(finished_night.workspace.raw, workspace.raw)
    runs = workspace.root / "runs"

    def has_checkpoints() -> bool:
        """Two: the first is then whole."""
        return len(list(runs.glob("nightly-*/tasks/**/*.index"))) > 1

    kill_while(environment, "pipeline.cli", "nightly", at_work=has_checkpoints)

    lake, (folder,) = workspace.lake, runs.glob("nightly-*")
    published = {name: version for name in TABLES if (version := lake.current(name))}
    assert {"sequences", "vocabulary"} <= set(published)
    assert "predictions" not in published
    assert all(lake.path(name, version).is_dir() for name, version in published.items())

    larder(environment, "nightly", "--resume", folder.name)
    log = (workspace.task_folder(folder.name, "next_basket") / "training" / "worker-0.log").read_text()
    starts = [int(line.rpartition(" ")[2]) for line in log.splitlines() if "from step" in line]
    assert starts[0] == 0 < starts[-1], "the training went on from a checkpoint"
    for table in _tables_of_a_night():
        assert lake.current(table) == folder.name, table
        undisturbed = content_hash(finished_night.workspace.lake, table, finished_night.name)
        assert content_hash(lake, table, folder.name) == undisturbed, table
    assert _alerts(settings) == _alerts(finished_night.settings)


def test_a_candidate_is_trained_and_fine_tuned_beside_the_nights(finished_night: FinishedNight) -> None:
    fewer = {"LARDER_TRAINING__FINETUNE_EPOCHS": "1", "LARDER_TRAINING__WORKERS": "1"}
    chosen = ("--architecture", "lens_mean", "--finetune", "policy-gradient")
    said = larder(finished_night.environment | fewer, "train", *chosen, "--run-id", "tuned")
    assert "larder model promote --source shop --run-id tuned" in said
    tuned = finished_night.workspace.task_folder("tuned", "next_basket")
    history = tuned / "training"
    assert "reward" in read_history(history / "history.json")[0]
    assert "content" in read_history(history / "supervised" / "history.json")[0]
    assert {CANDIDATE, CHAMPION} <= set(Scorecard.read(tuned).models)
    assert "tuned" in larder(finished_night.environment, "model", "list")


def test_training_without_sequences_says_which_job_makes_them(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "train"],
        env=os.environ | {"LARDER_DATA_DIR": str(tmp_path)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "table sequences has no published version" in done.stderr
    assert "Traceback" not in done.stderr


def _tables_of_a_night() -> set[str]:
    """All but those of capabilities that the shop leaves out, of what no night takes in, and of the other routes."""
    switched_on = load_source("shop").capabilities
    left_out = {table for name, each in CAPABILITIES.items() if name not in switched_on for table in each.writes}
    taken_in = {table for each in CAPABILITIES.values() if each.intake for table in each.reads}
    return set(TABLES) - left_out - taken_in - {"rejected_actions", "customer_demand"}


def _alerts(settings: Settings) -> list[dict[str, object]]:
    """What the open alerts of both kinds say, whatever the run was called."""
    alerts = [
        *open_alerts(settings, kind="stockout", source="shop"),
        *open_alerts(settings, kind="anomaly", source="shop"),
    ]
    return [
        {name: value for name, value in asdict(alert).items() if name not in NAMED_AFTER_THE_RUN} for alert in alerts
    ]
