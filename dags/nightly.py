"""# Nightly

Raw sales in, alerts out: by morning merchandisers read which products will run out and whose behaviour changed.

Each task makes one table of the source's lake under the run's name; `validate_...` tasks are gates, behind which
nothing unaudited is ever readable. A task that runs again for the same run changes nothing that it finished before.

**When a task fails** its log ends with the reason. Readers keep yesterday's versions. Correct the cause and clear the
task: the run goes on from there. A gate names the failing expectation and how many rows broke it.
A refused model (`promote_model`) is no failure: the night goes on with the old champion.

**What follows** Tasks that publish a table emit an asset with the business date as its partition; with the alerts out,
they start the DAGs of the capabilities (tag `capability`) that the source switches on.

**Params** `business_date`: the morning for which alerts are made, sales before it count; empty means the day on which
the run was due. `source`: a shipped source (shop, tafeng, csv) or the path to a TOML description. `run_name`: what
this run's table versions are called; empty means Airflow's run id. With the name of an interrupted run, that run is
taken up again.

**Backfill** `larder airflow backfill create --dag-id nightly --from-date ... --to-date ... --max-active-runs 1`. One
run at a time, since each night learns from the champion of the night before, and a backfill does not heed the DAG's
own limit. `--to-date` is midnight, so its morning is not made.
"""

from datetime import datetime

from airflow.sdk import DAG, chain

from pipeline.orchestration.assets import ALERTS
from pipeline.orchestration.identity import MACROS, run_params
from pipeline.orchestration.tasks import deadline, default_args, gate, larder_command, promotion, spark_job

with DAG(
    dag_id="nightly",
    description="Raw sales in, stock-out and behaviour alerts out",
    doc_md=__doc__,
    schedule="0 2 * * *",
    start_date=datetime(2000, 1, 1),  # nothing is caught up; any later morning can be backfilled
    catchup=False,
    max_active_runs=1,
    params=run_params(),
    default_args=default_args(),
    user_defined_macros=MACROS,
    deadline=deadline(),
    tags=["larder", "nightly"],
) as dag:
    transactions = spark_job("ingest_transactions", minutes=60)
    transactions_gate = gate("transactions", minutes=30)
    products = spark_job("ingest_products", minutes=30, publishes=("products",))
    stock = spark_job("ingest_stock", minutes=30)
    baskets = spark_job("build_baskets", minutes=60, publishes=("baskets",))
    sequences = spark_job("build_sequences", minutes=60)
    sequences_gate = gate("sequences", minutes=30)
    candidate = spark_job("train_model", minutes=120)
    champion = promotion(minutes=30)
    predictions = spark_job("predict_baskets", minutes=60)
    predictions_gate = gate("predictions", minutes=30)
    demand = spark_job("forecast_demand", minutes=30)
    stockouts = spark_job("detect_stockouts", minutes=30)
    anomalies = spark_job("detect_anomalies", minutes=30)
    alerts = larder_command("publish_alerts", "alerts publish", minutes=15, publishes=(ALERTS,))

    chain(transactions, transactions_gate, [products, stock, baskets])
    chain(baskets, sequences, sequences_gate, candidate, champion, predictions, predictions_gate)
    chain([predictions_gate, products, stock], demand, stockouts, alerts)
    chain([predictions_gate, products], anomalies, alerts)
