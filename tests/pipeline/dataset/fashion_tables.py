"""A small simulated fashion shop as the tables that the tasks of styles read."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.simulator.fashion_shop import FashionSettings, simulate_fashion
from pipeline.workspace import Workspace
from tests.factories import basket
from tests.published_tables import publish_rows

SMALL = FashionSettings(customers=80, articles=60, days=120)


def fashion_workspace(folder: Path) -> Workspace:
    """The raw files of the shop and its `baskets`, as of the morning after its last day."""
    workspace = Workspace(folder / "fashion")
    simulate_fashion(SMALL, workspace.root)
    lines = pd.read_csv(workspace.raw / "sales.csv.gz", dtype={"customer_id": str, "order_id": str, "article_id": str})
    lines["sold_at"] = pd.to_datetime(lines["sold_at"])
    rows = [
        basket(
            customer_id=customer,
            sold_on=at.date(),
            started_at_utc=datetime.fromtimestamp(at.timestamp(), UTC),
            products=[(article, 1.0, 1000) for article in sorted(set(order["article_id"]))],
        )
        for (customer, at), order in lines.groupby(["customer_id", "sold_at"])
    ]
    publish_rows(workspace, "baskets", *rows, business_date=SMALL.business_date)
    return workspace


def fashion_tables(folder: Path) -> dict[str, Path]:
    """Files of all tables that are read: no article has a picture, vectors are drawn."""
    workspace = fashion_workspace(folder)
    return {"baskets": workspace.lake.path("baskets", "run1")} | _articles(workspace, folder)


def _articles(workspace: Workspace, folder: Path) -> dict[str, Path]:
    with (workspace.raw / "catalogue.csv").open() as file:
        rows = list(csv.DictReader(file))
    days = {name: [date.fromisoformat(row[name]) for row in rows] for name in ("available_from", "available_until")}
    names = [row["article_id"] for row in rows]
    articles = {
        "product_id": names,
        "tags": [[f"{name}={row[name]}" for name in ("brand", "colour", "category")] for row in rows],
        "numbers": [[float(row["cotton"])] for row in rows],
        "price_cents": [100.0 * float(row["price"]) for row in rows],
        "image_hash": pa.nulls(len(rows), pa.string()),
    }
    images = {"image_hash": pa.nulls(0, pa.string()), "pixels": pa.nulls(0, pa.binary())}
    vectors = np.random.default_rng(0).normal(size=(len(rows), 8)).astype(np.float32)
    made = {"product_id": names, "vector": vectors.tolist(), "model_version": ["vectors/1"] * len(rows)}
    written = {"articles": articles | days, "article_images": images, "item_vectors": made}
    written["views"] = _views(workspace)
    for name, columns in written.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in written}


def _views(workspace: Workspace) -> dict[str, pa.Array]:
    lines = pd.read_csv(workspace.raw / "views.csv.gz")
    lines = lines[lines["kind"] == "view"]
    at = pa.array(pd.to_datetime(lines["viewed_at"]), pa.timestamp("us", tz="UTC"))
    named = {"customer_id": lines["customer_id"].tolist(), "product_id": lines["article_id"].tolist()}
    return named | {"viewed_at_utc": at, "viewed_on": at.cast(pa.date32())}
