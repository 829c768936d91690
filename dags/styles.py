"""# Styles

Whom to show what (`style_rankings`): the catalogue's articles with their pictures (`articles`, `article_images`), what
customers looked at (`views`, empty without `[sessions]`), a vector of each article (`item_vectors`), each customer's
style (`styles`), and the best of what is in store for each. Its tasks `item_vectors` and `styles` are trained one after
the other: styles lie in the space of the vectors of tonight.

**Starts** when a night has published `baskets` and its alerts, for sources with `styles` among their `capabilities`;
the versions bear the night's name. By hand: `larder run styles --source S`. The source needs a `[catalogue]`.

**When a task fails** its log ends with the reason; readers keep the rankings of the night before, and the night and its
alerts stand. A candidate that the gate refuses is no failure: the champion before it predicts. Correct the cause and
clear the task.
"""

from airflow.sdk import chain

from pipeline.orchestration.capability import capability_dag
from pipeline.orchestration.tasks import gate, promotion, spark_job

VECTORS, STYLES = ("--task", "item_vectors"), ("--task", "styles")

with capability_dag("styles", __doc__) as dag:
    articles = spark_job("ingest_articles", minutes=30)
    images = spark_job("read_images", minutes=60)
    views = spark_job("ingest_views", minutes=30)
    vectors = spark_job("train_model", minutes=60, arguments=VECTORS, task_id="train_item_vectors")
    best_vectors = promotion(*VECTORS, minutes=15, task_id="promote_item_vectors")
    items = spark_job("predict_item_vectors", minutes=60)
    items_gate = gate("item_vectors", minutes=30)
    candidate = spark_job("train_model", minutes=60, arguments=STYLES, task_id="train_styles")
    champion = promotion(*STYLES, minutes=15, task_id="promote_styles")
    styles = spark_job("predict_styles", minutes=60)
    rankings = spark_job("rank_styles", minutes=60)
    chain(articles, images, views, vectors, best_vectors, items, items_gate, candidate, champion)
    chain(champion, styles, gate("styles", minutes=30), rankings, gate("style_rankings", minutes=30))
