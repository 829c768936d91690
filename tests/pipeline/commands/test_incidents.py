"""Incidents as people list, change and read them in the terminal."""

import csv
import io

import pytest
from typer.testing import CliRunner, Result

from pipeline.alerts.queries import open_alerts
from pipeline.cli import app
from tests.factories import anomaly, product, stock_level, stockout
from tests.pipeline.alerts.shop_nights import Nights, business_date
from tests.published_tables import publish_rows


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
    assert "no anomaly incidents of shop" in alerts("list", "--kind", "anomaly", "--state", "closed").output


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


@pytest.mark.parametrize("options", [("--store", "s9"), ("--store", ""), ("--store", "S1"), ("--store", "s1 ")])
@pytest.mark.parametrize("night", [(), ("--business-date", "2026-03-01")])
def test_an_unknown_store_is_no_all_clear(two_nights: Nights, options: tuple[str, ...], night: tuple[str, ...]) -> None:
    result = alerts("list", "--kind", "stockout", *options, *night)
    assert (result.exit_code, "has no store" in result.stderr, "known: s1" in result.stderr) == (1, True, True)


@pytest.mark.parametrize("what", ["category", "product"])
@pytest.mark.parametrize("night", [(), ("--business-date", "2026-03-01")])
def test_an_unknown_category_or_product_is_no_all_clear(two_nights: Nights, what: str, night: tuple[str, ...]) -> None:
    for word in ("oatz", "", "P1", "breakfast "):
        result = alerts("list", "--kind", "stockout", f"--{what}", word, *night)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
        assert f"has no {what} {word!r}; known: " in result.stderr
    refused = alerts("list", "--kind", "anomaly", f"--{what}", "p1", *night)
    assert (refused.exit_code, "narrow --kind stockout alone" in refused.stderr) == (1, True)


@pytest.mark.parametrize("night", [(), ("--business-date", "2026-03-02")])
def test_a_list_is_narrowed_to_a_category_or_a_product(two_nights: Nights, night: tuple[str, ...]) -> None:
    publish_rows(two_nights.workspace, "products", product(product_id="p9", name="Tea", category="drinks"), version="x")
    two_nights.publish(2, stockout(on_hand=0.0), stockout(product_id="p3", category="baking", reason="flour"))
    shown = {
        ("--category", "baking"): (False, True),
        ("--product", "p3"): (False, True),
        ("--product", "p1"): (True, False),
        ("--category", "breakfast"): (True, False),
        ("--category", "breakfast", "--product", "p3"): (False, False),
        ("--category", "drinks"): (False, False),
        ("--product", "Tea"): (False, False),
    }
    for options, found in shown.items():
        result = alerts("list", "--kind", "stockout", "--csv", "-", *options, *night)
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert result.exit_code == 0, result.stderr
        assert tuple(one in {row["product_id"] for row in rows} for one in ("p1", "p3")) == found, options


def test_a_gain_puts_nothing_at_risk(nights: Nights) -> None:
    nights.publish(1, anomalies=[anomaly(), anomaly(funnel_id="c2", direction="gain", value_cents=987600)])
    for night in ((), ("--business-date", "2026-03-01")):
        output = alerts("list", "--kind", "anomaly", *night).output
        assert ("40.00" in output, "gain" in output, "9,876.00" in output) == (True, True, False)
    lines = [line for line in alerts("digest").output.splitlines() if line.startswith("new")]
    assert ["40.00" in lines[0], "gain" in lines[1], "9,876.00" in lines[1]] == [True, True, False]


def test_a_store_whose_shelves_are_known_has_no_alerts(two_nights: Nights) -> None:
    publish_rows(two_nights.workspace, "stock_levels", stock_level(store_id="quiet"), version="run0")
    result = alerts("list", "--kind", "stockout", "--store", "quiet")
    assert (result.exit_code, result.output) == (0, "no stockout incidents of shop\n")


def test_the_ids_that_a_night_prints_are_accepted_by_every_command(two_nights: Nights) -> None:
    shown = open_alerts(two_nights.settings, kind="stockout", source="shop", business_date=business_date(1))
    for alert in shown:
        for command in (("history",), ("comment", "-m", "seen"), ("close", "--verdict", "right")):
            name, *options = command
            result = alerts(name, alert.id, *options)
            assert result.exit_code == 0, result.stderr
    assert {incident.verdict for incident in two_nights.incidents(kind="stockout")} == {"right"}


def test_snoozing_hides_until_its_night(two_nights: Nights) -> None:
    found = two_nights.one(subject_id="p1").id
    assert alerts("snooze", found, "--until", "2026-03-04").exit_code == 0
    assert alerts("list", "--kind", "stockout").output == "no stockout incidents of shop\n"
    assert found in alerts("list", "--kind", "stockout", "--state", "snoozed").output
    two_nights.publish(3, stockout(on_hand=0.0))
    assert found not in alerts("list", "--kind", "stockout").output
    two_nights.publish(4, stockout(on_hand=0.0))
    assert found in alerts("list", "--kind", "stockout").output
