"""Run by Airflow's Python: nights run, the scheduler starts what their assets start, and that runs, too.

Prints, as JSON, the runs of `segments` by partition.
"""

import json
import sys

from airflow import settings
from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dagrun import DagRun
from airflow.sdk.definitions.dag import _run_task
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
        started = session.scalars(select(DagRun.run_id).where(DagRun.dag_id == "segments")).all()
    finished = [_finish(run_id, segments) for run_id in started]
    print("\n" + json.dumps(sorted(finished, key=lambda run: run["partition"])))


def _finish(run_id: str, dag) -> dict:
    """Run the tasks of a run that the scheduler made, as `dag.test` runs those of its own; what became of it."""
    session = settings.Session()  # not closed in between: running a task ends the sessions that are
    run = session.scalar(select(DagRun).where(DagRun.dag_id == dag.dag_id, DagRun.run_id == run_id))
    run.dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    run.state = "running"
    session.commit()
    while run.state == "running":
        session.expire_all()
        ready, _ = run.update_state(session=session)
        for instance in ready:
            instance.try_number += 1
        session.commit()
        for instance in ready:
            _run_task(ti=instance, task=dag.task_dict[instance.task_id], run_triggerer=True)
    session.expire_all()
    return {
        "partition": run.partition_key,
        "logical_date": run.logical_date,
        "state": run.state,
        "tasks": {instance.task_id: instance.state for instance in run.get_task_instances(session=session)},
    }


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
