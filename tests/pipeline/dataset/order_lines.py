"""Rows of `order_lines` for tests: a shop where some customers and products send more back than others."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.lake import Manifest
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE

SCHEMA = pa.schema(
    [
        ("basket_key", pa.string()),
        ("customer_id", pa.string()),
        ("store_id", pa.string()),
        ("product_id", pa.string()),
        ("started_at_utc", pa.timestamp("us", "UTC")),
        ("sold_on", pa.date32()),
        ("local_hour", pa.float64()),
        ("quantity", pa.float64()),
        ("amount_cents", pa.int64()),
        ("attributes", pa.list_(pa.string())),
        (
            "returned",
            pa.list_(
                pa.struct(
                    [
                        ("returned_at_utc", pa.timestamp("us", "UTC")),
                        ("returned_on", pa.date32()),
                        ("quantity", pa.float64()),
                    ]
                )
            ),
        ),
    ]
)


def order_line(**fields: Any) -> dict[str, Any]:
    """Customer c1 buys a unit of p1 for 100 cents; `returned_after` days make a return of the whole line."""
    sold_on = fields.get("sold_on", date(2026, 2, 1))
    after = fields.pop("returned_after", None)
    row: dict[str, Any] = {
        "basket_key": f"{fields.get('customer_id', 'c1')}-{sold_on}",
        "customer_id": "c1",
        "store_id": "s1",
        "product_id": "p1",
        "started_at_utc": datetime.combine(sold_on, time(12), tzinfo=UTC),
        "sold_on": sold_on,
        "local_hour": 12.0,
        "quantity": 1.0,
        "amount_cents": 100,
        "attributes": None,
        "returned": [],
    }
    row |= fields
    if after is not None:
        back = sold_on + timedelta(days=after)
        row["returned"] = [(datetime.combine(back, time(12), tzinfo=UTC), back, row["quantity"])]
    return row


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows in the contract's types."""
    named = [
        row
        | {
            "returned": [
                dict(zip(("returned_at_utc", "returned_on", "quantity"), back, strict=True)) for back in row["returned"]
            ]
        }
        for row in rows
    ]
    return pa.Table.from_pylist(named, SCHEMA)


def shop_rows(customers: int = 40, days: int = 120, seed: int = 0) -> list[dict[str, Any]]:
    """Every customer buys three of eight products every few days; one customer in four and p0 come back often."""
    random = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        for back in range(1 + customer % 5, days, 5):
            for product in random.choice(8, 3, replace=False).tolist():
                often = 0.04 * (1 + 6 * (customer % 4 == 0)) * (1 + 4 * (product == 0))
                after = int(random.integers(1, 8)) if random.random() < often else None
                rows.append(
                    order_line(
                        customer_id=f"c{customer:02}",
                        sold_on=BUSINESS_DATE - timedelta(days=back),
                        product_id=f"p{product}",
                        returned_after=after if after is not None and after < back else None,
                    )
                )
    return rows


def publish_order_lines(workspace: Workspace, rows: list[dict[str, Any]], version: str = "run1") -> None:
    """Publish the rows as a version of `order_lines`, without Spark and past every audit."""
    folder = workspace.lake.stage("order_lines", version)
    folder.mkdir()
    pq.write_table(table_of(rows), folder / "part.parquet")
    workspace.lake.describe(Manifest(table="order_lines", version=version, business_date=BUSINESS_DATE, rows=len(rows)))
    workspace.lake.publish("order_lines", version)
