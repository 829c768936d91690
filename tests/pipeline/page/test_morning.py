"""The figures on the tiles: what is at risk counts neither gains nor what is snoozed."""

from datetime import timedelta

from pipeline.alerts import incidents
from pipeline.page.context import Context
from pipeline.page.morning import Tiles, read_tiles
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.conftest import nights, postgres, postgres_settings, run, store_settings, stored_nights  # noqa: F401
from tests.pipeline.alerts.shop_nights import Nights, business_date


def tiles(nights: Nights, kind: str) -> Tiles:  # noqa: F811
    context = Context(nights.settings)
    try:
        return read_tiles(context, "shop", kind, business_date(1))
    finally:
        context.engine.dispose()


def test_a_gain_is_an_open_alert_and_puts_no_money_at_risk(stored_nights: Nights) -> None:  # noqa: F811
    changes = [
        anomaly(funnel_id=name, direction=which) for name, which in (("a", "loss"), ("b", "gain"), ("c", "loss"))
    ]
    stored_nights.publish(1, stockout(), anomalies=changes)
    assert tiles(stored_nights, "anomaly") == Tiles(open=3, value_cents=8000, new=3, right=0, with_verdict=0)
    assert tiles(stored_nights, "stockout").value_cents == 500
    snoozed = stored_nights.one(subject_id="a")
    stored_nights.act(incidents.snooze, snoozed, until=business_date(1) + timedelta(days=9))
    assert tiles(stored_nights, "anomaly").value_cents == 4000


def test_the_direction_is_as_of_the_night_that_showed_it_last(stored_nights: Nights) -> None:  # noqa: F811
    stored_nights.publish(1, anomalies=[anomaly(direction="gain")])
    assert tiles(stored_nights, "anomaly").value_cents == 0
    stored_nights.publish(2, anomalies=[anomaly(direction="loss")])
    assert (stored_nights.one().direction, tiles(stored_nights, "anomaly").value_cents) == ("loss", 4000)
