"""What customers looked at becomes views: of customers alone, of the kinds asked for, before the business date."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from pipeline.erasure.erase import delivered_files_with, erase
from pipeline.settings import Settings
from pipeline.sources.pseudonyms import pseudonym
from pipeline.sources.source import SourceError, load_source
from pipeline.workspace import Workspace
from spark_jobs.ingest_views import main

DAY = date(2026, 3, 1)
KEY = "0123456789abcdef" * 2
DESCRIPTION = """
name = "boutique"
files = "sales.csv"
timezone = "Europe/Berlin"
time_format = "%Y-%m-%d"
columns = { sold_at = "day", customer = "who", product = "what", quantity = "n", amount = "paid" }

[sessions]
files = "views*.csv*"
kinds = ["View", "wishlist"]
columns = { customer = "visitor", product = "article", viewed_at = "at", kind = "event" }
"""
HEADER = "at,visitor,article,event\n"
GOOD = "2026-02-27 00:30:00,anna,dress,view\n"


@pytest.fixture
def described(tmp_path: Path, settings: Settings) -> Path:
    """A source with sales of Anna and Bert and no session file yet."""
    folder = tmp_path / "boutique"
    folder.mkdir()
    (folder / "boutique.toml").write_text(DESCRIPTION)
    (folder / "sales.csv").write_text("day,who,what,n,paid\n2026-02-01,anna,dress,1,9.00\n2026-02-01,bert,hat,1,9.00\n")
    return folder / "boutique.toml"


def ingest(source: Path | str, run_id: str = "run1") -> Workspace:
    main(["--source", str(source), "--business-date", DAY.isoformat(), "--run-id", run_id])
    return Workspace.of(Settings(), load_source(str(source)).name)


def views(spark: SparkSession, workspace: Workspace, run_id: str = "run1") -> list[Row]:
    rows = spark.read.parquet(str(workspace.lake.path("views", run_id))).collect()
    return sorted(rows, key=lambda row: (row.viewed_at_utc, row.customer_id, row.product_id))


def test_views_are_of_customers_of_the_kinds_asked_for_and_before_the_business_date(
    spark: SparkSession, described: Path
) -> None:
    with gzip.open(described.parent / "views1.csv.gz", "wt") as file:
        file.write(HEADER + GOOD + "2026-02-28 23:59:59,anna,hat,WISHLIST\n2026-03-01 00:00:00,anna,coat,view\n")
    (described.parent / "views2.csv").write_text(
        HEADER
        + GOOD  # said twice, it is one
        + "2026-02-20 10:00:00,bert,hat,shown\n2026-02-20 10:00:00,,hat,view\n2026-02-20 10:00:00,0,hat,view\n"
    )
    found = views(spark, ingest(described))
    assert [(row.customer_id, row.product_id, row.viewed_on) for row in found] == [
        ("anna", "dress", date(2026, 2, 27)),
        ("anna", "hat", date(2026, 2, 28)),
    ]
    assert found[0].viewed_at_utc == datetime(2026, 2, 26, 23, 30, tzinfo=UTC).replace(tzinfo=None), "as in Berlin"


def test_a_source_without_sessions_has_an_empty_table(spark: SparkSession, settings: Settings) -> None:
    assert views(spark, ingest("tafeng")) == []


def test_lines_that_cannot_be_read_are_counted_and_too_many_end_the_job_with_one_named(
    spark: SparkSession, described: Path
) -> None:
    file = described.parent / "views1.csv"
    file.write_text(HEADER + 97 * GOOD + "soon,anna,hat,view\n2026-02-20 10:00:00,anna,,view\n")
    workspace = ingest(described)
    assert len(views(spark, workspace)) == 1
    record = (workspace.runs / "run1" / "stages.jsonl").read_text()
    assert '"refused": {"missing_key": 1, "unparseable_date": 1}' in record
    file.write_text(HEADER + GOOD + "soon,anna,hat,view\nlater,anna,hat,view\n2026-02-20 10:00:00,anna,,view\n")
    with pytest.raises(
        SystemExit, match=r"3 of 4 lines .* views1.csv line 3 \(unparseable_date in column 'at': 'soon'"
    ):
        ingest(described, "run2")
    assert workspace.lake.resolve("views", "none") == "run1", "readers keep the night before"


def test_missing_files_and_columns_are_named(described: Path, spark: SparkSession) -> None:
    with pytest.raises(SystemExit, match=r"no file matches .*views\*.csv\* \(sessions\)"):
        ingest(described)
    (described.parent / "views1.csv").write_text("at,visitor,event\n")
    with pytest.raises(SystemExit, match=r"column 'article' \(columns.product\) is missing"):
        ingest(described)
    described.write_text(DESCRIPTION.replace('"wishlist"', '" "'))
    with pytest.raises(SourceError, match=r"sessions.kinds.*a kind is empty"):
        load_source(str(described))
    described.write_text(DESCRIPTION.replace(', kind = "event"', ""))
    with pytest.raises(SourceError, match=r"sessions.*kinds needs columns.kind"):
        load_source(str(described))


def test_views_hold_pseudonyms_and_an_erased_customer_leaves_them(
    spark: SparkSession, described: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described.write_text(DESCRIPTION + "\n[customers]\npseudonymise = true\n")
    file = described.parent / "views1.csv"
    file.write_text(HEADER + GOOD + GOOD.replace("anna", "bert"))
    with pytest.raises(SystemExit, match="LARDER_CUSTOMER_KEY"):
        ingest(described)
    monkeypatch.setenv("LARDER_CUSTOMER_KEY", KEY)
    workspace = ingest(described)
    anna, bert = (pseudonym(KEY.encode(), name) for name in ("anna", "bert"))
    assert {row.customer_id for row in views(spark, workspace)} == {anna, bert}
    source = load_source(str(described))
    assert erase(Settings(), source, "anna", KEY.encode()).lake["views"] == {"run1": 1}
    spark.catalog.clearCache()
    assert [row.customer_id for row in views(spark, workspace)] == [bert]
    assert delivered_files_with(source, workspace, "anna") == [described.parent / "sales.csv", file]
