"""The DAG of a capability: what all of them share. `dags/<name>.py` states its tasks.

It starts by itself when its tables and the night's alerts are published, so that it takes neither a slot nor a core
from a night at work; one whose tables no night makes starts with its tables alone. Where the source does not switch it
on, it skips everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, AssetAll, Param, PartitionedAssetTimetable, chain

from pipeline.capabilities import CAPABILITIES
from pipeline.orchestration.assets import ALERTS, asset
from pipeline.orchestration.identity import MACROS, SOURCE
from pipeline.orchestration.tasks import default_args

SWITCH = "is_switched_on"


@contextmanager
def capability_dag(name: str, doc: str | None) -> Iterator[DAG]:
    """The DAG of a registered capability; tasks made inside follow the check that its source switches it on."""
    capability = CAPABILITIES[name]
    awaited = capability.reads if capability.intake else (*capability.reads, ALERTS)
    with DAG(
        dag_id=name,
        description=capability.description,
        doc_md=doc,
        schedule=PartitionedAssetTimetable(assets=AssetAll(*map(asset, awaited))),
        start_date=datetime(2000, 1, 1),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # the source's description is the switch
        params={
            "business_date": Param(
                None, type=["null", "string"], format="date", description="YYYY-MM-DD; empty: the partition's"
            ),
            "source": Param(None, type=["null", "string"], description="empty: the source of the night"),
            "run_name": Param(None, type=["null", "string"], description="the night whose tables are read; empty: its"),
        },
        default_args=default_args(),
        user_defined_macros=MACROS,
        tags=["larder", "capability"],
    ) as dag:
        yield dag
        switch = ShortCircuitOperator(
            task_id=SWITCH,
            python_callable=is_switched_on,
            op_kwargs={"capability": name, "source": SOURCE},
            execution_timeout=timedelta(minutes=5),
        )
        chain(switch, [task for task in dag.roots if task is not switch])


def is_switched_on(capability: str, source: str, params: dict[str, Any], dag_run: Any) -> bool:
    """Whether the capability is to run: where someone started it by hand, or the source switches it on.

    Raises: ValueError: started by hand without saying which night's tables are to be read.
            SourceError: there is no such source.
    """
    from pipeline.sources.source import load_source

    if dag_run.partition_key is None:
        missing = [name for name in ("business_date", "source", "run_name") if not params.get(name)]
        if missing:
            raise ValueError(
                f"a run by hand needs the Params business_date, source and run_name of the night whose tables are "
                f"read; {', '.join(missing)} missing. `larder run {capability}` finds the night by itself"
            )
        return True
    return capability in load_source(source).capabilities
