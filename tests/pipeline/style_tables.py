"""A few published styles of the simulated fashion shop's description, written by hand."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pipeline.lake.lake import Manifest
from pipeline.workspace import Workspace
from tests.factories import basket, product
from tests.published_tables import publish_rows

NIGHT = date(2026, 3, 1)
HASHES = {"red": "a" * 64, "blue": "b" * 64}
VERSION = {"fallback": None, "model_version": "larder-fashion-styles/1", "business_date": NIGHT}
# Factors: how red, how blue, how it sells.
ARTICLES = {"red": [1.0, 0.0, 0.0], "blue": [0.0, 1.0, 0.0], "violet": [0.5, 0.5, 0.3]}
CUSTOMERS = {"anna": [2.0, 0.0, 1.0], "bert": [0.0, 2.0, 1.0], "cold": [0.0, 0.0, 1.0]}


def publish_styles(workspace: Workspace) -> None:
    """Anna likes red, Bert blue and bought it before; violet is new; grey is gone."""
    for color in HASHES:
        path = workspace.raw / "images" / f"{color}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 60), color).save(path)
    articles = [
        {
            "product_id": name,
            "image_file": f"images/{name}.png" if name in HASHES else None,
            "image_hash": HASHES.get(name),
        }
        for name in (*ARTICLES, "grey")
    ]
    vectors = {name: factors[:2] for name, factors in ARTICLES.items()} | {"grey": [0.1, 0.1]}
    _write(workspace, "articles", articles)
    _write(
        workspace,
        "item_vectors",
        [{"product_id": name, "vector": each, "inputs": ["tags"], **VERSION} for name, each in vectors.items()],
    )
    _write(
        workspace,
        "style_articles",
        [{"product_id": name, "factors": each, "is_new": name == "violet"} for name, each in ARTICLES.items()],
    )
    styles = [_style(name, factors) for name, factors in CUSTOMERS.items()]
    _write(workspace, "styles", styles)
    rankings = [
        {"customer_id": name, "style_rank": rank, "product_id": item, "intent": 1.0 / rank, "is_new": item == "violet"}
        | {"is_cold": name == "cold", **VERSION}
        for name in CUSTOMERS
        for rank, item in enumerate(("red", "violet") if name == "anna" else ("blue", "violet"), start=1)
    ]
    _write(workspace, "style_rankings", rankings)
    publish_rows(workspace, "products", *[product(product_id=name, name=name, category="colours") for name in ARTICLES])
    publish_rows(
        workspace,
        "baskets",
        basket(customer_id="bert", products=[("blue", 1.0, 100)]),
        basket(customer_id="bert", products=[("grey", 1.0, 100)], sold_on=NIGHT),
    )


def _style(name: str, factors: list[float]) -> dict[str, Any]:
    own = [{"product_id": "blue", "score": 3.0}] if name == "bert" else []
    return {
        "customer_id": name,
        "factors": factors,
        "own": own,
        "is_cold": name == "cold",
        "orders": 0 if name == "cold" else 1,
        "last_sold_on": None if name == "cold" else date(2026, 2, 1),
        **VERSION,
    }


def _write(workspace: Workspace, table: str, rows: list[dict[str, Any]]) -> None:
    folder = workspace.lake.stage(table, "run1")
    folder.mkdir()
    own = pa.list_(pa.struct([("product_id", pa.string()), ("score", pa.float32())]))
    kinds = {"factors": pa.list_(pa.float32()), "vector": pa.list_(pa.float32()), "own": own, "fallback": pa.string()}
    made = pa.Table.from_pylist(rows)
    schema = pa.schema([(name, kinds.get(name, made.schema.field(name).type)) for name in made.column_names])
    pq.write_table(pa.Table.from_pylist(rows, schema), Path(folder) / "part.parquet")
    workspace.lake.describe(Manifest(table=table, version="run1", business_date=NIGHT, rows=len(rows)))
    workspace.lake.publish(table, "run1")
