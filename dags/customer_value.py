"""# Customer value

What each customer is worth (`customer_values`): recency, frequency and monetary value with their segments, expected
baskets and spend of 30, 90 and 365 days, and the discounted value of the years to come. `customer_days`, made first, is
what it rests on; the task `customer_values` is trained on it, gated, and predicts every customer.

**Starts** when a night has published `baskets` and its alerts, for sources with `customer_value` among their
`capabilities`; the versions bear the night's name. By hand: `larder run customer_value --source S`.

**When a task fails** its log ends with the reason; readers keep the values of the night before, and the night and its
alerts stand. A candidate that the gate refuses is no failure: the champion before it predicts. Correct the cause and
clear the task.
"""

from airflow.sdk import chain

from pipeline.orchestration.capability import capability_dag
from pipeline.orchestration.tasks import gate, promotion, spark_job

TASK = ("--task", "customer_values")

with capability_dag("customer_value", __doc__) as dag:
    days = spark_job("build_customer_days", minutes=30)
    candidate = spark_job("train_model", minutes=60, arguments=TASK)
    champion = promotion(*TASK, minutes=15)
    values = spark_job("predict_values", minutes=30)
    chain(days, candidate, champion, values, gate("customer_values", minutes=30))
