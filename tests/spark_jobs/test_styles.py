"""Styles from a night's baskets and a catalogue: trained, gated, predicted and ranked.

The vectors are those of tags; a model of vectors is trained in tests/pipeline/dataset/test_item_vector_rows.py.
"""

import json

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.evaluation.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from spark_jobs import (
    ingest_articles,
    ingest_views,
    predict_item_vectors,
    predict_styles,
    rank_styles,
    read_images,
    train_model,
    validate_table,
)
from tests.pipeline.dataset.fashion_tables import SMALL, fashion_workspace

BEST = 5


@pytest.fixture
def shop(spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The small shop; few steps of training."""
    monkeypatch.setenv("LARDER_TASKS__STYLES__TRAINING__MAX_STEPS", "12")
    monkeypatch.setenv("LARDER_TASKS__STYLES__TRAINING__HOLDOUT_DAYS", "20")
    monkeypatch.setenv("LARDER_TASKS__STYLES__PROMOTION__MIN_GAIN_OVER_BASELINE", "-1.0")
    monkeypatch.setenv("LARDER_STYLES__BEST", str(BEST))
    return fashion_workspace(settings.data_dir)


def run(run_id: str) -> list[str]:
    return ["--source", "fashion", "--business-date", SMALL.business_date.isoformat(), "--run-id", run_id]


def larder(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == status, result.output
    return result.output


def gate(table: str, run_id: str) -> None:
    validate_table.main([*run(run_id), "--table", table])


def table(shop: Workspace, name: str, run_id: str) -> pd.DataFrame:
    return pd.read_parquet(shop.lake.path(name, run_id))


def rankings(shop: Workspace, run_id: str) -> pd.DataFrame:
    predict_styles.main(run(run_id))
    gate("styles", run_id)
    rank_styles.main(run(run_id))
    # Ended before its gate and started again, it goes on.
    rank_styles.main(run(run_id))
    gate("style_rankings", run_id)
    found = table(shop, "style_rankings", run_id)
    return found.sort_values(["customer_id", "style_rank"]).reset_index(drop=True)


def test_a_night_of_styles(shop: Workspace) -> None:
    ingest_articles.main(run("run1"))
    read_images.main(run("run1"))
    images = table(shop, "article_images", "run1")
    assert len(images) == SMALL.articles
    assert {len(pixels) for pixels in images["pixels"]} == {32 * 32 * 3}

    read_images.main(run("run2"))
    pd.testing.assert_frame_equal(
        table(shop, "article_images", "run2").sort_values("image_hash", ignore_index=True),
        images.sort_values("image_hash", ignore_index=True),
    )
    predict_item_vectors.main(run("run2"))
    gate("item_vectors", "run2")
    assert set(table(shop, "item_vectors", "run2")["model_version"]) == {"tags"}

    ingest_views.main(run("run2"))
    train_model.main([*run("run2"), "--task", "styles"])
    card = Scorecard.read(shop.task_folder("run2", "styles"))
    assert set(card.models) == {"candidate", "popularity", "content"}
    assert "styles/1 is champion" in larder("model", "promote", *run("run2"), "--task", "styles")
    found = rankings(shop, "run2")
    assert set(found["model_version"]) == {"larder-fashion-styles/1"}

    styles, articles = table(shop, "styles", "run2"), table(shop, "style_articles", "run2")
    said = table(shop, "articles", "run1")
    day = SMALL.business_date
    in_store = said[(said["available_from"] <= day) & (said["available_until"] > day)]
    assert set(articles["product_id"]) == set(in_store["product_id"]), "stock is a hard mask"
    assert set(styles["customer_id"]) == set(table(shop, "baskets", "run1")["customer_id"])
    expected = intents(styles, articles)
    for customer, rows in found.groupby("customer_id"):
        assert rows["style_rank"].tolist() == list(range(1, min(BEST, len(articles)) + 1))
        best = expected[customer].sort_values(ascending=False)
        np.testing.assert_allclose(rows["intent"], best.to_numpy()[: len(rows)], rtol=1e-4, atol=1e-4)
    pd.testing.assert_frame_equal(found, rankings(shop, "run2"))

    item = found["product_id"][0]
    whom = json.loads(larder("styles", "list", "--item", item, "--source", "fashion", "--json", "--limit", "3"))
    best = expected.loc[item].sort_values(ascending=False)[:3]
    np.testing.assert_allclose([row["intent"] for row in whom], best.to_numpy(), rtol=1e-4, atol=1e-4)


def intents(styles: pd.DataFrame, articles: pd.DataFrame) -> pd.DataFrame:
    """Every intent, by article and customer, without blocks."""
    products = np.stack(articles["factors"]) @ np.stack(styles["factors"]).T
    found = pd.DataFrame(products, articles["product_id"], styles["customer_id"])
    for row in styles.itertuples():
        for own in row.own:
            found.loc[own["product_id"], row.customer_id] += own["score"]
    return found
