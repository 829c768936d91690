"""# Sale actions

What is still to be done in each open case of a sales team, to its end (`action_plans`): the task `sale_actions` is
trained on the cases that ended, gated, and plans every open one.

**Starts** when `case_intake` has published `actions` and `cases`, for sources with `sale_actions` among their
`capabilities`; it waits for no alerts. By hand: `larder run sale_actions --source S`.

**When a task fails** its log ends with the reason; readers keep the plans before. A candidate that the gate refuses is
no failure: the champion before it plans, or, before the first one, counts do. Correct the cause and clear the task.
"""

from airflow.sdk import chain

from pipeline.orchestration.capability import capability_dag
from pipeline.orchestration.tasks import gate, promotion, spark_job

TASK = ("--task", "sale_actions")

with capability_dag("sale_actions", __doc__) as dag:
    candidate = spark_job("train_model", minutes=60, arguments=TASK)
    champion = promotion(*TASK, minutes=15)
    plans = spark_job("predict_actions", minutes=30)
    chain(candidate, champion, plans, gate("action_plans", minutes=30))
