"""# Returns

Which order lines inside their return window come back, and how many units of each product on which day
(`return_forecasts`, `expected_returns`): order lines are matched to what came back, the task `returns` is trained and
gated, and predicts every line that may still come back.

**Starts** when a night has published `baskets`, `products` and its alerts, for sources with `returns` among their
`capabilities`; the versions bear the night's name. By hand: `larder run returns --source S`.

**When a task fails** its log ends with the reason; readers keep the forecasts of the night before, and the night and
its alerts stand. A candidate that the gate refuses is no failure: the champion before it predicts. Correct the cause
and clear the task.
"""

from airflow.sdk import chain

from pipeline.orchestration.capability import capability_dag
from pipeline.orchestration.tasks import gate, promotion, spark_job

TASK = ("--task", "returns")

with capability_dag("returns", __doc__) as dag:
    lines = spark_job("build_order_lines", minutes=30)
    candidate = spark_job("train_model", minutes=60, arguments=TASK)
    champion = promotion(*TASK, minutes=15)
    forecasts = spark_job("predict_returns", minutes=30)
    chain(
        lines,
        candidate,
        champion,
        forecasts,
        gate("return_forecasts", minutes=30),
        spark_job("sum_returns", minutes=15),
    )
