import numpy as np
import pytest

from pipeline.benchmarks.demand_routes.compare import routes_of
from pipeline.benchmarks.demand_routes.page import table


def test_a_route_at_the_store_s_level_has_its_sum_and_unknown_products_its_forecast() -> None:
    random = np.random.default_rng(0)
    store, model, placebo, paper = random.gamma(1.0, size=(4, 6, 7))
    others, stores = np.array([0.1, 0.2, np.nan, 0.0, 1.0, np.nan]), np.array([0, 0, 0, 1, 1, 1])
    made = routes_of(store, {"model": model, "placebo": placebo, "paper": paper}, others, stores)
    for name in ("model", "placebo"):
        for each in (0, 1):
            assert made[name][stores == each].sum() == pytest.approx(store[stores == each].sum())
    for name in ("model", "placebo", "model at its own level"):
        np.testing.assert_allclose(made[name][[2, 5]], store[[2, 5]])
    np.testing.assert_array_equal(made["paper"], paper)


def test_the_table_says_which_intervals_exclude_nothing_gained() -> None:
    scores = dict.fromkeys(
        ("day_wape", "week_wape", "bias", "week_rmse", "pinball_p90", "A/ap_product", "A/ap_product_day",
         "B/ap_product", "C/ap_product"), 0.25,
    )  # fmt: skip
    row = {"model": "blend", "against": "store", "products": "all", "measure": "week WAPE", "resamples": 2000}
    intervals = ({"difference": -0.02, "low": -0.03, "high": -0.01}, {"difference": 0.0, "low": -0.01, "high": 0.01})
    shown = table(
        {
            "models": {"store": {"mean": scores}},
            "differences": [row | each for each in intervals],
            "weights": {"blend": {"weekly": {"weight": 0.0, "best": 0.3}}},
        }
    )
    assert "| blend | store | all | -0.0200 | -0.0300 | -0.0100 | excludes 0 |" in shown
    assert "| blend | store | all | 0.0000 | -0.0100 | 0.0100 | holds 0 |" in shown
    assert "| blend | weekly | 0.0 | 0.3 |" in shown
