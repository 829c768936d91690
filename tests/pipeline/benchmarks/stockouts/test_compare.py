"""`larder benchmark stockouts`: nothing read from the future, scores worked by hand, and trials that are kept."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from models.demand.counts import share_within
from models.demand.forecast import DemandForecast, Spread, fit_band, fit_spread, with_spread
from pipeline.benchmarks.data.daily_sales import DailySales, daily_sales
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS
from pipeline.benchmarks.stockouts.compare import PAIR, TEST_WINDOWS
from pipeline.benchmarks.stockouts.methods import METHODS, demand_method
from pipeline.benchmarks.stockouts.metrics import alert_scores, demand_scores, point_scores
from pipeline.benchmarks.stockouts.supply_plans import make_plans, read_plans
from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.workspace import Workspace

FIRST, DAYS, PRODUCTS = date(2000, 11, 1), 120, 12
WINDOW = TEST_WINDOWS[0]


def lines(seed: int = 0) -> pd.DataFrame:
    """Twelve products' lines over Ta-Feng's days, in Ta-Feng's columns, all text."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(DAYS):
        sold_on = FIRST + timedelta(days=day)
        for product in range(PRODUCTS):
            rows += [
                (f"{sold_on.month}/{sold_on.day}/{sold_on.year}", f"c{customer}", f"p{product:02}", "7", "1", "30")
                for customer in range(int(rng.poisson(1 + product % 4)))
            ]
    return pd.DataFrame(rows, columns=list(SALES_COLUMNS))


@pytest.fixture(scope="module")
def sales() -> DailySales:
    """The lines as daily units."""
    return daily_sales(lines().rename(columns=SALES_COLUMNS))


def certain(mean: list[list[float]]) -> DemandForecast:
    return with_spread(np.array(mean), Spread(1.0, 0.0), Spread(1.0, 0.0))


def test_daily_units_are_the_lines_units(sales: DailySales) -> None:
    assert sales.units.shape == (PRODUCTS, DAYS)
    assert sales.units.sum() == len(lines())
    assert (sales.buyers == sales.units).all()
    assert sales.spend.sum() == 30 * len(lines())


def test_wholesale_is_left_out() -> None:
    rows = lines().rename(columns=SALES_COLUMNS)
    rows.loc[0, "quantity"] = "1200"
    assert daily_sales(rows).units.sum() == len(rows) - 1


@pytest.mark.parametrize("model", METHODS)
def test_what_is_sold_later_changes_no_forecast(sales: DailySales, model: str) -> None:
    cutoff = sales.day(WINDOW)
    rows = lines().rename(columns=SALES_COLUMNS)
    later = pd.to_datetime(rows["sold_on"], format="%m/%d/%Y").dt.date >= WINDOW
    rows.loc[later, "quantity"] = "50"
    rows.loc[later, "amount"] = "1"
    changed = daily_sales(rows)
    products = np.arange(PRODUCTS)
    first, second = (demand_method(model).forecast(data, cutoff, products) for data in (sales, changed))
    for one, other in zip(parts(first), parts(second), strict=True):
        assert one.shape == (PRODUCTS, 7)
        assert (one >= 0).all()
        assert (one == other).all()


def parts(forecast: DemandForecast | np.ndarray) -> list[np.ndarray]:
    if isinstance(forecast, np.ndarray):
        return [forecast]
    return [forecast.mean, forecast.variance, forecast.cumulative_variance]


def test_plans_are_made_from_the_past_and_the_seed_alone(sales: DailySales) -> None:
    rows = lines().rename(columns=SALES_COLUMNS)
    rows.loc[pd.to_datetime(rows["sold_on"], format="%m/%d/%Y").dt.date >= WINDOW, "quantity"] = "50"
    changed = daily_sales(rows)
    for one, other in zip(make_plans(sales, WINDOW), make_plans(changed, WINDOW), strict=True):
        assert (one.products == other.products).all()
        assert (one.supply == other.supply).all()
    assert any(
        (one.supply != other.supply).any()
        for one, other in zip(make_plans(sales, WINDOW), make_plans(sales, WINDOW, seed=1), strict=True)
    )


def plans_file(sales: DailySales, folder: Path, **changed: object) -> Path:
    """Plan A of every window: each product has 10 at opening and 2 a day."""
    rows = []
    for window in TEST_WINDOWS:
        cutoff = sales.day(window)
        for row, name in enumerate(sales.product_names):
            sold = np.cumsum(sales.units[row, cutoff : cutoff + 7])
            short = sold > 10 + 2 * np.arange(1, 8)
            delivered = {f"deliver_d{day}": 2 for day in range(1, 8)}
            stockout = int(short.argmax()) + 1 if short.any() else 0
            rows.append(
                {"plan": "A", "first_test_day": window, "product_id": name, "opening": 10, **delivered}
                | {"stockout_day": stockout}
            )
    rows[3] |= changed
    file = folder / "plans.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def test_a_plan_is_read_with_its_supply_and_checked_against_the_sales(sales: DailySales, tmp_path: Path) -> None:
    (plan,) = read_plans(plans_file(sales, tmp_path), sales)[WINDOW]
    assert (plan.supply == 10 + 2 * np.arange(1, 8)).all()
    with pytest.raises(ValueError, match=r"plans\.csv, row 5: these sales .* another stockout_day"):
        read_plans(plans_file(sales, tmp_path, stockout_day=9), sales)
    with pytest.raises(ValueError, match=r"plans\.csv, row 5: product 'p99' was never sold"):
        read_plans(plans_file(sales, tmp_path, product_id="p99"), sales)


def test_point_scores_worked_by_hand() -> None:
    # Two products, two days: 4 too much and 4 too little of 20; the week of the first is right.
    found = point_scores(np.array([[6.0, 2.0], [5.0, 3.0]]), np.array([[4.0, 4.0], [7.0, 5.0]]))
    assert found == pytest.approx({"day_wape": 8 / 20, "week_wape": 4 / 20, "week_rmse": 8**0.5, "bias": -4 / 20})


def test_rmsse_is_against_the_naive_error_since_the_first_sale() -> None:
    past = np.array([[0.0, 0.0, 2.0, 4.0, 2.0]])
    found = demand_scores(certain([[3.0, 3.0]]), np.array([[5.0, 1.0]]), past)
    assert found["rmsse"] == pytest.approx(1.0)


def test_the_band_of_the_right_distribution_holds_four_days_in_five() -> None:
    rng = np.random.default_rng(0)
    mean = rng.gamma(1.0, 2.0, (3000, 7))
    found = demand_scores(certain(mean.tolist()), rng.poisson(mean).astype(float), rng.poisson(2.0, (3000, 30)))
    assert found["coverage_day"] == pytest.approx(0.8, abs=0.01)
    assert found["coverage_week"] >= 0.8


def test_of_few_weekly_units_only_even_ends_hold_four_fifths() -> None:
    rng = np.random.default_rng(0)
    mean = np.full((5000, 7), 0.3)
    found = demand_scores(certain(mean.tolist()), rng.poisson(mean).astype(float), rng.poisson(2.0, (5000, 30)))
    assert found["coverage_week_even"] == pytest.approx(0.8, abs=0.015)
    assert found["coverage_week"] > 0.85


def test_alert_scores_worked_by_hand() -> None:
    # Supply 10 a day cumulated. The first runs short on day 2 and is expected to on day 1; the second is a false alarm;
    # the third comes unforeseen; the fourth is quiet.
    forecast = certain([[12.0, 12.0], [30.0, 30.0], [1.0, 1.0], [2.0, 2.0]])
    supply = np.tile([10.0, 20.0], (4, 1))
    short = np.array([[False, True], [False, False], [False, True], [False, False]])
    found = alert_scores(forecast, supply, short, 0.35)
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)
    assert found["prevalence"] == 0.5
    assert (found["lead_days"], found["day_error"]) == (1.0, 1.0)
    # Ranked by probability: the false alarm, the first, then the third before or after the fourth.
    assert 0.5 <= found["ap_product"] <= 0.51


def test_the_fitted_spread_is_that_of_the_units() -> None:
    rng = np.random.default_rng(0)
    mean = rng.gamma(2.0, 5.0, 4000)
    poisson = fit_spread(mean, rng.poisson(mean).astype(float))
    assert poisson == Spread(1.0, 0.0)
    uncertain = fit_spread(mean, rng.poisson(mean * rng.gamma(1 / 0.3, 0.3, 4000)).astype(float))
    assert uncertain.error == pytest.approx(0.3, abs=0.1)


def test_the_band_fits_the_many_where_a_few_are_far_off() -> None:
    rng = np.random.default_rng(0)
    mean = rng.gamma(2.0, 20.0, 4000)
    units = rng.poisson(mean).astype(float)
    units[::20] *= 8.0
    likeliest, band = (fit(mean, units).variance(mean) for fit in (fit_spread, fit_band))
    assert share_within(mean, likeliest, units, 0.1, 0.9) > 0.85
    assert share_within(mean, band, units, 0.1, 0.9) == pytest.approx(0.8, abs=0.05)
    assert fit_band(mean[:50], units[:50]) == fit_spread(mean[:50], units[:50])


@pytest.fixture
def fetched(settings: Settings) -> Settings:
    """A workspace that holds the lines as Ta-Feng's file."""
    raw = Workspace.of(settings, "tafeng").raw
    raw.mkdir(parents=True)
    lines().to_csv(raw / "ta_feng.csv.zip", index=False, compression={"method": "zip", "archive_name": "ta_feng.csv"})
    return settings


def benchmark(out: Path, *more: str) -> Result:
    command = ["benchmark", "stockouts", "--dataset", "tafeng", "--models", "window-average-28", "--out", str(out)]
    return CliRunner().invoke(app, [*command, *more])


def test_the_command_writes_scores_and_forecasts_and_keeps_trials(
    fetched: Settings, sales: DailySales, tmp_path: Path
) -> None:
    plans = plans_file(sales, tmp_path)
    done = benchmark(tmp_path / "out", "--plans", str(plans), "--measured-on", "2026-01-01")
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert str(tmp_path) not in json.dumps(scores)
    assert scores["windows"] == [day.isoformat() for day in TEST_WINDOWS]
    mean = scores["models"]["window-average-28"]["mean"]
    forecasts = pq.read_table(tmp_path / "out" / "forecasts.parquet").to_pandas()
    assert len(forecasts) == len(TEST_WINDOWS) * PRODUCTS * 7
    assert (forecasts["p10"] <= forecasts["p90"]).all()
    assert forecasts["short_by_A"].between(0, 1).all()
    biases = []
    for window, part in forecasts.groupby("window"):
        cutoff = sales.day(window)
        biases.append(part["mean"].sum() / sales.units[:, cutoff : cutoff + 7].sum() - 1)
    assert np.mean(biases) == pytest.approx(mean["bias"], abs=1e-3)
    again = benchmark(tmp_path / "out", "--plans", str(plans))
    assert "window-average-28: windows" not in again.output
    assert json.loads((tmp_path / "out" / "scores.json").read_text())["models"] == scores["models"]


def test_what_knowing_the_customers_adds_comes_with_its_interval(
    fetched: Settings, sales: DailySales, tmp_path: Path
) -> None:
    more = ("--plans", str(plans_file(sales, tmp_path)), "--models", ",".join(PAIR))
    done = benchmark(tmp_path / "out", *more)
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    apart = {(row["products"], row["measure"]): row for row in scores["customers"]}
    assert len(apart) == 4
    means = [scores["models"][model]["mean"]["week_wape"] for model in PAIR]
    found = apart["top 2,000 products", "week WAPE"]
    assert found["difference"] == pytest.approx(means[0] - means[1], abs=2e-4)
    assert found["low"] <= found["difference"] <= found["high"]
    assert "### What knowing the customers adds" in done.output


def test_what_cannot_be_compared_is_one_line(fetched: Settings, tmp_path: Path) -> None:
    for more, said in (
        (("--plans", "nowhere.csv"), "nowhere.csv is missing; leave --plans out to make plans"),
        (("--models", "prophecy"), "unknown model 'prophecy'; known: seasonal-naive-7"),
    ):
        result = benchmark(tmp_path / "out", *more)
        assert result.exit_code == 1
        assert said in result.stderr
