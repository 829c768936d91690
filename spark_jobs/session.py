"""What every job shares: its arguments, its Spark session, reading a table, staging a table.

A job reads the version that its own run made, else the current one, and stages its result; only an audit publishes it
(`validate_table`, or `audit_and_publish` at the end of the job that has no gate of its own in the DAG).
"""

import argparse
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from pipeline.lake.lake import Manifest
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Run, Workspace


def arg_parser(description: str) -> argparse.ArgumentParser:
    """The three arguments of every job."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--source", required=True, help="a shipped source or a path to a TOML description")
    parser.add_argument("--business-date", required=True, type=date.fromisoformat, help="YYYY-MM-DD; sales before it")
    parser.add_argument("--run-id", required=True, help="names the versions that this run makes")
    return parser


def run_of(arguments: argparse.Namespace) -> Run:
    """The run that the arguments describe."""
    return Run(arguments.source, arguments.business_date, arguments.run_id)


def workspace_of(run: Run, settings: Settings) -> Workspace:
    """The folders of the run's source."""
    return Workspace.of(settings, load_source(run.source).name)


def open_session(name: str, settings: Settings) -> SparkSession:
    """A session in UTC; master and resources come from spark-submit, `local[2]` outside of it."""
    builder = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", settings.shuffle_partitions)
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.ui.showConsoleProgress", "false")
    )
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session


def read_table(spark: SparkSession, workspace: Workspace, name: str, run_id: str) -> tuple[DataFrame, str]:
    """A table and the version that was read."""
    version = workspace.lake.resolve(name, run_id)
    frame = spark.read.schema(contract(name).ddl).parquet(str(workspace.lake.path(name, version)))
    return frame, version


def stage_table(
    frame: DataFrame, workspace: Workspace, name: str, run: Run, inputs: dict[str, str], *, files: int | None = None
) -> tuple[Path, int]:
    """Write `frame` aside in the contract's column order; returns its folder and row count."""
    table = contract(name)
    folder = workspace.lake.stage(name, run.run_id)
    ordered = frame.select(*table.column_names)
    if files is not None:
        ordered = ordered.coalesce(files)
    ordered.write.partitionBy(*table.partition).parquet(str(folder))
    spark = frame.sparkSession
    rows = spark.read.schema(table.ddl).parquet(str(folder)).count()
    workspace.lake.describe(
        Manifest(table=name, version=run.run_id, business_date=run.business_date, rows=rows, inputs=inputs)
    )
    return folder, rows
