"""# Segments

Customers who shop alike (`customer_segments`), products that meet the same need (`product_segments`), and what the
champion learned of both (`customer_vectors`, `product_vectors`).

**Starts** when a night has published `products`, `predictions` and its alerts, for sources with
`capabilities = ["segments"]`; the versions bear the night's name. By hand: `larder run segments --source S`.

**When a task fails** its log ends with the reason; readers keep the segments of the night before, and the night and
its alerts stand. Correct the cause and clear the task.
"""

from pipeline.orchestration.capability import capability_dag
from pipeline.orchestration.tasks import spark_job

with capability_dag("segments", __doc__) as dag:
    spark_job("segment_funnels", minutes=30)
