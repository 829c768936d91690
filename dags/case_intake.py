"""# Case intake

What a sales team did, taken in every night: `actions` and `cases`, as `[actions]` and `[cases]` of the source say, and
refused lines with their reasons in `rejected_actions`.

**Starts** at 02:00. Where no capability of the source that reads these tables is switched on, it skips everything. By
hand: `larder run sale_actions --source S` begins with it.

**When a task fails** its log ends with the reason; readers keep the tables before. Correct the cause and clear the
task.

**What follows** The task emits an asset of each table with the business date as its partition, which starts
`sale_actions`.
"""

from pipeline.orchestration.intake import intake_dag
from pipeline.orchestration.tasks import spark_job

with intake_dag("case_intake", "Actions and cases of a sales team, from its files", __doc__) as dag:
    spark_job("ingest_actions", minutes=30, publishes=("actions", "cases"))
