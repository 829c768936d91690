"""What a further delivery changes, as typed by a merchandiser."""

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, expected_demand, resupply, stock_level, stockout
from tests.published_tables import publish_rows

NIGHT = ("--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1")


def what_if(units: float, *, ahead: int = 2, **changed: str) -> Result:
    day = BUSINESS_DATE + timedelta(days=ahead)
    asked = {"product": "p1", "store": "s1", "day": day.isoformat(), "units": str(units)} | changed
    return CliRunner().invoke(
        app, ["alerts", "what-if", *(word for name in asked for word in (f"--{name}", asked[name]))]
    )


@pytest.fixture
def shelf(run: Workspace) -> Workspace:
    """A published night in which p1 has 10 on the shelf of s1, 5 arriving on the fourth day, and 4 a day expected."""
    demand: list[dict[str, Any]] = [
        expected_demand(
            demand_on=BUSINESS_DATE + timedelta(days=ahead), variance=4.0001, cumulative_variance=4.0001 * (ahead + 1)
        )
        for ahead in range(7)
    ]
    publish_rows(run, "expected_demand", *demand)
    publish_rows(run, "stock_levels", stock_level(), stock_level(store_id="s2", on_hand=900.0))
    publish_rows(run, "resupplies", resupply(arrives_on=BUSINESS_DATE + timedelta(days=3)))
    assert CliRunner().invoke(app, ["alerts", "publish", *NIGHT]).exit_code == 0
    return run


def test_a_large_delivery_in_time_takes_the_alert_away(shelf: Workspace) -> None:
    output = what_if(100).output
    assert "100 more of Oats (p1) in store s1 on Tue 3 Mar" in output
    assert "The alert goes away" in output
    assert "no day" in output


def test_the_units_it_names_are_enough_and_one_less_is_not(shelf: Workspace) -> None:
    output = what_if(1).output
    assert "The alert stays: still short on " in output
    needed = float(output.split(" units on ")[0].split()[-1])
    assert "The alert goes away" in what_if(needed).output
    assert "The alert stays" in what_if(needed - 1).output


def test_what_was_lost_before_the_delivery_stays_lost(shelf: Workspace) -> None:
    output = what_if(100, ahead=5).output
    assert "The alert stays" in output
    assert "Tue 3 Mar" in output


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"store": "s2"}, "expected no demand for product 'p1' in store 's2'"),
        ({"day": "2026-03-09"}, "a delivery on 2026-03-09: the night looks at 2026-03-01 to 2026-03-07 only"),
        ({"business-date": "2026-01-01"}, "no alerts of source 'shop' for the night of 2026-01-01"),
    ],
)
def test_what_cannot_be_computed_is_one_line(shelf: Workspace, changed: dict[str, str], said: str) -> None:
    result = what_if(5, **changed)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert said in result.stderr


def test_a_night_that_is_not_kept_says_so(shelf: Workspace) -> None:
    for number in range(2, 5):
        publish_rows(shelf, "expected_demand", version=f"run{number}")
    shelf.lake.expire("expected_demand", 2)
    assert "are not kept any more" in what_if(5).stderr


def test_an_alert_published_without_its_demand_table_is_refused(run: Workspace) -> None:
    publish_rows(run, "stockouts", stockout(), version="run2")
    CliRunner().invoke(app, ["alerts", "publish", *NIGHT])
    assert "expected_demand of run run1" in what_if(5).stderr


@pytest.mark.parametrize(("option", "known"), [("product", "known: p1"), ("store", "known: s2, s1")])
def test_an_unknown_product_or_store_is_named_with_the_known_ones(shelf: Workspace, option: str, known: str) -> None:
    result = what_if(1, **{option: f"{option[0]}0"})
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"has no {option} '{option[0]}0'; {known}" in result.stderr
