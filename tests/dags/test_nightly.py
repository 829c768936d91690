"""The order of the night: nothing before its gate, alerts last."""

from typing import Any

import pytest


@pytest.fixture
def nightly(described: dict[str, Any]) -> dict[str, Any]:
    dag: dict[str, Any] = described["dags"]["nightly"]
    return dag


def test_a_late_night_is_noticed(nightly: dict[str, Any]) -> None:
    assert nightly["deadline_callback"] == "pipeline.orchestration.notices.report_late"


def test_nothing_reads_a_table_before_its_gate(nightly: dict[str, Any]) -> None:
    before = _ancestors(nightly["tasks"])
    assert "validate_transactions" in before["build_baskets"] & before["ingest_products"] & before["ingest_stock"]
    assert "validate_sequences" in before["train_model"] & before["predict_baskets"]
    assert "validate_predictions" in before["forecast_demand"] & before["detect_anomalies"]


def test_alerts_wait_for_everything(nightly: dict[str, Any]) -> None:
    assert _ancestors(nightly["tasks"])["publish_alerts"] == set(nightly["tasks"]) - {"publish_alerts"}


def test_a_table_is_announced_by_the_task_behind_which_it_is_readable(nightly: dict[str, Any]) -> None:
    announced = {asset: name for name, task in nightly["tasks"].items() for asset in task["announces"]}
    assert announced == {
        "transactions": "validate_transactions",
        "products": "ingest_products",
        "baskets": "build_baskets",
        "sequences": "validate_sequences",
        "predictions": "validate_predictions",
        "alerts": "publish_alerts",
    }


def _ancestors(tasks: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}

    def of(name: str) -> set[str]:
        if name not in found:
            direct = tasks[name]["upstream"]
            found[name] = set(direct).union(*(of(parent) for parent in direct))
        return found[name]

    for name in tasks:
        of(name)
    return found
