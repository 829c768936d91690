"""The DAG that takes in what no night does: files that only some capabilities read. It runs daily, like `nightly`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, chain

from pipeline.capabilities import CAPABILITIES
from pipeline.orchestration.identity import MACROS, SOURCE, run_params
from pipeline.orchestration.tasks import default_args


@contextmanager
def intake_dag(name: str, description: str, doc: str | None) -> Iterator[DAG]:
    """The DAG of an intake; tasks made inside follow the check that the source has a use for it."""
    with DAG(
        dag_id=name,
        description=description,
        doc_md=doc,
        schedule="0 2 * * *",
        start_date=datetime(2000, 1, 1),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # the source's description is the switch
        params=run_params(),
        default_args=default_args(),
        user_defined_macros=MACROS,
        tags=["larder", "intake"],
    ) as dag:
        yield dag
        switch = ShortCircuitOperator(
            task_id="is_wanted",
            python_callable=is_wanted,
            op_kwargs={"intake": name, "source": SOURCE},
            execution_timeout=timedelta(minutes=5),
        )
        chain(switch, [task for task in dag.roots if task is not switch])


def is_wanted(intake: str, source: str, dag_run: Any) -> bool:
    """Whether the intake is to run: where someone started it by hand, or the source switches on what reads its tables.

    Raises: SourceError: there is no such source.
    """
    from pipeline.sources.source import load_source

    if dag_run.run_type == "manual":
        return True
    return any(CAPABILITIES[name].intake == intake for name in load_source(source).capabilities)
