"""`larder customers`: the order of the list, its files, and one customer's story."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.workspace import Workspace
from tests.factories import customer_day, customer_value, next_offer
from tests.published_tables import publish_rows


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Two champions and one who is at risk."""
    publish_rows(
        workspace,
        "customer_values",
        customer_value(customer_id="c1"),
        customer_value(customer_id="c2", lifetime_value_cents=50_000.0, still_customer=0.5),
        customer_value(customer_id="c3", lifetime_value_cents=70_000.0, segment="at risk"),
    )
    publish_rows(workspace, "customer_days", customer_day(customer_id="c1", returned_cents=40))
    publish_rows(workspace, "next_offers", next_offer(customer_id="c1", offer="tea"))
    return workspace


def larder(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["customers", *arguments, "--source", "shop"])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("shop")
def test_the_most_valuable_or_what_is_wanted_stands_first(tmp_path: Path) -> None:
    rows = json.loads(larder("list", "--json"))
    assert [row["customer_id"] for row in rows] == ["c3", "c2", "c1"]
    assert [row["customer_id"] for row in json.loads(larder("list", "--by", "still_customer", "--json"))][-1] == "c2"
    assert [row["customer_id"] for row in json.loads(larder("list", "--segment", "at risk", "--json"))] == ["c3"]
    larder("list", "--limit", "2", "--csv", str(tmp_path / "customers.csv"))
    with (tmp_path / "customers.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["customer_id"] for row in written] == ["c3", "c2"]
    shown = larder("list")
    assert "700.00" in shown
    assert "at risk" in shown


@pytest.mark.usefixtures("shop")
def test_one_customer_is_shown_with_days_and_offers() -> None:
    story = json.loads(larder("show", "c1", "--json"))
    assert (story["segment"], story["offers"][0]["offer"], story["days"][0]["returned_cents"]) == (
        "champions",
        "tea",
        40,
    )
    shown = larder("show", "c1")
    for words in ("champions", "tea", "2026-02-01", "0.40", "90.00"):
        assert words in shown
