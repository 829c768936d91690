"""What alerts of customers who stay away were worth on past mornings: the night's own back-test, night by night.

Read from the published versions of `behaviour_backtests`, one a night.
"""

from typing import Any

import dash_mantine_components as dmc

from pipeline.lake.export import scan
from pipeline.lake.lake import Lake
from pipeline.page.tables import facts
from pipeline.tables.behaviour_backtests import BEHAVIOUR_BACKTESTS

_SUMS = ("judged", "stayed_away", "alerts", "right_alerts")


def behaviour_quality(lake: Lake, most: int) -> list[Any]:
    """Words and a table, the latest night first; nothing where no night has a back-test."""
    nights: dict[str, list[str]] = {}
    for version in lake.versions(BEHAVIOUR_BACKTESTS.name)[-most:]:
        rows = scan(lake, BEHAVIOUR_BACKTESTS.name, version).to_table().to_pylist()
        if rows:
            night = lake.manifest(BEHAVIOUR_BACKTESTS.name, version).business_date.isoformat()
            nights[night] = [night, *_figures({name: sum(row[name] for row in rows) for name in _SUMS})]
    if not nights:
        return []
    words = (
        "Customers who would have been reported as staying away 7, 14, 21 and 28 days before each night: how many did "
        "not come within their own usual gap after that morning, beside all customers of the same mornings."
    )
    shown = ["Night", "Customers", "Stayed away", "Alerts", "Stayed away", "Times as often"]
    return [dmc.Text(words, size="sm", c="dimmed"), facts(shown, [nights[day] for day in sorted(nights, reverse=True)])]


def _figures(sums: dict[str, int]) -> list[str]:
    usual = sums["stayed_away"] / sums["judged"]
    share = sums["right_alerts"] / sums["alerts"] if sums["alerts"] else None
    reported = "" if share is None else f"{share:.0%}"
    times = "" if share is None or not usual else f"{share / usual:.1f}"
    return [f"{sums['judged']:,}", f"{usual:.0%}", f"{sums['alerts']:,}", reported, times]
