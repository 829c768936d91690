"""What operators and merchandisers type and read."""

import csv
import io
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from pipeline.alerts.narrowing import Only
from pipeline.alerts.queries import open_alerts
from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.stages import read_stages
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, anomaly, basket, prediction, product, stockout
from tests.published_tables import publish_rows

NIGHT = ("--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1")


def larder(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def shop(settings: Settings, workspace: Workspace) -> Workspace:
    """A lake of one night with two stock-outs in two stores and one anomaly."""
    publish_rows(workspace, "transactions")
    publish_rows(workspace, "baskets", basket(products=[("p1", 3.0, 300)]), basket(customer_id="someone else"))
    publish_rows(workspace, "products", product(name="=Oats [bold]\x1b[31m"))
    publish_rows(
        workspace,
        "predictions",
        prediction(funnel_id="buyer", next_sold_on=BUSINESS_DATE + timedelta(days=6)),
        prediction(funnel_id="too late", next_sold_on=BUSINESS_DATE + timedelta(days=7)),
        prediction(funnel_id="elsewhere", store_id="s2"),
        prediction(funnel_id="other taste", products=[{"product_id": "p9", "probability": 1.0, "quantity": 1.0}]),
        prediction(funnel_id="c1", store_id="s3"),
    )
    publish_rows(
        workspace, "stockouts", stockout(), stockout(store_id="s2", value_at_risk_cents=123456, reason="@SUM(A1)")
    )
    publish_rows(workspace, "anomalies", anomaly(store_id="s3"))
    return workspace


def test_publish_records_its_stage(shop: Workspace) -> None:
    result = larder("alerts", "publish", *NIGHT)
    assert result.exit_code == 0, result.output
    assert "2 stock-outs and 1 anomalies of shop for 2026-03-01" in result.output
    last = read_stages(shop.run_folder("run1"))[-1]
    assert (last.name, last.status, last.rows_in, last.rows_out) == ("publish_alerts", "done", 3, 3)
    assert "nothing changed" in larder("alerts", "publish", *NIGHT).output


def test_publish_without_a_run_fails_in_one_line(settings: Settings) -> None:
    result = larder("alerts", "publish", *NIGHT)
    assert result.exit_code == 1
    assert result.stderr.startswith("larder: table stockouts has no published version run1")
    assert result.stderr.count("\n") == 1


def test_list_shows_the_worst_first_in_currency_units(shop: Workspace) -> None:
    larder("alerts", "publish", *NIGHT)
    lines = larder("alerts", "list", "--kind", "stockout").output
    assert lines.index("1,234.56") < lines.index("5.00")
    assert "1,234.56" not in larder("alerts", "list", "--kind", "stockout", "--store", "s1").output


def test_csv_cells_are_harmless_to_a_spreadsheet(shop: Workspace) -> None:
    larder("alerts", "publish", *NIGHT)
    output = larder("alerts", "list", "--kind", "stockout", "--csv", "-").stdout
    first, second = csv.DictReader(io.StringIO(output))
    assert first["reason"] == "'@SUM(A1)"
    assert second["product_name"].startswith("'=Oats")
    assert (first["value_at_risk"], first["rank"]) == ("1234.56", "1")


def test_csv_to_a_file(shop: Workspace, settings: Settings) -> None:
    larder("alerts", "publish", *NIGHT)
    out = shop.root / "anomalies.csv"
    assert larder("alerts", "list", "--kind", "anomaly", "--csv", str(out)).exit_code == 0
    (row,) = csv.DictReader(out.open())
    assert (row["funnel_id"], row["value_at_risk"]) == ("c1", "40.00")


def test_why_lists_the_predicted_baskets_of_a_stockout(shop: Workspace, settings: Settings) -> None:
    larder("alerts", "publish", *NIGHT)
    (short,) = open_alerts(settings, kind="stockout", source="shop", only=Only(store="s1"))
    output = larder("alerts", "why", short.id[:8]).output
    assert "buyer" in output
    assert "1 predicted baskets hold it within 7 days" in output
    for absent in ("too late", "elsewhere", "other taste", "\x1b[31m"):
        assert absent not in output


def test_why_shows_what_an_odd_customer_bought_and_was_predicted(shop: Workspace, settings: Settings) -> None:
    larder("alerts", "publish", *NIGHT)
    (odd,) = open_alerts(settings, kind="anomaly", source="shop")
    output = larder("alerts", "why", odd.id).output
    bought, predicted = (line for line in output.splitlines() if "=Oats [bold]" in line)
    assert "bought" in bought
    assert "3 x" in bought
    assert f"predicted {BUSINESS_DATE}" in predicted
    assert "2 x" in predicted


def test_why_of_an_unknown_id(shop: Workspace) -> None:
    larder("alerts", "publish", *NIGHT)
    result = larder("alerts", "why", "nothing%")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "no alert's id begins with 'nothing%'" in result.stderr


def test_why_of_an_expired_run_says_so(shop: Workspace, settings: Settings) -> None:
    larder("alerts", "publish", *NIGHT)
    (short,) = open_alerts(settings, kind="stockout", source="shop", only=Only(store="s1"))
    for number in range(2, 5):
        publish_rows(shop, "predictions", version=f"run{number}")
    shop.lake.expire("predictions", 2)
    result = larder("alerts", "why", short.id)
    assert result.exit_code == 1
    assert "are not kept any more" in result.stderr


def test_migrate_names_the_store(settings: Settings) -> None:
    assert "alerts.db is at revision" in larder("alerts", "migrate").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--kind", "stokout"), "unknown kind 'stokout'; known: stockout, anomaly; did you mean 'stockout'?"),
        (("thresholds", "--kind", ""), "unknown kind ''; known: stockout, anomaly"),
        (("list", "--kind", "anomaly", "--state", "onging"), "unknown state 'onging'; known: new, ongoing"),
    ],
)
def test_a_misspelt_word_is_one_line_that_names_the_known_ones(
    shop: Workspace, arguments: tuple[str, ...], said: str
) -> None:
    result = larder("alerts", *arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
    assert said in result.stderr
