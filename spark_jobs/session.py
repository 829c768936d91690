"""What every job shares: its arguments, its record, its Spark session, reading tables, staging and publishing one.

A job reads the version that its own run made, else the current one, and stages its result; only an audit publishes it
(`validate_table`, or `publish_table` in the job that has no gate of its own in the DAG).
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from models.refusal import Refusal
from pipeline.expectations.audit import AuditFailed, audit_and_publish
from pipeline.expectations.suites import import_ahead
from pipeline.lake.lake import LakeError, Manifest
from pipeline.settings import Settings
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.stages import Stage, stage
from pipeline.tables.catalog import table as contract
from pipeline.terminal import in_words
from pipeline.text import one_line, without_passwords
from pipeline.workspace import Run, Workspace

# Packages of Java's errors about files, of disks and of Hadoop's stores.
_FILE_ERRORS = ("java.io.", "java.nio.file.", "org.apache.hadoop.fs.", "org.apache.hadoop.security.")


@dataclass(frozen=True)
class Job:
    """One job at work: its run, what it reads its settings and files from, and the record of its stage."""

    name: str
    run: Run
    settings: Settings
    source: Source
    workspace: Workspace
    record: Stage

    def was_published(self, *tables: str) -> bool:
        """Whether this run published those tables before, so that nothing is left to do; the record then says so."""
        lake = self.workspace.lake
        if not all(lake.is_published(table, self.run.run_id) for table in tables):
            return False
        self.record.rows_out = sum(lake.manifest(table, self.run.run_id).rows for table in tables)
        self.record.details["already_published"] = True
        return True


@contextmanager
def open_job(name: str, arguments: argparse.Namespace) -> Iterator[Job]:
    """A job from its start to its end, recorded as a stage of its run.

    Raises: SystemExit: with one line, where a table is refused or missing, the source's files are not as described,
            a setting is wrong, there is nothing to compute, or the machine refuses something: a full disk, a folder
            that may not be written, a closed port.
    """
    run = _run_of(arguments)
    try:
        settings = Settings()
        source = load_source(run.source)
        workspace = Workspace.of(settings, source.name)
        with stage(name, workspace.run_folder(run.run_id)) as record:
            yield Job(name, run, settings, source, workspace, record)
    except (AuditFailed, LakeError, Refusal, SourceError) as error:
        sys.exit(f"{name}: {error}")
    except OSError as error:
        sys.exit(f"{name}: {one_line(without_passwords(in_words(error)))}")
    except Py4JJavaError as error:
        refusal = _refusal_of_the_machine(error)
        if refusal is None:
            raise
        sys.exit(f"{name}: {one_line(refusal)}")


def arg_parser(description: str | None) -> argparse.ArgumentParser:
    """The three arguments of every job."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--source", required=True, help="a shipped source or a path to a TOML description")
    parser.add_argument("--business-date", required=True, type=date.fromisoformat, help="YYYY-MM-DD; sales before it")
    parser.add_argument("--run-id", required=True, help="names the versions that this run makes")
    return parser


def open_session(name: str, settings: Settings, executors: Mapping[str, str] | None = None) -> SparkSession:
    """A session in UTC; master and resources come from spark-submit, `local[2]` outside of it.

    Args: executors: what the executors of a cluster need to have, where neither it nor spark-submit says how much.
    """
    builder = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", settings.shuffle_partitions)
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.ui.showConsoleProgress", "false")
    )
    session = builder.getOrCreate()
    given, master = session.sparkContext.getConf(), str(session.sparkContext.master)
    needed = {key: value for key, value in (executors or {}).items() if not given.contains(key)}
    if needed and not master.startswith("local"):
        # Executors are asked for as a session starts, and what it was submitted with only a session can tell.
        session.stop()
        session = builder.config(map={**needed}).getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session


def read_table(spark: SparkSession, workspace: Workspace, name: str, run_id: str) -> tuple[DataFrame, str]:
    """A table and the version that was read."""
    version = workspace.lake.resolve(name, run_id)
    frame = spark.read.schema(contract(name).ddl).parquet(str(workspace.lake.path(name, version)))
    return frame, version


def read_tables(spark: SparkSession, job: Job, *names: str) -> tuple[dict[str, DataFrame], dict[str, str]]:
    """Several tables, and the version that was read of each; both by the table's name."""
    read = {name: read_table(spark, job.workspace, name, job.run.run_id) for name in names}
    return {name: frame for name, (frame, _) in read.items()}, {name: version for name, (_, version) in read.items()}


def stage_table(
    frame: DataFrame,
    workspace: Workspace,
    name: str,
    run: Run,
    inputs: dict[str, str],
    *,
    files: int | None = None,
    details: dict[str, Any] | None = None,
) -> tuple[Path, int]:
    """Write `frame` aside in the contract's column order; returns its folder and row count.

    Args: details: what else the manifest says of the version.
    """
    table = contract(name)
    folder = workspace.lake.stage(name, run.run_id)
    ordered = frame.select(*table.column_names)
    if files is not None:
        ordered = ordered.coalesce(files)
    ordered.write.partitionBy(*table.partition).parquet(str(folder))
    spark = frame.sparkSession
    rows = spark.read.schema(table.ddl).parquet(str(folder)).count()
    workspace.lake.describe(
        Manifest(
            table=name,
            version=run.run_id,
            business_date=run.business_date,
            rows=rows,
            inputs=inputs,
            details=details or {},
        )
    )
    return folder, rows


def publish_table(frame: DataFrame, job: Job, name: str, inputs: dict[str, str], **how: Any) -> None:
    """Stage `frame`, audit it and publish it; the record gets its rows.

    Args:   how: `files` and `details` as `stage_table` has them.
    Raises: AuditFailed: when it is refused; readers keep the previous version.
    """
    import_ahead()
    _, job.record.rows_out = stage_table(frame, job.workspace, name, job.run, inputs, **how)
    audit_and_publish(frame, job.workspace, name, job.run.run_id, job.settings)


def _run_of(arguments: argparse.Namespace) -> Run:
    return Run(arguments.source, arguments.business_date, arguments.run_id)


def _refusal_of_the_machine(error: Py4JJavaError) -> str | None:
    """What Java said when a file could not be written or read, which names it; None where something else failed."""
    cause = error.java_exception
    said = None
    while cause is not None:
        name = cause.getClass().getName()
        if name.startswith(_FILE_ERRORS) and "Serializ" not in name:  # which is a fault of the code
            said = f"{name.rpartition('.')[2]}: {cause.getMessage()}"
        cause = cause.getCause()
    return said
