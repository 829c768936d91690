"""The simulated fashion shop: the same bytes again, articles sold while in store, pictures that mean something."""

import csv
import gzip
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.simulator.fashion_articles import PATTERNS, SIZE, draw_articles, write_picture
from pipeline.simulator.fashion_shop import FashionSettings, simulate_fashion
from pipeline.simulator.fashion_views import Views
from pipeline.sources.source import load_source

SMALL = FashionSettings(customers=150, articles=120, days=120)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fashion")
    simulate_fashion(SMALL, out)
    return out


def _sales(shop: Path) -> list[dict[str, str]]:
    with gzip.open(shop / "raw" / "sales.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


def _catalogue(shop: Path) -> dict[str, dict[str, str]]:
    with (shop / "raw" / "catalogue.csv").open() as file:
        return {row["article_id"]: row for row in csv.DictReader(file)}


def test_equal_settings_give_equal_files_and_a_second_call_writes_none(shop: Path, tmp_path: Path) -> None:
    simulate_fashion(SMALL, tmp_path)
    files = sorted(path.relative_to(shop) for path in shop.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for file in files:
        assert (shop / file).read_bytes() == (tmp_path / file).read_bytes(), file
    before = (tmp_path / "raw" / "catalogue.csv").stat().st_mtime_ns
    simulate_fashion(SMALL, tmp_path)
    assert (tmp_path / "raw" / "catalogue.csv").stat().st_mtime_ns == before


def test_the_command_takes_what_the_shop_has_and_names_what_it_has_not(tmp_path: Path) -> None:
    options = ["--shop", "fashion", "--out", str(tmp_path), "--customers", "20", "--products", "30", "--days", "40"]
    done = CliRunner().invoke(app, ["simulate", *options])
    assert done.exit_code == 0, done.output
    assert "40 days of 30 articles" in done.output
    assert len(list((tmp_path / "raw" / "images").iterdir())) == 30
    refused = CliRunner().invoke(app, ["simulate", *options, "--stores", "2"])
    assert refused.exit_code != 0
    assert "--stores is of the shop" in " ".join(refused.output.split())


def test_the_shipped_description_names_the_columns_of_the_files(shop: Path) -> None:
    source = load_source("fashion")
    assert source.catalogue is not None
    sold, described = set(_sales(shop)[0]), next(iter(_catalogue(shop).values()))
    assert set(source.sales_columns.values()) <= sold
    assert source.sessions is not None
    assert set(source.sessions.read_columns.values()) == set(_views(shop)[0])
    assert set(source.catalogue.article_columns.values()) | set(source.catalogue.read_columns.values()) <= set(
        described
    )


def test_an_article_is_sold_while_it_is_in_store_and_orders_hold_several(shop: Path) -> None:
    sales, catalogue = _sales(shop), _catalogue(shop)
    for line in sales:
        article = catalogue[line["article_id"]]
        day = date.fromisoformat(line["sold_at"][:10])
        assert date.fromisoformat(article["available_from"]) <= day < date.fromisoformat(article["available_until"])
        assert line["amount"] == article["price"]
    orders = {line["order_id"] for line in sales}
    assert 1.5 < len(sales) / len(orders) < 4
    came = {
        article for article, row in catalogue.items() if date.fromisoformat(row["available_from"]) > SMALL.first_day
    }
    assert len(came) > 30, "articles come while the shop is open"


def _views(shop: Path) -> list[dict[str, str]]:
    with gzip.open(shop / "raw" / "views.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


def test_customers_look_at_what_is_in_store_before_they_buy_a_part_of_it(shop: Path) -> None:
    catalogue, views = _catalogue(shop), _views(shop)
    before = pq.read_table(shop / "truth" / "views.parquet")["before_order"].to_pylist()
    orders: dict[str, list[dict[str, str]]] = {}
    for line in _sales(shop):
        orders.setdefault(line["order_id"], []).append(line)
    assert len(before) == len(views)
    assert [view["viewed_at"] for view in views] == sorted(view["viewed_at"] for view in views)
    led = 0
    for view, order in zip(views, before, strict=True):
        article = catalogue[view["article_id"]]
        assert article["available_from"] <= view["viewed_at"][:10] <= article["available_until"]
        if order is not None:
            [sold] = {line["sold_at"] for line in orders[order]}
            assert view["viewed_at"] < sold or sold < "2024-06-04", "the first day has none before it"
            assert view["customer_id"] == orders[order][0]["customer_id"]
            led += view["article_id"] in {line["article_id"] for line in orders[order]}
    looked = [view for view in views if view["kind"] == "view"]
    assert 0.02 < led / len(looked) < 0.5, "most views lead to nothing"
    assert 0.2 < led / len(_sales(shop)) < 0.8, "not all that is bought was looked at before"


def test_sales_are_the_same_whatever_is_looked_at(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.simulator.fashion_shop.Views", partial(Views, stream=7))
    simulate_fashion(SMALL, tmp_path)
    for name in ("raw/sales.csv.gz", "raw/catalogue.csv", "truth/styles.parquet"):
        assert (tmp_path / name).read_bytes() == (shop / name).read_bytes(), name
    assert (tmp_path / "raw/views.csv.gz").read_bytes() != (shop / "raw/views.csv.gz").read_bytes()


def test_customers_buy_what_is_near_their_style(shop: Path) -> None:
    looks = {
        row["article_id"]: np.array(row["look"]) for row in pq.read_table(shop / "truth" / "looks.parquet").to_pylist()
    }
    styles = pq.read_table(shop / "truth" / "styles.parquet").to_pylist()
    first = {row["customer_id"]: np.array(row["style"]) for row in styles if row["day"] == SMALL.first_day}
    early = [line for line in _sales(shop) if line["sold_at"] < "2024-07-15"]
    near = np.mean([first[line["customer_id"]] @ looks[line["article_id"]] for line in early])
    others = np.roll([line["customer_id"] for line in early], 7)
    far = np.mean([first[other] @ looks[line["article_id"]] for other, line in zip(others, early, strict=True)])
    assert near > far + 1.0
    last = {row["customer_id"]: np.array(row["style"]) for row in styles if row["day"] > SMALL.first_day}
    assert np.mean([np.linalg.norm(last[name] - first[name]) for name in first]) > 0.5, "styles move"


def test_a_picture_shows_pattern_and_shade_that_no_column_names(shop: Path, tmp_path: Path) -> None:
    articles = draw_articles(60, 100, np.random.default_rng(0))
    spreads: dict[str, list[float]] = {name: [] for name in PATTERNS}
    for number in range(60):
        write_picture(articles, number, tmp_path / "one.png")
        with Image.open(tmp_path / "one.png") as picture:
            assert picture.size == (SIZE, SIZE)
            pixels = np.asarray(picture.convert("L"), float)
        spreads[PATTERNS[articles.pattern[number]]].append(len(np.unique(pixels)))
    assert max(spreads["plain"]) == 2, "one tone on the background"
    assert min(min(spreads[name]) for name in PATTERNS[1:]) == 3
    assert not {"pattern", "shade"} & set(next(iter(_catalogue(shop).values())))
