"""Customer values from a night's tables: in closed form before the first champion, by the champion after it."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.erasure.erase import erase
from pipeline.evaluation.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from spark_jobs import build_customer_days, predict_values, train_model, validate_table
from tests.factories import BUSINESS_DATE, basket, transaction
from tests.published_tables import frame, publish_rows

HORIZON = 20
DAYS = 120


@pytest.fixture
def shop(spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Customers with a rhythm and a spend of their own; c000 brought everything back, c001 stopped long ago."""
    monkeypatch.setenv("LARDER_TASKS__CUSTOMER_VALUES__TRAINING__HOLDOUT_DAYS", str(HORIZON))
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []

    def line(customer: str | None, ago: int, cents: int, **fields: Any) -> None:
        sold_on = BUSINESS_DATE - timedelta(days=ago)
        rows.append(
            transaction(source_line=len(rows) + 1, customer_id=customer, sold_on=sold_on, amount_cents=cents, **fields)
        )

    for customer in range(2, 90):
        for ago in range(DAYS - customer % 17, 0, -(3 + customer % 23)):
            if random.random() < 0.8:
                line(f"c{customer:03}", ago, 100 * (1 + customer % 9))
    line("c000", 30, 5000)
    line("c000", 10, 5000, is_return=True)
    for ago in (118, 112, 106):
        line("c001", ago, 900)
    line(None, 3, 700)
    line("guest", 3, 700)
    line("c002", -1, 99_999)
    publish_rows(workspace, "transactions", *rows)
    known = sorted({row["customer_id"] for row in rows if row["customer_id"] not in {None, "guest"}})
    publish_rows(workspace, "baskets", *[basket(customer_id=customer) for customer in known])
    return workspace


def run(run_id: str, business_date: date = BUSINESS_DATE) -> list[str]:
    return ["--source", "shop", "--business-date", business_date.isoformat(), "--run-id", run_id]


def values(shop: Workspace, run_id: str) -> pd.DataFrame:
    predict_values.main(run(run_id))
    validate_table.main([*run(run_id), "--table", "customer_values"])
    return pd.read_parquet(shop.lake.path("customer_values", run_id)).sort_values("customer_id").reset_index(drop=True)


def larder(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_a_closed_form_predicts_before_the_first_champion_and_then_the_champion_does(
    shop: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_customer_days.main(run("run1"))
    days = pd.read_parquet(shop.lake.path("customer_days", "run1"))
    assert set(days["customer_id"]) == {f"c{customer:03}" for customer in range(90)}, "no guest, nobody without a name"
    assert days["sold_on"].max() < BUSINESS_DATE
    first = values(shop, "run1")
    assert set(first["fallback"]) == {"no_model"}
    assert set(first["method"]) == {"bg_nbd"}
    assert len(first) == 90

    monkeypatch.setenv("LARDER_TASKS__CUSTOMER_VALUES__PROMOTION__MIN_GAIN_OVER_BASELINE", "1")
    train_model.main([*run("run1"), "--task", "customer_values"])
    card = Scorecard.read(shop.task_folder("run1", "customer_values"))
    assert set(card.models) == {"candidate", "own_rate", "past_spend"}
    assert "was refused" in larder("model", "promote", *run("run1"), "--task", "customer_values")

    monkeypatch.setenv("LARDER_TASKS__CUSTOMER_VALUES__PROMOTION__MIN_GAIN_OVER_BASELINE", "-1")
    build_customer_days.main(run("run2"))
    train_model.main([*run("run2"), "--task", "customer_values"])
    assert "customer_values/2 is champion" in larder("model", "promote", *run("run2"), "--task", "customer_values")
    found = values(shop, "run2")
    assert set(found["model_version"]) == {"larder-shop-customer_values/2"}
    assert found["fallback"].isna().all()
    pd.testing.assert_frame_equal(found, values(shop, "run2"))

    by_id = found.set_index("customer_id")
    assert by_id.loc["c000", "spend_cents"] == 0, "what came back is subtracted"
    assert by_id.loc["c001", "segment"] in {"hibernating", "at risk"}
    assert by_id.loc["c001", "still_customer"] < by_id.loc["c002", "still_customer"]
    assert (found["spend_30_cents"] <= found["spend_90_cents"]).all()
    assert (found["spend_90_cents"] <= found["spend_365_cents"]).all()
    assert (found["baskets_30_low"] <= found["baskets_30_high"]).all()
    assert found["lifetime_value_cents"].sum() > found["spend_365_cents"].sum()
    assert (found["next_sold_on"] >= BUSINESS_DATE).all()

    listed = larder("customers", "list", "--source", "shop", "--segment", "champions", "--csv", "-")
    assert listed.splitlines()[0].startswith("customer_id,segment,")
    assert all(",champions," in row for row in listed.splitlines()[1:])
    assert '"customer_id": "c005"' in larder("customers", "show", "c005", "--source", "shop", "--json")
    assert "c005" in larder("customers", "show", "c005", "--source", "shop")
    assert "no customer 'nobody'" in larder("customers", "show", "nobody", "--source", "shop", status=1)

    erased = erase(settings, load_source("shop"), "c005", None)
    assert {"customer_days", "customer_values"} <= set(erased.lake)
    for table in ("customer_days", "customer_values"):
        assert "c005" not in set(pd.read_parquet(shop.lake.path(table, "run2"))["customer_id"])
    assert "no customer 'c005'" in larder("customers", "show", "c005", "--source", "shop", status=1)


def test_what_is_sold_later_and_the_order_of_lines_change_no_day(spark: SparkSession) -> None:
    early = [
        transaction(source_line=1, sold_on=BUSINESS_DATE - timedelta(days=2), amount_cents=500),
        transaction(source_line=2, sold_on=BUSINESS_DATE - timedelta(days=2), quantity=0.0, amount_cents=-50),
        transaction(source_line=3, sold_on=BUSINESS_DATE - timedelta(days=1), amount_cents=200, is_return=True),
    ]
    late = [transaction(source_line=4, sold_on=BUSINESS_DATE, amount_cents=9000, is_return=True)]
    baskets = frame(spark, "baskets", [basket()])
    made = [
        sorted(
            map(
                tuple,
                build_customer_days.customer_days(frame(spark, "transactions", rows), baskets, BUSINESS_DATE).collect(),
            )
        )
        for rows in (early, [*late, *reversed(early)])
    ]
    assert made[0] == made[1]
    assert [row[2:] for row in made[0]] == [(1, 450, 0), (0, 0, 200)]
