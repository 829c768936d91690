"""Customers and products that return more are planted on demand, and nothing else of the shop changes."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.simulator.inclinations import ReturnInclinations
from pipeline.simulator.score import return_ranks, returns_against_others
from pipeline.simulator.shop import ShopSettings
from pipeline.simulator.simulate import simulate
from tests.pipeline.simulator.conftest import SMALL, SimulatedShop


def test_who_returns_more_does_not_depend_on_when_it_is_looked_up() -> None:
    one, other = ReturnInclinations(1.0, 3), ReturnInclinations(1.0, 3)
    few = one.of_customers(np.arange(5))
    np.testing.assert_array_equal(other.of_customers(np.arange(500))[:5], few)
    np.testing.assert_array_equal(one.of_customers(np.arange(500)), other.of_customers(np.arange(500)))
    assert not np.array_equal(few, one.of_products(np.arange(5)))
    assert (ReturnInclinations(0.0, 3).of_lines(np.arange(5), np.arange(5)) == 1).all()


@pytest.fixture(scope="module")
def returning(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    folder = tmp_path_factory.mktemp("returning")
    settings = ShopSettings(**SMALL.model_dump() | {"return_spread": 1.2})
    simulate(settings, folder)
    return SimulatedShop(settings, folder)


def test_what_is_bought_stays_and_what_comes_back_follows_the_truth(
    shop: SimulatedShop, returning: SimulatedShop
) -> None:
    usual, planted = (
        each.sales().query("quantity > 0").drop(columns="basket_id").reset_index(drop=True)
        for each in (shop, returning)
    )
    assert usual.equals(planted)
    lines, truth = returning.sales(), returning.table("truth/returns.csv")
    assert not Path(shop.folder / "truth/returns.csv").exists()
    for kind, column in (("product", "product_id"), ("customer", "customer_id")):
        back = lines[lines["quantity"] < 0].groupby(column).size()
        share = (back / lines[lines["quantity"] > 0].groupby(column).size()).fillna(0.0)
        times = truth[truth["kind"] == kind].set_index("id")["times"].reindex(share.index)
        assert times.notna().all()
        assert spearmanr(share, times).statistic > (0.6 if kind == "product" else 0.4), kind


def test_forecasts_are_ranked_against_the_truth(shop: SimulatedShop, returning: SimulatedShop) -> None:
    truth = returning.table("truth/returns.csv")
    products = truth[truth["kind"] == "product"].set_index("id")["times"].to_dict()
    turned = {name: -times for name, times in products.items()}
    assert return_ranks(returning.folder, {"product": products})["product"] == pytest.approx(1.0)
    assert return_ranks(returning.folder, {"product": turned | {"unknown": 1.0}})["product"] == pytest.approx(-1.0)
    assert return_ranks(returning.folder, {"customer": {}}) == {}
    assert return_ranks(shop.folder, {"product": products}) == {}, "nothing was planted"


def test_who_only_buys_what_everyone_sends_back_does_not_return_more() -> None:
    customers, products = ["a", "a", "b", "b", "c", "c"], ["p", "q", "p", "p", "q", "q"]
    times = {"a": 1.0, "b": 2.0, "c": 3.0, "p": 0.1, "q": 0.01}
    lines = np.array([times[customer] * times[product] for customer, product in zip(customers, products, strict=True)])
    found = returns_against_others(customers, products, lines)
    assert found["customer"]["a"] < found["customer"]["b"], "of the same product"
    assert found["customer"]["a"] < found["customer"]["c"]
    assert found["product"]["q"] < found["product"]["p"]
