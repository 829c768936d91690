"""Returns from a night's tables: by rates before the first champion, by the champion after it, summed by day."""

from datetime import timedelta

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.evaluation.scorecard import Scorecard
from pipeline.workspace import Workspace
from spark_jobs import predict_returns, sum_returns, train_model, validate_table
from tests.factories import BUSINESS_DATE, product
from tests.pipeline.dataset.order_lines import publish_order_lines, shop_rows
from tests.published_tables import publish_rows

RETURN_DAYS = 10


@pytest.fixture
def shop(spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The simulated shop's description over a small shop whose customers and products differ in what they return."""
    for name, value in {"WORKERS": "1", "EPOCHS": "2", "HOLDOUT_DAYS": "14"}.items():
        monkeypatch.setenv(f"LARDER_TASKS__RETURNS__TRAINING__{name}", value)
    publish_order_lines(workspace, shop_rows(60, 140))
    publish_rows(workspace, "products", *[product(product_id=f"p{at}", name=f"Glass {at}") for at in range(8)])
    return workspace


def run(run_id: str) -> list[str]:
    return ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", run_id]


def forecasts(shop: Workspace, run_id: str) -> pd.DataFrame:
    predict_returns.main(run(run_id))
    validate_table.main([*run(run_id), "--table", "return_forecasts"])
    found = pd.read_parquet(shop.lake.path("return_forecasts", run_id))
    return found.sort_values(["basket_key", "product_id"]).reset_index(drop=True)


def larder(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_rates_predict_before_the_first_champion_and_then_the_champion_does(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = forecasts(shop, "run1")
    assert set(first["fallback"]) == {"no_model"}
    assert set(first["model_version"]) == {"rates"}
    open_from = BUSINESS_DATE - timedelta(days=RETURN_DAYS)
    came_back = {(row["basket_key"], row["product_id"]) for row in shop_rows(60, 140) if row["returned"]}
    expected = {
        (row["basket_key"], row["product_id"]) for row in shop_rows(60, 140) if row["sold_on"] >= open_from
    } - came_back
    assert set(zip(first["basket_key"], first["product_id"], strict=True)) == expected

    train_model.main([*run("run2"), "--task", "returns"])
    card = Scorecard.read(shop.task_folder("run2", "returns"))
    assert set(card.models) == {
        "candidate", "customer_rate", "customer_item_rate", "logistic", "boosted", "logistic_boosted",
    }  # fmt: skip
    assert card.models["candidate"]["auc"] > 0.65
    monkeypatch.setenv("LARDER_TASKS__RETURNS__PROMOTION__MIN_GAIN_OVER_BASELINE", "1.0")
    assert "larder-shop-returns/1 was refused" in larder("model", "promote", *run("run2"), "--task", "returns")
    monkeypatch.setenv("LARDER_TASKS__RETURNS__PROMOTION__MIN_GAIN_OVER_BASELINE", "-1.0")
    assert "returns/1 is champion" in larder("model", "promote", *run("run2"), "--task", "returns")

    found = forecasts(shop, "run2")
    assert set(found["model_version"]) == {"larder-shop-returns/1"}
    assert set(zip(found["basket_key"], found["product_id"], strict=True)) == expected
    often = found["customer_id"].str[1:].astype(int) % 4 == 0
    assert found.loc[often, "probability"].mean() > 1.5 * found.loc[~often, "probability"].mean()
    pd.testing.assert_frame_equal(found, forecasts(shop, "run2"))

    sum_returns.main(run("run2"))
    summed = pd.read_parquet(shop.lake.path("expected_returns", "run2"))
    assert summed["expected_units"].sum() == pytest.approx(found["expected_units"].sum(), rel=1e-6)
    assert summed["returns_on"].min() == BUSINESS_DATE
    assert summed["returns_on"].max() == BUSINESS_DATE + timedelta(days=RETURN_DAYS - 1)

    listed = larder("returns", "list", "--source", "shop", "--customer", "c04", "--json")
    assert '"customer_id": "c04"' in listed
    csv = larder("returns", "list", "--source", "shop", "--product", "p0", "--csv", "-")
    assert csv.splitlines()[0].startswith("customer_id,product_id,store_id")
    assert all(",p0," in line for line in csv.splitlines()[1:])
    assert "no customer 'c4'" in larder("returns", "list", "--source", "shop", "--customer", "c4", status=1)
