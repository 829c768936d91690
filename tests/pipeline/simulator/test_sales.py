"""The delivered sales: what tills can print, and what planted changes do to them."""

import gzip
from datetime import timedelta

import pandas as pd
import pytest

from pipeline.simulator.customers import MIN_VISITS_BEFORE_CHANGE
from pipeline.simulator.files import SALES_COLUMNS
from tests.pipeline.simulator.conftest import SMALL, SimulatedShop


@pytest.fixture(scope="module")
def sales(shop: SimulatedShop) -> pd.DataFrame:
    return shop.sales()


@pytest.fixture(scope="module")
def changes(shop: SimulatedShop) -> pd.DataFrame:
    return shop.table("truth/changes.csv")


def purchases_of(sales: pd.DataFrame, customer: str) -> pd.DataFrame:
    return sales[(sales["customer_id"] == customer) & (sales["quantity"] > 0)]


def test_there_is_one_file_per_day_with_the_agreed_header(shop: SimulatedShop) -> None:
    names = sorted(file.name for file in (shop.folder / "raw" / "sales").iterdir())
    assert names == [f"sales_{SMALL.date_of(day)}.csv.gz" for day in range(SMALL.days)]
    with gzip.open(shop.folder / "raw" / "sales" / names[0], "rt") as file:
        assert file.readline().rstrip() == ",".join(SALES_COLUMNS)


def test_every_line_stands_in_the_file_of_its_day(shop: SimulatedShop) -> None:
    for file in (shop.folder / "raw" / "sales").iterdir():
        sold_at = pd.read_csv(file)["sold_at"]
        assert set(sold_at.str[:10]) == {file.name[6:16]}
        assert sold_at.is_monotonic_increasing


def test_a_basket_has_one_line_per_product(sales: pd.DataFrame) -> None:
    assert not sales.duplicated(["basket_id", "product_id"]).any()


def test_a_basket_belongs_to_one_customer_store_and_time(sales: pd.DataFrame) -> None:
    assert (sales.groupby("basket_id")[["customer_id", "store_id", "sold_at"]].nunique() == 1).all(axis=None)


def test_quantity_and_amount_have_the_same_sign(sales: pd.DataFrame) -> None:
    assert (sales["quantity"] * sales["amount"] > 0).all()


def test_every_return_has_an_earlier_purchase_at_its_price(sales: pd.DataFrame) -> None:
    key = ["customer_id", "store_id", "product_id"]
    bought = sales[sales["quantity"] > 0]
    returned = sales[sales["quantity"] < 0].reset_index(names="line")
    assert len(returned) > 0
    pairs = returned.merge(bought, on=key, suffixes=("", "_bought"))
    price = (pairs["amount"] / pairs["quantity"]).round(2)
    fits = (price == (pairs["amount_bought"] / pairs["quantity_bought"]).round(2)) & (
        pairs["sold_on_bought"] < pairs["sold_on"]
    )
    assert set(pairs[fits & (-pairs["quantity"] <= pairs["quantity_bought"])]["line"]) == set(returned["line"])


def test_the_catalogue_names_every_product_once(shop: SimulatedShop, sales: pd.DataFrame) -> None:
    catalogue = shop.table("raw/catalogue.csv")
    assert catalogue["product_id"].is_unique
    assert catalogue["name"].is_unique
    named = sales.merge(catalogue, on="product_id", how="left", suffixes=("", "_listed"))
    assert (named["category"] == named["category_listed"]).all()


def test_personal_history_predicts_better_than_the_top_list(sales: pd.DataFrame) -> None:
    bought = sales[sales["quantity"] > 0]
    earlier, later = bought[bought["sold_on"] < SMALL.date_of(46)], bought[bought["sold_on"] >= SMALL.date_of(46)]
    top = set(earlier["product_id"].value_counts().index[:10])
    own = earlier.groupby("customer_id")["product_id"].agg(lambda ids: set(ids.value_counts().index[:10]))
    later = later[later["customer_id"].isin(own.index)]
    hits = [
        product in own[customer] for customer, product in zip(later["customer_id"], later["product_id"], strict=True)
    ]
    assert sum(hits) / len(hits) > 1.5 * later["product_id"].isin(top).mean()


def test_changed_customers_had_a_history(sales: pd.DataFrame, changes: pd.DataFrame) -> None:
    assert {"content", "size", "timing"} == set(changes["kind"])
    for change in changes.itertuples():
        mine = purchases_of(sales, change.customer_id)
        assert mine[mine["sold_on"] < change.day]["sold_on"].nunique() >= MIN_VISITS_BEFORE_CHANGE - 1


def test_a_change_of_content_brings_products_never_bought_before(sales: pd.DataFrame, changes: pd.DataFrame) -> None:
    fresh = []
    for change in changes[changes["kind"] == "content"].itertuples():
        mine = purchases_of(sales, change.customer_id)
        before = set(mine[mine["sold_on"] < change.day]["product_id"])
        fresh.append((~mine[mine["sold_on"] == change.day]["product_id"].isin(before)).mean())
    assert sum(fresh) / len(fresh) > 0.7


def test_a_change_of_size_multiplies_units(sales: pd.DataFrame, changes: pd.DataFrame) -> None:
    ratios = []
    for change in changes[changes["kind"] == "size"].itertuples():
        mine = purchases_of(sales, change.customer_id)
        units = mine.groupby(mine["sold_on"] == change.day)["quantity"].mean()
        ratios.append(units.get(True, 0.0) / units[False])
    assert sum(ratios) / len(ratios) > 2


def test_the_silent_buy_nothing_until_it_shows(sales: pd.DataFrame, changes: pd.DataFrame) -> None:
    silent = changes[changes["detail"] == "silent"]
    assert len(silent) > 0
    for change in silent.itertuples():
        days = purchases_of(sales, change.customer_id)["sold_on"]
        assert not ((days >= change.day) & (days <= change.shown_on)).any()


def test_those_who_come_more_often_come_the_day_after(sales: pd.DataFrame, changes: pd.DataFrame) -> None:
    often = changes[changes["detail"] == "more often"]
    assert len(often) > 0
    for change in often.itertuples():
        days = set(purchases_of(sales, change.customer_id)["sold_on"])
        assert change.day - timedelta(days=1) in days
