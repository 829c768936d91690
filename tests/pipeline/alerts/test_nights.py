"""What published nights do to incidents: one per condition, however many nights it lasts."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from pipeline.alerts import incidents
from pipeline.alerts.store import AlertStoreError, opened
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.shop_nights import Nights, business_date


def snapshot(nights: Nights) -> list[dict[str, object]]:
    """All rows of incidents and events."""
    with opened(nights.settings) as engine, engine.connect() as connection:
        return [
            dict(row)
            for table in ("incidents", "incident_events")
            for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).mappings()
        ]


def without_log(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Incidents as people see them: without events, versions and times of change."""
    return [
        {name: value for name, value in row.items() if name not in ("version", "changed_at_utc")}
        for row in rows
        if "subject" in row
    ]


def test_a_condition_is_one_incident_through_its_nights(stored_nights: Nights) -> None:
    for number in (1, 2, 3):
        stored_nights.publish(number, stockout(), anomalies=[anomaly()])
    for kind in ("stockout", "anomaly"):
        found = stored_nights.one(kind=kind)
        assert (found.state, found.first_seen, found.last_seen, found.nights_seen) == (
            "ongoing",
            business_date(1),
            business_date(3),
            3,
        )
        assert stored_nights.actions(found) == ["opened", "seen_again"]


def test_what_is_no_longer_alerted_resolves_by_itself(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout(), stockout(store_id="s2"))
    stored_nights.publish(2, stockout(store_id="s2"))
    found = stored_nights.one(store_id="s1")
    assert (found.state, found.ended_on, found.last_seen) == ("resolved", business_date(2), business_date(1))
    assert stored_nights.one(store_id="s2").state == "ongoing"
    assert [event.actor for event in stored_nights.events(found)] == ["nightly run", "nightly run"]


def test_what_comes_back_is_a_new_incident_that_names_the_earlier_one(stored_nights: Nights) -> None:
    for number, alerts in ((1, [stockout()]), (2, []), (3, [stockout()])):
        stored_nights.publish(number, *alerts)
    earlier, later = stored_nights.incidents()
    assert (earlier.state, later.state, later.previous_id) == ("resolved", "new", earlier.id)
    assert earlier.id in (stored_nights.events(later)[0].detail or "")


def test_a_behaviour_alert_may_miss_a_night_or_two(nights: Nights) -> None:
    for number, alerts in ((1, [anomaly()]), (2, []), (3, []), (4, [anomaly()])):
        nights.publish(number, anomalies=alerts)
    assert (nights.one().state, nights.one().nights_seen) == ("ongoing", 2)
    for number in (5, 6, 7):
        nights.publish(number)
    assert (nights.one().state, nights.one().ended_on) == ("resolved", business_date(7))


def test_out_of_stock_hides_low_stock(stored_nights: Nights) -> None:
    for number, on_hand in ((1, 3.0), (2, 0.0), (3, 4.0)):
        stored_nights.publish(number, stockout(on_hand=on_hand))
    assert stored_nights.one().phase == "low"
    crossings = [event for event in stored_nights.events() if event.action in ("went_out", "restocked")]
    assert [(event.detail, event.business_date) for event in crossings] == [
        ("low -> out", business_date(2)),
        ("out -> low", business_date(3)),
    ]


def test_only_a_severity_worse_than_ever_is_called_worse(nights: Nights) -> None:
    for number, severity in enumerate(("medium", "high", "medium", "high", "critical"), start=1):
        nights.publish(number, stockout(severity=severity))
    changes = [(event.action, event.detail) for event in nights.events() if event.detail]
    assert changes == [
        ("worsened", "medium -> high"),
        ("severity_changed", "high -> medium"),
        ("severity_changed", "medium -> high"),
        ("worsened", "high -> critical"),
    ]


def test_publishing_a_night_again_moves_nothing(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout(), stockout(product_id="p2"))
    stored_nights.publish(2, stockout(on_hand=0.0), anomalies=[anomaly()])
    before = snapshot(stored_nights)
    # By another run: the publication differs, the conditions do not.
    stored_nights.publish(2, stockout(on_hand=0.0), anomalies=[anomaly()])
    assert snapshot(stored_nights) == before


def test_an_older_night_published_again_leaves_later_states_alone(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    stored_nights.publish(2, stockout(), stockout(product_id="p2"))
    stored_nights.act(incidents.acknowledge)
    stored_nights.publish(3, stockout())
    before = snapshot(stored_nights)
    stored_nights.publish(2, stockout(product_id="p9"))
    stored_nights.publish(1)
    assert snapshot(stored_nights) == before


def test_a_corrected_night_takes_back_what_it_did(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout(), stockout(product_id="p2"))
    stored_nights.publish(2, stockout(), stockout(product_id="p3"))
    as_first = snapshot(stored_nights)
    stored_nights.publish(2, stockout(product_id="p2"))
    by_product = {found.subject_id: found for found in stored_nights.incidents()}
    assert {name: found.state for name, found in by_product.items()} == {
        "p1": "resolved",
        "p2": "ongoing",
        "p3": "resolved",
    }
    assert (by_product["p1"].last_seen, by_product["p1"].nights_seen) == (business_date(1), 1)
    assert by_product["p3"].alert_id is None
    assert stored_nights.actions(by_product["p2"]) == ["opened", "resolved", "restored", "seen_again"]
    assert stored_nights.actions(by_product["p3"]) == ["opened", "withdrawn"]
    stored_nights.publish(2, stockout(), stockout(product_id="p3"))
    assert without_log(snapshot(stored_nights)) == without_log(as_first)


def test_a_failure_leaves_incidents_and_alerts_as_they_were(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    before = snapshot(stored_nights)
    with pytest.raises(AlertStoreError):
        stored_nights.publish(2, stockout(product_id="p2"), anomalies=[anomaly(severity="terrible")])
    assert snapshot(stored_nights) == before


def test_nights_of_an_older_larder_are_followed_from_the_first(nights: Nights) -> None:
    for number in (1, 2):
        nights.publish(number, stockout())
    with opened(nights.settings) as engine, engine.connect() as connection, connection.begin():
        for table in ("incident_events", "incidents"):
            connection.execute(text(f"DELETE FROM {table}"))
    nights.publish(3, stockout())
    assert (nights.one().first_seen, nights.one().nights_seen) == (business_date(1), 3)


def test_sources_do_not_meet(nights: Nights) -> None:
    nights.publish(1, stockout())
    nights.publish(2, stockout(store_id="s2"))
    assert {found.store_id: found.state for found in nights.incidents()} == {"s1": "resolved", "s2": "new"}
    assert business_date(2) - business_date(1) == timedelta(days=1)
