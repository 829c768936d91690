"""Incidents as people list, change and read them in the terminal."""

import csv
import io

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.shop_nights import Nights


def alerts(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("alerts", *arguments))


@pytest.fixture
def two_nights(nights: Nights) -> Nights:
    """p1 alerted twice and then out, p2 once and resolved, and one odd customer."""
    nights.publish(1, stockout(), stockout(product_id="p2", reason="gone tomorrow"), anomalies=[anomaly()])
    nights.publish(2, stockout(on_hand=0.0), anomalies=[anomaly()])
    return nights


def test_list_shows_open_incidents_with_status_and_first_seen(two_nights: Nights) -> None:
    output = alerts("list", "--kind", "stockout").output
    assert "ongoing, out" in output
    assert "2026-03-01" in output
    assert "gone tomorrow" not in output
    assert "gone tomorrow" in alerts("list", "--kind", "stockout", "--state", "resolved").output
    assert "no anomaly incidents of shop" in alerts("list", "--kind", "anomaly", "--store", "s9").output


def test_list_of_a_night_shows_its_alerts(two_nights: Nights) -> None:
    assert "gone tomorrow" in alerts("list", "--kind", "stockout", "--business-date", "2026-03-01").output


def test_csv_has_the_incident_and_its_latest_alert(two_nights: Nights) -> None:
    (row,) = csv.DictReader(io.StringIO(alerts("list", "--kind", "stockout", "--csv", "-").stdout))
    found = two_nights.one(subject_id="p1")
    assert (row["id"], row["alert_id"], row["state"], row["nights_seen"]) == (found.id, found.alert_id, "ongoing", "2")
    assert (row["value_at_risk"], row["on_hand"], row["business_date"]) == ("5.00", "0.0", "2026-03-02")


def test_acts_and_history(two_nights: Nights) -> None:
    found = two_nights.one(subject_id="p1").id
    assert "acknowledged" in alerts("acknowledge", found, "-m", "ordered", "--by", "Anna").output
    assert "snoozed until 2026-03-09" in alerts("snooze", found[:9], "--until", "2026-03-09", "--by", "Anna").output
    assert "closed as known" in alerts("close", found, "--verdict", "known", "--by", "Ben").output
    assert "ongoing" in alerts("reopen", found).output
    alerts("comment", found, "-m", "[bold]well\x1b[31m")
    output = alerts("history", found).output
    said = ("opened", "low -> out", "ordered", "until 2026-03-09", "verdict known", "Ben", "[bold]well�[31m")
    assert [output.count(words) > 0 for words in said] == [True] * len(said)


def test_why_takes_an_incident(two_nights: Nights) -> None:
    assert "1 on hand" not in alerts("why", two_nights.one(subject_id="p1").id).output
    assert "p1" in alerts("why", two_nights.one(subject_id="p1").id).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("acknowledge", "inothing"), "no incident's id begins with 'inothing'"),
        (("close", "i", "--verdict", "right"), "more than one incident's id begins with 'i'"),
        (("comment", "i", "-m", "x", "--by", "nightly run"), "more than one incident's"),
        (("history", "x"), "no incident's id begins with 'x'"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: tuple[str, ...], message: str, two_nights: Nights) -> None:
    result = alerts(*arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert message in result.stderr


def test_nothing_published_yet(nights: Nights) -> None:
    assert "nothing was published yet" in alerts("acknowledge", "i").stderr
