"""The whole night through Airflow: raw files in, alerts out, every stage on record."""

import re

import pytest

from pipeline.alerts.queries import open_alerts, publications
from pipeline.evaluation.scorecard import CANDIDATE, Scorecard
from pipeline.stages import read_stages
from pipeline.tables.catalog import TABLES
from tests.end_to_end.conftest import FinishedNight, larder

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
    "publish_alerts",
]


def test_every_stage_ran_once_and_is_shown_with_its_seconds(finished_night: FinishedNight) -> None:
    done = [stage.name for stage in read_stages(finished_night.folder) if stage.status == "done"]
    assert sorted(done) == sorted(STAGES)
    for stage in STAGES:
        assert re.search(rf"^{stage} +[\d,-]+ +[\d,-]+ +\d+\.\d$", finished_night.output, re.MULTILINE), stage


def test_every_table_is_published_under_the_nights_name(finished_night: FinishedNight) -> None:
    lake = finished_night.workspace.lake
    assert [name for name in TABLES if not lake.is_published(name, finished_night.name)] == []
    assert [name for name in TABLES if lake.current(name) is None] == []


def test_every_line_is_accepted_or_rejected(finished_night: FinishedNight) -> None:
    lake, run = finished_night.workspace.lake, finished_night.name
    done = [stage for stage in read_stages(finished_night.folder) if stage.status == "done"]
    kept = sum(lake.manifest(table, run).rows for table in ("transactions", "rejected_transactions"))
    assert next(stage.rows_in for stage in done if stage.name == "ingest_transactions") == kept > 0


def test_the_scorecard_holds_the_candidate_against_the_baselines(finished_night: FinishedNight) -> None:
    card = Scorecard.read(finished_night.folder)
    assert {CANDIDATE, "global_top", "personal_top"} <= set(card.models)
    assert card.customers > 0
    assert "Scorecard" in finished_night.output


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
