"""How every job begins and ends: recorded as a stage, done once, and its errors told in one line."""

import errno
import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from models.refusal import Refusal
from pipeline.expectations.audit import AuditFailed
from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.sources.source import SourceError
from pipeline.stages import read_stages
from pipeline.workspace import Workspace
from spark_jobs.session import arg_parser, open_job, open_session
from tests.factories import BUSINESS_DATE, product
from tests.published_tables import publish_rows

ARGUMENTS = arg_parser(None).parse_args(
    ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"]
)


def test_a_job_is_a_stage_of_its_run(workspace: Workspace) -> None:
    with open_job("name_products", ARGUMENTS) as job:
        assert (job.run.business_date, job.source.name, job.workspace) == (BUSINESS_DATE, "shop", workspace)
        job.record.rows_in = 5
    begun, done = read_stages(workspace.run_folder("run1"))
    assert (begun.name, begun.status) == ("name_products", "running")
    assert (done.name, done.status, done.rows_in) == ("name_products", "done", 5)


def test_what_this_run_published_is_not_done_again(workspace: Workspace) -> None:
    publish_rows(workspace, "products", product(), product(product_id="p2"), version="run1")
    publish_rows(workspace, "baskets", version="run0")
    with open_job("name_products", ARGUMENTS) as job:
        assert not job.was_published("products", "baskets"), "another run's version is not this run's"
        assert job.record.rows_out is None
        assert job.was_published("products")
    done = read_stages(workspace.run_folder("run1"))[-1]
    assert (done.rows_out, done.details) == (2, {"already_published": True})


@pytest.mark.parametrize("kind", [LakeError, AuditFailed, Refusal, SourceError])
def test_an_expected_error_ends_the_job_with_one_line(workspace: Workspace, kind: type[Exception]) -> None:
    with pytest.raises(SystemExit, match=r"^name_products: no such version$"), open_job("name_products", ARGUMENTS):
        raise kind("no such version")
    failed = read_stages(workspace.run_folder("run1"))[-1]
    assert (failed.status, failed.details["error"]) == ("failed", f"{kind.__name__}: no such version")


def test_local_mode_has_no_executors_to_ask_anything_of(spark: SparkSession, settings: Settings) -> None:
    assert open_session("train_model", settings, {"spark.executor.resource.gpu.amount": "1"}) is spark
    assert spark.range(3).count() == 3


@pytest.mark.usefixtures("settings")
def test_a_wrong_setting_ends_the_job_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_TRAINING__EPOCHS", "many")
    with pytest.raises(SystemExit, match=r"^name_products: training\.epochs: "), open_job("name_products", ARGUMENTS):
        pass


@pytest.mark.parametrize("kind", [ZeroDivisionError, ValueError])
def test_an_error_in_the_code_keeps_its_trace(workspace: Workspace, kind: type[Exception]) -> None:
    with pytest.raises(kind), open_job("name_products", ARGUMENTS):
        raise kind
    assert read_stages(workspace.run_folder("run1"))[-1].status == "failed"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ECONNREFUSED])
def test_what_the_machine_refuses_ends_the_job_with_one_line_that_names_the_path(
    workspace: Workspace, number: int
) -> None:
    with pytest.raises(SystemExit) as ended, open_job("name_products", ARGUMENTS):
        raise OSError(number, os.strerror(number), "/data/new\nline")
    assert str(ended.value) == f"name_products: {os.strerror(number)}: /data/new line"


def test_what_java_may_not_write_ends_the_job_with_one_line_as_well(
    workspace: Workspace, spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended, open_job("name_products", ARGUMENTS):
        spark.range(3).write.parquet(str(tmp_path / "file" / "inside"))
    assert str(ended.value).startswith("name_products: ")
    assert str(tmp_path / "file") in str(ended.value)
    assert "\n" not in str(ended.value)
