"""The gate that the DAG shows for a table: audit what this run staged, publish it, or stop the night.

Input: the staged version of `--table`. Output: the same version, published. `sequences` go through their gate together
with the `vocabulary` that gives their indices meaning, vocabulary first, so that no reader finds indices that no
published vocabulary explains. A refusal ends the job with status 1 and one message; readers keep the previous version.
"""

from pipeline.expectations.audit import audit_and_publish
from pipeline.expectations.suites import import_ahead
from pipeline.tables.catalog import TABLES
from spark_jobs.session import arg_parser, open_job, open_session

# Tables published through the gate of another: before it, and after it.
BEFORE = {"sequences": ("vocabulary",)}
AFTER = {"transactions": ("store_days",)}


def main(argv: list[str] | None = None) -> None:
    """Audit and publish one table; SystemExit(1) when it is refused."""
    parser = arg_parser(__doc__)
    parser.add_argument(
        "--table", required=True, choices=sorted(TABLES), help="the table whose staged version is audited"
    )
    arguments = parser.parse_args(argv)
    with open_job(f"validate_{arguments.table}", arguments) as job:
        import_ahead()
        lake, run_id = job.workspace.lake, job.run.run_id
        spark = open_session(job.name, job.settings)
        for table in BEFORE.get(arguments.table, ()):
            audit_and_publish(spark.range(0), job.workspace, table, run_id, job.settings)
        job.record.rows_in = lake.manifest(arguments.table, run_id).rows
        published = audit_and_publish(spark.range(0), job.workspace, arguments.table, run_id, job.settings)
        job.record.rows_out = published.rows
        for table in AFTER.get(arguments.table, ()):
            audit_and_publish(spark.range(0), job.workspace, table, run_id, job.settings)
        job.record.details["current"] = lake.current(arguments.table)


if __name__ == "__main__":
    main()
