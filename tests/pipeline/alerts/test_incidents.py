"""What people do to incidents, and what the nights then make of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.alerts import incidents
from pipeline.alerts.incidents import ConflictError
from pipeline.alerts.lifecycle import IncidentError
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.shop_nights import MORNING, Nights, business_date


def test_every_act_is_an_event_with_who_and_when(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    stored_nights.act(incidents.acknowledge, comment="ordered")
    stored_nights.act(incidents.comment, words=" truck at noon ")
    stored_nights.act(incidents.close, verdict="right", actor="Ben")
    events = stored_nights.events()[1:]
    assert [(event.actor, event.action, event.state_before, event.state_after) for event in events] == [
        ("Anna", "acknowledged", "new", "acknowledged"),
        ("Anna", "commented", "acknowledged", "acknowledged"),
        ("Ben", "closed", "acknowledged", "closed"),
    ]
    assert [event.comment for event in events] == ["ordered", "truck at noon", None]
    assert {event.happened_at_utc for event in events} == {MORNING.replace(tzinfo=None)}
    assert [event.number for event in events] == [2, 3, 4]


def test_many_at_once_or_none(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout(), stockout(product_id="p2"), stockout(product_id="p3"))
    first, *others = stored_nights.incidents()
    stored_nights.act(incidents.close, first, verdict="right")
    with pytest.raises(IncidentError, match=f"incident {first.id} is closed and cannot be acknowledged"):
        stored_nights.act(incidents.acknowledge)
    assert {found.state for found in stored_nights.incidents()} == {"closed", "new"}
    stored_nights.act(incidents.acknowledge, *others)
    assert [found.state for found in stored_nights.incidents(state="acknowledged")] == ["acknowledged"] * 2


def test_the_second_editor_reads_who_was_first(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    found = stored_nights.one()
    seen = {found.id: found.version}
    stored_nights.act(incidents.acknowledge, versions=seen)
    with pytest.raises(ConflictError, match=r"changed by Anna at 2026-03-01 08:00 UTC and is now acknowledged: reload"):
        stored_nights.act(incidents.close, verdict="wrong", actor="Ben", versions=seen)
    assert stored_nights.one().verdict is None


def test_of_editors_at_the_same_time_one_succeeds(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    found = stored_nights.one()

    def close(actor: str) -> bool:
        try:
            stored_nights.act(incidents.close, found, verdict="right", actor=actor, versions={found.id: found.version})
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(close, ["Anna", "Ben", "Cleo", "Dora"])) == 1
    assert stored_nights.actions() == ["opened", "closed"]


def test_an_acknowledged_incident_stays_so_and_still_resolves(nights: Nights) -> None:
    nights.publish(1, stockout())
    nights.act(incidents.acknowledge)
    nights.publish(2, stockout())
    assert nights.one().state == "acknowledged"
    nights.publish(3)
    assert nights.one().state == "resolved"


def test_acknowledging_twice_is_one_event(nights: Nights) -> None:
    nights.publish(1, stockout())
    for _ in range(2):
        nights.act(incidents.acknowledge)
    assert nights.actions() == ["opened", "acknowledged"]


def test_a_snoozed_incident_comes_back_on_its_date(stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    stored_nights.act(incidents.snooze, until=business_date(3))
    stored_nights.publish(2, stockout())
    assert (stored_nights.one().state, stored_nights.one().nights_seen) == ("snoozed", 2)
    stored_nights.publish(3, stockout())
    assert (stored_nights.one().state, stored_nights.one().snoozed_until) == ("ongoing", None)
    assert stored_nights.actions()[-1] == "woke"


def test_a_snooze_outlasts_a_night_without_the_condition(nights: Nights) -> None:
    nights.publish(1, stockout())
    nights.act(incidents.snooze, until=business_date(5))
    nights.publish(2)
    nights.publish(3, stockout())
    earlier, later = nights.incidents()
    assert (earlier.state, later.state, later.snoozed_until) == ("resolved", "snoozed", business_date(5))
    nights.publish(5, stockout())
    assert nights.incidents()[-1].state == "ongoing"


def test_a_snooze_must_lie_ahead(nights: Nights) -> None:
    nights.publish(1, stockout())
    with pytest.raises(IncidentError, match="would end at once: the latest night is that of 2026-03-01"):
        nights.act(incidents.snooze, until=business_date(1))


@pytest.mark.parametrize("verdict", ["wrong", "known"])
def test_wrong_and_known_silence_the_condition_while_it_lasts(verdict: str, stored_nights: Nights) -> None:
    stored_nights.publish(1, stockout())
    stored_nights.act(incidents.close, verdict=verdict)
    stored_nights.publish(2, stockout())
    assert (stored_nights.one().state, stored_nights.one().nights_seen) == ("closed", 2)
    stored_nights.publish(3)
    assert (stored_nights.one().state, stored_nights.one().ended_on) == ("closed", business_date(3))
    stored_nights.publish(4, stockout())
    earlier, later = stored_nights.incidents()
    assert (later.state, later.previous_id) == ("new", earlier.id)


def test_right_does_not_silence(nights: Nights) -> None:
    nights.publish(1, stockout())
    nights.act(incidents.close, verdict="right")
    nights.publish(1, stockout(units_short=6.0))
    assert len(nights.incidents()) == 1
    nights.publish(2, stockout())
    earlier, later = nights.incidents()
    assert (earlier.state, later.state, later.previous_id) == ("closed", "new", earlier.id)


@pytest.mark.parametrize(("verdict", "states"), [("wrong", ["closed", "new"]), ("known", ["closed"])])
def test_running_out_refutes_wrong_but_not_known(verdict: str, states: list[str], nights: Nights) -> None:
    nights.publish(1, stockout(on_hand=3.0))
    nights.act(incidents.close, verdict=verdict)
    nights.publish(2, stockout(on_hand=0.0))
    assert [found.state for found in nights.incidents()] == states


def test_a_resolved_incident_can_get_a_verdict(nights: Nights) -> None:
    nights.publish(1, stockout())
    nights.publish(2)
    nights.act(incidents.close, verdict="wrong")
    nights.publish(3, stockout())
    assert [found.state for found in nights.incidents()] == ["closed", "new"]


def test_reopening_takes_back_what_a_person_set(nights: Nights) -> None:
    nights.publish(1, stockout(), anomalies=[anomaly()])
    nights.act(incidents.close, verdict="known")
    nights.act(incidents.reopen)
    assert {(found.state, found.verdict, found.is_live) for found in nights.incidents()} == {("ongoing", None, True)}
    nights.publish(2)
    resolved = nights.one(kind="stockout")
    with pytest.raises(IncidentError, match="resolved by itself on 2026-03-02"):
        nights.act(incidents.reopen, resolved)


def test_what_has_a_follower_stays_closed(nights: Nights) -> None:
    nights.publish(1, stockout())
    nights.act(incidents.close, verdict="right")
    nights.publish(2, stockout())
    earlier, later = nights.incidents()
    with pytest.raises(IncidentError, match=f"is followed by {later.id}"):
        nights.act(incidents.reopen, earlier)
    nights.act(incidents.close, earlier, verdict="known")
    assert nights.incidents()[1].is_live


@pytest.mark.parametrize("actor", ["", "  ", "nightly run", "x" * 201])
def test_an_act_is_signed(actor: str, nights: Nights) -> None:
    nights.publish(1, stockout())
    with pytest.raises(IncidentError, match="no name to sign with"):
        nights.act(incidents.acknowledge, actor=actor)


def test_unknown_ids_verdicts_and_empty_comments_are_refused(nights: Nights) -> None:
    nights.publish(1, stockout())
    found = nights.one()
    with pytest.raises(IncidentError, match="unknown verdict 'maybe'; known: right, wrong, known"):
        nights.act(incidents.close, verdict="maybe")
    with pytest.raises(IncidentError, match="an empty comment"):
        nights.act(incidents.comment, words="  ")
    found.id = "inothing"
    with pytest.raises(IncidentError, match="there is no incident inothing"):
        nights.act(incidents.acknowledge, found)
