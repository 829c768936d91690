"""Run by Airflow's Python: nights run, the scheduler starts what their assets start, and that runs, too.

Prints, as JSON, the runs of `segments` by partition.
"""

import json
import sys

from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dagrun import DagRun
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from sqlalchemy import select


def main(nights: list[dict]) -> None:
    """Nights in the order given."""
    bag = DagBag("dags")
    nightly, segments = bag.dags["nightly"], bag.dags["segments"]
    announcing = "|".join(task.task_id for task in nightly.tasks if task.outlets)
    for night in nights:
        # What announces nothing need not run.
        assert nightly.test(run_conf=night, mark_success_pattern=f"(?!({announcing})$).*").state == "success"
    with create_session() as session:
        scheduler = SchedulerJobRunner(job=Job(), num_runs=1)
        session.add(scheduler.job)
        session.flush()
        scheduler._create_dagruns_for_partitioned_asset_dags(session)
    shown = []
    with create_session() as session:
        runs = session.scalars(select(DagRun).where(DagRun.dag_id == "segments").order_by(DagRun.partition_key)).all()
        for run in runs:
            _finish(run, segments, session)
            tasks = {instance.task_id: instance.state for instance in run.get_task_instances(session=session)}
            shown.append(
                {
                    "partition": run.partition_key,
                    "logical_date": run.logical_date,
                    "state": run.state,
                    "tasks": tasks,
                }
            )
    print("\n" + json.dumps(shown))


def _finish(run: DagRun, dag, session) -> None:
    """Run the tasks of a run that the scheduler made, as `dag.test` runs those of its own."""
    scheduled: SerializedDAG = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    run.dag = scheduled
    run.state = "running"
    session.commit()
    while run.state == "running":
        session.expire_all()
        run.dag = scheduled
        ready, _ = run.update_state(session=session)
        session.commit()
        for instance in ready:
            instance.try_number += 1
            session.commit()
            _run_task(ti=instance, task=dag.task_dict[instance.task_id], run_triggerer=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
