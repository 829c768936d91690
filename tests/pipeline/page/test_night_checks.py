"""What the night's own checks found, as Model quality shows it."""

from typing import Any

from pipeline.lake.lake import Manifest
from pipeline.page.night_checks import night_checks
from pipeline.stages import stage
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, expected_demand
from tests.published_tables import publish_rows

NIGHT = BUSINESS_DATE.isoformat()


def words(parts: list[object]) -> str:
    return " ".join(str(part) for part in parts)


def delivered(workspace: Workspace, nights: dict[str, dict[str, object]]) -> None:
    """A published version of `transactions` that says this of its nights."""
    lake = workspace.lake
    lake.stage("transactions", "run1")
    lake.describe(
        Manifest(
            table="transactions",
            version="run1",
            business_date=BUSINESS_DATE,
            rows=1,
            inputs={},
            details={"nights": nights},
        )
    )
    lake.publish("transactions", "run1")


def test_before_the_first_night_there_is_nothing(workspace: Workspace) -> None:
    assert night_checks(workspace) == []


def test_refused_lines_by_night_and_reason_and_a_notice_when_they_jump(workspace: Workspace) -> None:
    usual = {"lines": 1000, "refused": {"missing_key (product)": 2}}
    delivered(workspace, {"2026-02-27": usual, NIGHT: {"lines": 1000, "refused": {"unparseable_number (qty)": 400}}})
    shown = words(night_checks(workspace))
    assert "More lines than usual cannot be used" in shown
    assert "unparseable_number (qty) 400" in shown
    assert "40.0%" in shown


def test_no_notice_where_as_much_is_refused_as_ever(workspace: Workspace) -> None:
    usual = {"lines": 1000, "refused": {"missing_key (product)": 300}}
    delivered(workspace, {"2026-02-27": usual, NIGHT: usual})
    assert "More lines than usual" not in words(night_checks(workspace))


def test_the_forecast_s_checks_are_named(workspace: Workspace) -> None:
    publish_rows(workspace, "expected_demand", expected_demand(), version="run1")
    details: dict[str, Any] = {
        "methods": {"learned": 40, "mean-112": 2},
        "products_out_of_bounds": 1,
        "stores_out_of_bounds": 0,
        "products_with_odd_quantities": 1,
        "worst_products": ["p7 in s1: 679 a week, at most 20 before"],
        "worst_stores": [],
        "odd_quantities": ["p3 in s1: 70123 units not learned from"],
    }
    with stage("forecast_demand", workspace.run_folder("run1")) as record:
        record.details |= details
    shown = words(night_checks(workspace))
    assert "learned 40, mean-112 2" in shown
    assert details["worst_products"][0] in shown
    assert details["odd_quantities"][0] in shown
