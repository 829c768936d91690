import json
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.keys import keys_of
from pipeline.stages import read_stages
from pipeline.workspace import Workspace
from spark_jobs import segment_funnels
from spark_jobs.segment_funnels import main
from tests.factories import BUSINESS_DATE, basket, product, sequence, vocabulary_entry
from tests.models.conftest import POINTING, tiny
from tests.published_tables import publish_rows

FIRST = 3
PRODUCTS = [product(product_id=f"p{number:02}", category=("tea", "milk")[number % 2]) for number in range(24)]
VOCABULARY = [
    vocabulary_entry(product_id=each["product_id"], product_index=FIRST + at) for at, each in enumerate(PRODUCTS)
]


def baskets() -> list[dict[str, Any]]:
    """Forty customers, half of them for tea, half for milk."""
    rows = []
    for customer in range(40):
        for back in range(6):
            numbers = {(customer + 2 * step) % 2 + 2 * ((customer + step + back) % 12) for step in range(4)}
            lines = [(f"p{number:02}", 1.0, 100) for number in sorted(numbers)]
            day = BUSINESS_DATE - timedelta(days=1 + 7 * back + customer % 5)
            rows.append(basket(customer_id=f"c{customer:02}", sold_on=day, products=lines))
    return rows


def sequences() -> list[dict[str, Any]]:
    """The same baskets by vocabulary index, each customer's oldest first."""
    rows = []
    for customer, theirs in groupby(reversed(baskets()), key=lambda row: row["customer_id"]):
        read = [(row["sold_on"], [FIRST + int(line[0][1:]) for line in row["products"]]) for row in theirs]
        days, products = zip(*read, strict=True)
        rows.append(sequence(funnel_id=customer, sold_on=list(days), products=list(products)))
    return rows


def night(workspace: Workspace, run: str, days_later: int) -> None:
    day = BUSINESS_DATE + timedelta(days=days_later)
    tables = {"baskets": baskets(), "products": PRODUCTS, "sequences": sequences(), "vocabulary": VOCABULARY}
    for name, rows in tables.items():
        publish_rows(workspace, name, *rows, version=run, business_date=day)
    main(["--source", "shop", "--business-date", day.isoformat(), "--run-id", run])


def table(workspace: Workspace, name: str, run: str) -> pd.DataFrame:
    return pd.read_parquet(workspace.lake.path(name, run))


def learned(workspace: Workspace, folder: Path) -> SimpleNamespace:
    """A champion for which tea is like tea and milk like milk; its vectors of no product are out of the way.

    It was trained on the first eight customers.
    """
    lens = tiny(POINTING, n_products=FIRST + len(PRODUCTS))
    lens.backbone.products.vectors.assign(np.r_[np.full((FIRST, 8), 9.0), np.eye(8)[np.arange(len(PRODUCTS)) % 2]])
    lens.keys.assign(lens.keys.product_keys, np.r_[0, keys_of([f"c{number:02}" for number in range(8)])])
    lens.save(folder / "model.keras")
    vocabulary = workspace.lake.path("vocabulary", "run1")
    return SimpleNamespace(model_path=folder / "model.keras", table=lambda name: vocabulary, version="larder-shop/1")


@pytest.fixture
def few_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two segments of each kind."""
    monkeypatch.setenv("LARDER_SEGMENTS", json.dumps({"customers": 2, "products": 2}))


@pytest.mark.usefixtures("few_groups", "spark")
def test_two_nights_make_the_same_segments_of_those_who_buy_alike(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(segment_funnels, "next_basket_champion", lambda job: None)
    night(workspace, "run1", 0)
    champion = learned(workspace, tmp_path)
    monkeypatch.setattr(segment_funnels, "next_basket_champion", lambda job: champion)
    night(workspace, "run2", 1)
    for name, member in (("customer_segments", "customer_id"), ("product_segments", "product_id")):
        first, second = (table(workspace, name, run).sort_values(member) for run in ("run1", "run2"))
        even = first[member].str[1:].astype(int) % 2 == 0
        assert first.loc[even, "segment_id"].nunique() == first.loc[~even, "segment_id"].nunique() == 1
        assert set(first["segment_name"]) == {"tea", "milk"}
        assert first["rand_index"].isna().all()
        assert first["is_new_segment"].all()
        assert second["segment_id"].tolist() == first["segment_id"].tolist()
        assert second["segment_name"].tolist() == first["segment_name"].tolist()
        assert (second["rand_index"] == 1.0).all()
        assert not second["is_new_segment"].any()
        plot = workspace.run_folder("run2") / f"{name}.png"
        assert plot.read_bytes().startswith(b"\x89PNG")
    for run, origin in (("run1", "co-purchases"), ("run2", "larder-shop/1")):
        assert set(table(workspace, "product_segments", run)["vectors_from"]) == {origin}
    assert workspace.lake.versions("product_vectors") == workspace.lake.versions("customer_vectors") == ["run2"]
    vectors, of_customers = (table(workspace, f"{name}_vectors", "run2") for name in ("product", "customer"))
    assert set(vectors["product_id"]) == {each["product_id"] for each in PRODUCTS}
    np.testing.assert_array_equal(vectors.set_index("product_id").loc["p01", "vector"], np.eye(8)[1])
    assert sorted(of_customers["customer_id"]) == [f"c{number:02}" for number in range(8)]
    assert set(of_customers["model_version"]) == {"larder-shop/1"}
    (stage,) = [each for each in read_stages(Path(workspace.run_folder("run2"))) if each.status == "done"]
    assert stage.rows_out == 64
