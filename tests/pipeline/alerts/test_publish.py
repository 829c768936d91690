"""A night's alerts reach SQL once, whole, ranked, and replace what the same night published before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, text

from pipeline.alerts.models import Publication
from pipeline.alerts.publish import PublishError, publish_alerts
from pipeline.alerts.queries import open_alerts, publications
from pipeline.alerts.store import AlertStoreError, opened
from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from tests.factories import BUSINESS_DATE, anomaly, stockout, transaction
from tests.published_tables import publish_rows

RUN = Run("shop", BUSINESS_DATE, "run1")


def publish(settings: Settings, workspace: Workspace, run: Run = RUN) -> tuple[Publication, bool]:
    return publish_alerts(settings, workspace, "shop", run)


def everything(settings: Settings) -> list[dict[str, object]]:
    """All rows of all alert tables."""
    with opened(settings) as engine, engine.connect() as connection:
        return [
            dict(row)
            for table in ("publications", "stockout_alerts", "anomaly_alerts")
            for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).mappings()
        ]


def second_run(workspace: Workspace, *stockouts: dict, anomalies: tuple[dict, ...] = ()) -> Run:
    for table, rows in (("stockouts", stockouts), ("anomalies", anomalies)):
        publish_rows(workspace, table, *rows, version="run2")
    return Run("shop", BUSINESS_DATE, "run2")


def test_an_alert_carries_where_it_comes_from_and_why(store_settings: Settings, run: Workspace) -> None:
    publish(store_settings, run)
    (short,) = open_alerts(store_settings, kind="stockout", source="shop")
    assert (short.run_id, short.model_version, short.data_version) == ("run1", "larder-shop/1", "run1")
    assert (short.units_short, short.value_at_risk_cents, short.severity) == (5.0, 500, "high")
    assert (short.product_name, short.horizon_days, short.business_date) == ("Oats", 7, BUSINESS_DATE)
    assert short.reason == stockout()["reason"]


def test_publishing_a_night_twice_changes_nothing(store_settings: Settings, run: Workspace) -> None:
    assert publish(store_settings, run)[1] is True
    before = everything(store_settings)
    assert publish(store_settings, run)[1] is False
    assert everything(store_settings) == before


def test_other_content_replaces_the_night_and_keeps_the_ids(store_settings: Settings, run: Workspace) -> None:
    publish(store_settings, run)
    (before,) = open_alerts(store_settings, kind="stockout", source="shop")
    publish(store_settings, run, second_run(run, stockout(units_short=7.0), stockout(product_id="p2")))
    after = {alert.product_id: alert for alert in open_alerts(store_settings, kind="stockout", source="shop")}
    assert set(after) == {"p1", "p2"}
    assert after["p1"].id == before.id
    assert after["p1"].units_short == 7.0
    assert open_alerts(store_settings, kind="anomaly", source="shop") == []
    assert [night.run_id for night in publications(store_settings, "shop")] == ["run2"]


def test_other_nights_stay(store_settings: Settings, run: Workspace) -> None:
    publish(store_settings, run)
    earlier = BUSINESS_DATE - timedelta(days=1)
    for table in ("stockouts", "anomalies"):
        publish_rows(run, table, version="run0", business_date=earlier)
    publish(store_settings, run, Run("shop", earlier, "run0"))
    assert len(open_alerts(store_settings, kind="stockout", source="shop")) == 1
    assert open_alerts(store_settings, kind="stockout", source="shop", business_date=earlier) == []


def test_worst_first(store_settings: Settings, run: Workspace) -> None:
    night = second_run(
        run,
        stockout(product_id="a", value_at_risk_cents=1),
        stockout(product_id="b", value_at_risk_cents=9, units_short=1.0),
        stockout(product_id="c", value_at_risk_cents=9, units_short=2.0),
        anomalies=(anomaly(funnel_id="mild", score=1.0), anomaly(funnel_id="wild", score=9.0)),
    )
    publish(store_settings, run, night)
    stockouts = open_alerts(store_settings, kind="stockout", source="shop")
    assert [(alert.rank, alert.product_id) for alert in stockouts] == [(1, "c"), (2, "b"), (3, "a")]
    assert [alert.funnel_id for alert in open_alerts(store_settings, kind="anomaly", source="shop")] == ["wild", "mild"]


def test_funnels_below_the_alert_rate_are_no_alerts(settings: Settings, run: Workspace) -> None:
    publish(settings, run, second_run(run, anomalies=(anomaly(is_alert=False),)))
    assert open_alerts(settings, kind="anomaly", source="shop") == []


def test_a_failure_half_way_leaves_the_night_before_it(store_settings: Settings, run: Workspace) -> None:
    publish(store_settings, run)
    before = everything(store_settings)
    # The last alert breaks a rule of the table, when the first ones are already inserted.
    broken = second_run(run, stockout(), anomalies=(anomaly(severity="terrible"),))
    with pytest.raises(AlertStoreError):
        publish(store_settings, run, broken)
    assert everything(store_settings) == before


def test_publishers_at_the_same_time_leave_one_whole_night(store_settings: Settings, run: Workspace) -> None:
    nights = [RUN, second_run(run, *(stockout(product_id=f"p{number}") for number in range(50)))]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda night: publish(store_settings, run, night), nights * 4))
    (night,) = publications(store_settings, "shop")
    alerts = open_alerts(store_settings, kind="stockout", source="shop")
    assert len(alerts) == night.stockouts
    assert {alert.run_id for alert in alerts} == {night.run_id}


def test_readers_see_the_old_night_while_it_is_replaced(
    store_settings: Settings, run: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store_settings, run)
    other = second_run(run, *(stockout(product_id=f"p{number}") for number in range(20)))
    seen: list[int] = []

    def look_then_insert(model: type) -> object:
        seen.append(len(open_alerts(store_settings, kind="stockout", source="shop")))
        return insert(model)

    monkeypatch.setattr("pipeline.alerts.publish.insert", look_then_insert)
    publish(store_settings, run, other)
    assert seen == [1, 1]
    assert len(open_alerts(store_settings, kind="stockout", source="shop")) == 20


def test_a_run_that_made_no_alerts_for_the_night_is_refused(settings: Settings, run: Workspace) -> None:
    with pytest.raises(LakeError, match="stockouts has no published version run9"):
        publish(settings, run, Run("shop", BUSINESS_DATE, "run9"))
    with pytest.raises(PublishError, match="made stockouts for 2026-03-01, not for 2026-03-02"):
        publish(settings, run, Run("shop", BUSINESS_DATE + timedelta(days=1), "run1"))


def test_the_data_version_is_the_runs_own_even_after_a_later_delivery(settings: Settings, run: Workspace) -> None:
    publish_rows(run, "transactions", transaction(), version="later")
    assert publish(settings, run)[0].data_version == "run1"
