"""A small simulated fashion shop as the tables that the tasks of styles read."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from pipeline.simulator.fashion_shop import FashionSettings, simulate_fashion
from pipeline.workspace import Workspace
from tests.factories import basket, publish_rows

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
