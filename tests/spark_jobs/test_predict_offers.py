"""Next offers from a night's tables: by frequency before the first champion, by the champion after it."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.evaluation.scorecard import Scorecard
from pipeline.workspace import Workspace
from spark_jobs import predict_offers, train_model, validate_table
from tests.factories import BUSINESS_DATE, basket, product
from tests.published_tables import publish_rows

CATEGORIES = ("tea", "milk", "bread", "fruit")


@pytest.fixture
def shop(spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Customers who take a category each in turn, every four days; c99 came once; one sale has no customer."""
    for name, value in {"WORKERS": "1", "EPOCHS": "14", "BATCH_SIZE": "32", "LEARNING_RATE": "0.01"}.items():
        monkeypatch.setenv(f"LARDER_TRAINING__{name}", value)
    rows: list[dict[str, Any]] = [
        basket(customer_id="c99", sold_on=BUSINESS_DATE - timedelta(days=3)),
        basket(customer_id=None, sold_on=BUSINESS_DATE - timedelta(days=3)),
    ]
    for customer in range(24):
        for step in range(16):
            line = (f"p{(customer + step) % 4}", 1.0, 300)
            day = BUSINESS_DATE - timedelta(days=1 + customer % 4 + 4 * (15 - step))
            rows.append(basket(customer_id=f"c{customer:02}", sold_on=day, products=[line]))
    publish_rows(workspace, "baskets", *rows)
    described = [product(product_id=f"p{at}", category=name) for at, name in enumerate(CATEGORIES)]
    publish_rows(workspace, "products", *described)
    return workspace


def run(run_id: str) -> list[str]:
    return ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", run_id]


def offers(shop: Workspace, run_id: str) -> pd.DataFrame:
    predict_offers.main(run(run_id))
    validate_table.main([*run(run_id), "--table", "next_offers"])
    return pd.read_parquet(shop.lake.path("next_offers", run_id)).sort_values(["customer_id", "offer_rank"])


def larder(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_frequencies_predict_before_the_first_champion_and_then_the_champion_does(shop: Workspace) -> None:
    first = offers(shop, "run1")
    assert set(first["fallback"]) == {"no_model"}
    assert set(first["model_version"]) == {"frequency"}
    assert first["customer_id"].nunique() == 25
    assert (first.groupby("customer_id")["probability"].sum() <= 1 + 1e-6).all()

    train_model.main([*run("run2"), "--task", "next_offers"])
    card = Scorecard.read(shop.task_folder("run2", "next_offers"))
    assert set(card.models) == {"candidate", "global_top", "own_then_global"}
    assert card.models["candidate"]["mrr"] > card.models["own_then_global"]["mrr"], "the turn is learned"
    assert "next_offers/1 is champion" in larder("model", "promote", *run("run2"), "--task", "next_offers")

    found = offers(shop, "run2")
    by_model = found[found["fallback"].isna()]
    assert set(by_model["model_version"]) == {"larder-shop-next_offers/1"}
    assert set(found.loc[found["fallback"] == "few_events", "customer_id"]) == {"c99"}
    best = by_model[by_model["offer_rank"] == 1].set_index("customer_id")["offer"]
    expected = {f"c{customer:02}": CATEGORIES[(customer + 16) % 4] for customer in range(24)}
    hits = sum(best[customer] == offer for customer, offer in expected.items())
    assert hits >= 18
    assert (pd.to_datetime(found["expected_on"]).dt.date >= BUSINESS_DATE).all()

    again = offers(shop, "run2")
    pd.testing.assert_frame_equal(found.reset_index(drop=True), again.reset_index(drop=True))

    listed = larder("offers", "list", "--source", "shop", "--customer", "c03", "--json")
    assert '"customer_id": "c03"' in listed
    csv = larder("offers", "list", "--source", "shop", "--product", "tea", "--within", "7", "--csv", "-")
    assert csv.splitlines()[0].startswith("customer_id,offer_rank,offer,probability")
    assert all(",tea," in line for line in csv.splitlines()[1:])
    assert "no customer 'nobody'; known: c" in larder("offers", "list", "--customer", "nobody", status=1)
