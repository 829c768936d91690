"""# Next offers

What each customer takes next, and in how many days (`next_offers`): the task `next_offers` is trained, gated, and
predicts every active customer, as `[offers]` of the source says.

**Starts** when a night has published `baskets`, `products` and its alerts, for sources with `next_offers` among their
`capabilities`; the versions bear the night's name. By hand: `larder run next_offers --source S`.

**When a task fails** its log ends with the reason; readers keep the offers of the night before, and the night and its
alerts stand. A candidate that the gate refuses is no failure: the champion before it predicts. Correct the cause and
clear the task.
"""

from airflow.sdk import chain

from pipeline.orchestration.capability import capability_dag
from pipeline.orchestration.tasks import gate, promotion, spark_job

TASK = ("--task", "next_offers")

with capability_dag("next_offers", __doc__) as dag:
    candidate = spark_job("train_model", minutes=60, arguments=TASK)
    champion = promotion(*TASK, minutes=15)
    predictions = spark_job("predict_offers", minutes=30)
    chain(candidate, champion, predictions, gate("next_offers", minutes=30))
