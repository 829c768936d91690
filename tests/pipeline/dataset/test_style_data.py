"""What styles read of a night's tables: nothing of the future, orders by time, articles in store."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.days import epoch_day
from models.refusal import Refusal
from pipeline.dataset.purchases import Purchases
from pipeline.dataset.style_data import StyleData, read_articles, read_purchases, store_on
from pipeline.workspace import Workspace
from tests.factories import basket
from tests.published_tables import publish_rows

DAY = date(2026, 3, 1)
NAMES = np.array(["p1", "p2", "p3"], object)


def purchases(tmp_path: Path, *rows: dict[str, object]) -> tuple[np.ndarray, Purchases]:
    workspace = Workspace(tmp_path / "w")
    publish_rows(workspace, "baskets", *rows)
    return read_purchases(workspace.lake.path("baskets", "run1"), NAMES, DAY)


def test_purchases_are_those_before_the_business_date_of_known_customers_and_articles(tmp_path: Path) -> None:
    early, late = datetime(2026, 2, 27, 9, tzinfo=UTC), datetime(2026, 2, 27, 18, tzinfo=UTC)
    customers, found = purchases(
        tmp_path,
        basket(customer_id="b", sold_on=early.date(), started_at_utc=late, products=[("p2", 1.0, 1)]),
        basket(customer_id="b", sold_on=early.date(), started_at_utc=early, products=[("p1", 1.0, 1), ("p3", 1.0, 1)]),
        basket(customer_id="a", products=[("unknown", 1.0, 1), ("p1", 2.0, 1)]),
        basket(customer_id=None, products=[("p1", 1.0, 1)]),
        basket(customer_id="c", sold_on=DAY, products=[("p1", 1.0, 1)]),
        basket(customer_id="d", products=[]),
    )
    assert customers.tolist() == ["a", "b"]
    assert found.customers.tolist() == [0, 1, 1, 1]
    assert NAMES[found.items].tolist() == ["p1", "p1", "p3", "p2"]
    assert found.orders.tolist() == [0, 1, 1, 2]
    assert np.floor(found.times[1:]).tolist() == [epoch_day(date(2026, 2, 27))] * 3


def test_in_store_is_what_the_catalogue_says_or_what_sold_of_late() -> None:
    day = epoch_day(DAY)
    sold = Purchases.sort(np.zeros(3, int), np.arange(3), np.array([day - 60.0, day - 10.0, day - 1.0]), 1, 3)
    assert store_on(None, sold, DAY).tolist() == [1, 2]


def test_a_draw_of_articles_reads_their_images_alone(tmp_path: Path) -> None:
    names = [f"p{row:02d}" for row in range(20)]
    rows = pa.table(
        {"product_id": names[::-1], "image_hash": [f"h{row}" if row % 2 else None for row in range(20)][::-1]}
    )
    images = pa.table(
        {"image_hash": [f"h{row}" for row in range(1, 20, 2)], "pixels": [bytes([row]) for row in range(1, 20, 2)]}
    )
    pq.write_table(rows, tmp_path / "articles.parquet")
    nothing = pa.nulls(10, pa.list_(pa.float32()))
    pq.write_table(images.append_column("vector", nothing), tmp_path / "images.parquet")
    for most, step in ((None, 1), (20, 1), (7, 2)):
        found = read_articles(tmp_path / "articles.parquet", tmp_path / "images.parquet", most)
        assert found["product_id"].to_pylist() == names[::step]
        assert found["pixels"].to_pylist() == [bytes([row]) if row % 2 else None for row in range(0, 20, step)]


def test_a_catalogue_without_an_article_that_was_sold_says_what_to_do(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    publish_rows(workspace, "baskets", basket(products=[("other", 1.0, 1)]))
    rows = pa.table(
        {
            "product_id": ["p1"],
            "tags": pa.array([["red"]], pa.list_(pa.string())),
            "numbers": pa.array([[]], pa.list_(pa.float64())),
            "price_cents": [1.0],
            "image_hash": pa.nulls(1, pa.string()),
            "available_from": pa.nulls(1, pa.date32()),
            "available_until": pa.nulls(1, pa.date32()),
        }
    )
    pq.write_table(rows, tmp_path / "articles.parquet")
    tables = {"articles": tmp_path / "articles.parquet", "baskets": workspace.lake.path("baskets", "run1")}
    with pytest.raises(Refusal, match="must have the same ids"):
        StyleData.open(tables, DAY, images=False)
