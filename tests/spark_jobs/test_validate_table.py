"""The gate job publishes what is good, stops the night at what is not, and may be repeated."""

import pytest
from pyspark.sql import SparkSession

from pipeline.stages import read_stages
from pipeline.workspace import Run, Workspace
from spark_jobs.session import stage_table
from spark_jobs.validate_table import main
from tests.factories import BUSINESS_DATE, sequence, vocabulary_entry
from tests.published_tables import frame

RUN = Run("shop", BUSINESS_DATE, "run1")


def arguments(table: str) -> list[str]:
    return ["--source", "shop", "--business-date", str(BUSINESS_DATE), "--run-id", "run1", "--table", table]


def stage(spark: SparkSession, workspace: Workspace, table: str, *rows: dict) -> None:
    stage_table(frame(spark, table, rows), workspace, table, RUN, {}, files=1)


def test_sequences_are_published_with_their_vocabulary(spark: SparkSession, workspace: Workspace) -> None:
    stage(spark, workspace, "vocabulary", vocabulary_entry())
    stage(spark, workspace, "sequences", sequence(), sequence(funnel_id="c2"))
    main(arguments("sequences"))
    main(arguments("sequences"))  # a retry finds its work done
    assert workspace.lake.current("vocabulary") == workspace.lake.current("sequences") == "run1"
    done = read_stages(workspace.run_folder("run1"))[-1]
    assert (done.name, done.status, done.rows_in, done.rows_out) == ("validate_sequences", "done", 2, 2)


def test_sequences_stay_aside_when_their_vocabulary_is_refused(
    spark: SparkSession, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    stage(spark, workspace, "vocabulary", vocabulary_entry(product_index=9))
    stage(spark, workspace, "sequences", sequence())
    with pytest.raises(SystemExit) as stopped:
        main(arguments("sequences"))
    # A text as exit code is printed to stderr and ends the process with status 1.
    assert str(stopped.value).startswith("validate_sequences: table vocabulary, version run1 is refused")
    assert "\n" not in str(stopped.value)
    assert workspace.lake.current("sequences") is None
    assert read_stages(workspace.run_folder("run1"))[-1].status == "failed"


def test_a_table_that_the_run_did_not_stage_stops_it(spark: SparkSession, workspace: Workspace) -> None:
    with pytest.raises(SystemExit, match="table predictions has no version run1"):
        main(arguments("predictions"))
