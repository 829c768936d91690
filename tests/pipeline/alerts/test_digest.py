"""The night's digest: crossings alone, once a night, and never an address in it or in the log."""

import logging

import pytest

from pipeline import notices
from pipeline.alerts import incidents
from pipeline.alerts.digest import digest_of, send_digest
from pipeline.alerts.incident_models import Digest
from pipeline.alerts.store import opened, writing
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.shop_nights import Nights, business_date


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What reached the one address that is configured."""
    messages: list[tuple[str, str]] = []

    def send(title: str, body: str) -> bool:
        messages.append((title, body))
        return True

    monkeypatch.setattr(notices, "send", send)
    monkeypatch.setenv("LARDER_NOTIFY_URLS", "mailto://a:secret@x")
    return messages


def tell(nights: Nights, number: int) -> bool | None:
    return send_digest(nights.settings, "shop", business_date(number))


def told(nights: Nights, number: int) -> str | None:
    text = digest_of(nights.settings, "shop", business_date(number))
    return text and text[0].partition(": ")[2]


def test_a_lasting_condition_is_reported_once(nights: Nights, sent: list[tuple[str, str]]) -> None:
    nights.publish(1, stockout(), anomalies=[anomaly()])
    assert tell(nights, 1) is True
    assert tell(nights, 1) is None
    nights.publish(1, stockout(), stockout(product_id="p2"), anomalies=[anomaly()])
    assert tell(nights, 1) is None
    nights.publish(2, stockout(), stockout(product_id="p2"), anomalies=[anomaly()])
    assert tell(nights, 2) is None
    assert [title for title, _body in sent] == ["Larder, shop, 2026-03-01: 2 new"]


def test_crossings_are_reported(nights: Nights) -> None:
    products = ("out", "worse", "gone")
    nights.publish(1, *(stockout(product_id=name, severity="low") for name in products))
    nights.publish(
        2,
        stockout(product_id="out", severity="medium", on_hand=0.0),
        stockout(product_id="worse", severity="critical"),
        stockout(product_id="fresh"),
    )
    assert told(nights, 2) == "1 new, 1 out of stock, 1 worse, 1 resolved"
    nights.publish(3, *(stockout(product_id=name, on_hand=0.0, severity="low") for name in ("out",)))
    assert told(nights, 3) == "2 resolved"


def test_what_is_snoozed_or_closed_is_quiet_until_it_is_back(nights: Nights) -> None:
    nights.publish(1, stockout(), stockout(product_id="p2"))
    snoozed, closed = nights.incidents()
    nights.act(incidents.snooze, snoozed, until=business_date(3))
    nights.act(incidents.close, closed, verdict="known")
    for number in (2, 3):
        nights.publish(number, stockout(on_hand=0.0), stockout(product_id="p2", severity="critical"))
        assert told(nights, number) == (None if number == 2 else "1 back from snooze")


def test_an_older_night_is_not_reported(nights: Nights, sent: list[tuple[str, str]]) -> None:
    nights.publish(2, stockout())
    nights.publish(1, stockout(product_id="p2"))
    assert tell(nights, 1) is None
    assert sent == []


def test_nothing_is_sent_by_default(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LARDER_NOTIFY_URLS", "LARDER_NOTIFY_URLS_FILE"):
        monkeypatch.delenv(name, raising=False)
    nights.publish(1, stockout())
    assert tell(nights, 1) is None
    with opened(nights.settings) as engine, writing(engine) as session:
        assert session.get(Digest, ("shop", business_date(1))) is None


def test_it_is_short_and_says_where_to_read_on(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_ALERTS__DIGEST_LINES", "3")
    nights.settings = type(nights.settings)()
    nights.publish(1, *(stockout(product_id=f"p{number}", reason="why " * 100) for number in range(9)))
    text = digest_of(nights.settings, "shop", business_date(1))
    assert text is not None
    *lines, more, _empty, further = text[1].splitlines()
    assert [len(line) for line in lines] == [160] * 3
    assert (more, further) == ("and 6 more", "larder alerts list --source shop --kind stockout (or anomaly)")


def test_what_cannot_be_sent_is_recorded_and_named_without_its_address(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LARDER_NOTIFY_URLS", "nosuchservice://a:secret@x")
    nights.publish(1, stockout())
    with caplog.at_level(logging.DEBUG):
        assert tell(nights, 1) is False
    assert "secret" not in caplog.text
    with opened(nights.settings) as engine, writing(engine) as session:
        assert session.get_one(Digest, ("shop", business_date(1))).was_sent is False


def test_an_unreadable_file_of_addresses_fails_no_night(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LARDER_NOTIFY_URLS_FILE", "nowhere")
    nights.publish(1, stockout())
    assert tell(nights, 1) is False
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize(
    "name",
    ["Milk\nnew: Bread, s1, critical, 9,999.00: gone", "Milk\r\x1b[2K", "Milk\u2028worse: Rye", "Milk\u202e\x00"],
)
def test_no_name_forges_a_line_of_the_digest(nights: Nights, name: str) -> None:
    nights.publish(1, stockout(product_id=name, reason=name, store_id=name))
    text = digest_of(nights.settings, "shop", business_date(1))
    assert text is not None
    first, *rest = text[1].splitlines()
    assert first.startswith("new: Milk")
    assert not [line for line in rest if "Milk" in line or line.startswith(("new:", "worse:"))]
    assert "".join(text[1].split("\n")).isprintable()


def test_the_digest_says_which_lines_the_night_could_not_use(nights: Nights) -> None:
    nights.publish(1, stockout())
    text = digest_of(nights.settings, "shop", business_date(1))
    assert text is not None
    assert "could not be used" not in text[1]
    lake = nights.workspace.lake
    counts = {"lines": 900, "refused": {"unparseable_date (day)": 7, "missing_key (product)": 1}}
    manifest = lake.manifest("transactions", lake.resolve("transactions"))
    lake.stage("transactions", "later")
    details = manifest.details | {"nights": {business_date(1).isoformat(): counts}}
    lake.describe(manifest.model_copy(update={"version": "later", "details": details}))
    lake.publish("transactions", "later")
    text = digest_of(nights.settings, "shop", business_date(1))
    assert text is not None
    assert "8 of 900 delivered lines could not be used: unparseable_date (day) 7, missing_key (product) 1" in text[1]
