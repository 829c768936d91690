"""The gate that the DAG shows for a table: audit what this run staged, publish it, or stop the night.

Input: the staged version of `--table`. Output: the same version, published. `sequences` go through their gate together
with the `vocabulary` that gives their indices meaning, vocabulary first, so that no reader finds indices that no
published vocabulary explains. A refusal ends the job with status 1 and one message; readers keep the previous version.
"""

import sys

from pipeline.expectations.audit import AuditFailed, audit_and_publish
from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.stages import stage
from pipeline.tables.catalog import TABLES
from spark_jobs.session import arg_parser, open_session, run_of, workspace_of

# Tables published through the gate of another, before it.
TOGETHER = {"sequences": ("vocabulary",)}


def main(argv: list[str] | None = None) -> None:
    """Audit and publish one table; SystemExit(1) when it is refused."""
    parser = arg_parser(__doc__ or "")
    parser.add_argument(
        "--table", required=True, choices=sorted(TABLES), help="the table whose staged version is judged"
    )
    arguments = parser.parse_args(argv)
    run, settings = run_of(arguments), Settings()
    workspace = workspace_of(run, settings)
    spark = open_session(f"validate_{arguments.table}", settings)
    try:
        with stage(f"validate_{arguments.table}", workspace.run_folder(run.run_id)) as record:
            for table in (*TOGETHER.get(arguments.table, ()), arguments.table):
                record.rows_in = workspace.lake.manifest(table, run.run_id).rows
                manifest = audit_and_publish(spark.range(0), workspace, table, run.run_id, settings)
                record.rows_out = manifest.rows
            record.details["current"] = workspace.lake.current(arguments.table)
    except (AuditFailed, LakeError) as refusal:
        sys.exit(f"validate_{arguments.table}: {refusal}")


if __name__ == "__main__":
    main()
