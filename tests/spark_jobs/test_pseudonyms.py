"""From the first line on, nothing that a night stores holds a customer id in clear."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.settings import Settings
from pipeline.sources.pseudonyms import pseudonym
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from spark_jobs.ingest_transactions import main
from tests.spark_jobs.till import GOOD, deliver

KEY = "0123456789abcdef" * 2
CUSTOMER = "customer-0815"


@pytest.fixture
def source(toml: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    path = Path(toml())
    path.write_text(path.read_text() + "\n[customers]\npseudonymise = true\n")
    monkeypatch.setenv("LARDER_CUSTOMER_KEY", KEY)
    return str(path)


def ingest(source: str, run_id: str = "run1") -> Workspace:
    main(["--source", source, "--business-date", "2026-02-11", "--run-id", run_id])
    workspace = Workspace.of(Settings(), load_source(source).name)
    workspace.lake.publish("transactions", run_id)
    return workspace


def test_transactions_and_refused_lines_hold_keyed_hashes(spark: SparkSession, tmp_path: Path, source: str) -> None:
    good = GOOD.replace("c1", CUSTOMER)
    deliver(tmp_path, "a.csv", good, good, good + ",one field too many", good.replace("3.50", "much"))
    lake = ingest(source).lake
    (row,) = spark.read.parquet(str(lake.path("transactions", "run1"))).collect()
    assert row.customer_id == pseudonym(KEY.encode(), CUSTOMER)
    refused = spark.read.parquet(str(lake.path("rejected_transactions", "run1"))).collect()
    assert sorted(each.reason for each in refused) == ["column_count", "duplicate_line", "unparseable_number"]
    kept = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        content = path.read_bytes()
        assert CUSTOMER.encode() not in content, path
        assert KEY.encode() not in content, path


def test_without_the_key_nothing_is_read(
    spark: SparkSession, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(tmp_path, "a.csv", GOOD)
    monkeypatch.delenv("LARDER_CUSTOMER_KEY")
    with pytest.raises(SystemExit, match=r"ingest_transactions: source till pseudonymises .* there is no key"):
        ingest(source)


def test_another_key_is_refused(
    spark: SparkSession, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(tmp_path, "a.csv", GOOD)
    ingest(source)
    monkeypatch.setenv("LARDER_CUSTOMER_KEY", KEY[::-1])
    deliver(tmp_path, "b.csv", GOOD.replace("b1", "b2"))
    with pytest.raises(SystemExit, match="customers taken in so far are written otherwise"):
        ingest(source, "run2")
