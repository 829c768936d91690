"""The simulated shop as a whole: repeatable, extendable, never half written, and true to its own books."""

import tracemalloc
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.simulator.ledger import Ledger
from pipeline.simulator.shelves import CUT_DAYS
from pipeline.simulator.shop import HORIZON_DAYS, ShopSettings
from pipeline.simulator.simulate import simulate
from tests.pipeline.simulator.conftest import SMALL, SimulatedShop

TINY = ShopSettings(customers=40, days=5, stores=2, products=20, planted_stockouts=2, planted_changes=2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def other(shop: ShopSettings, **changed: int) -> ShopSettings:
    return ShopSettings(**{**shop.model_dump(), **changed})


def test_equal_settings_make_equal_bytes(tmp_path: Path) -> None:
    assert contents(simulate(TINY, tmp_path / "a").parent) == contents(simulate(TINY, tmp_path / "b").parent)


def test_another_seed_makes_other_sales(tmp_path: Path) -> None:
    first, second = (contents(simulate(other(TINY, seed=seed), tmp_path / str(seed)) / "sales") for seed in (1, 2))
    assert all(first[name] != second[name] for name in first)


def test_one_more_day_changes_no_earlier_day(shop: SimulatedShop, tmp_path: Path) -> None:
    simulate(other(SMALL, days=SMALL.days + 1), tmp_path)
    longer = SimulatedShop(SMALL, tmp_path)
    sales = contents(shop.folder / "raw" / "sales")
    assert sales.items() <= contents(tmp_path / "raw" / "sales").items()
    end = SMALL.business_date
    for name, day in (("raw/resupplies.csv", "arrives_on"), ("truth/changes.csv", "shown_on")):
        before, after = (
            frame[frame[day] < end].reset_index(drop=True) for frame in (shop.table(name), longer.table(name))
        )
        pd.testing.assert_frame_equal(before, after)
    pd.testing.assert_series_equal(shop.on_hand(SMALL.days), longer.on_hand(SMALL.days))


def test_a_second_call_writes_nothing(tmp_path: Path) -> None:
    raw = simulate(TINY, tmp_path)
    written = {file: file.stat().st_mtime_ns for file in raw.rglob("*")}
    simulate(TINY, tmp_path)
    assert {file: file.stat().st_mtime_ns for file in raw.rglob("*")} == written


def test_other_settings_replace_the_shop(tmp_path: Path) -> None:
    simulate(TINY, tmp_path)
    simulate(other(TINY, days=3), tmp_path)
    assert len(list((tmp_path / "raw" / "sales").iterdir())) == 3
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".simulate.lock", "raw", "truth"]


def test_a_broken_simulation_leaves_the_earlier_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(TINY, tmp_path)
    before = {part: contents(tmp_path / part) for part in ("raw", "truth")}

    def fail(_ledger: Ledger) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Ledger, "catalogue", fail)
    with pytest.raises(OSError, match="disk full"):
        simulate(other(TINY, days=6), tmp_path)
    assert {part: contents(tmp_path / part) for part in ("raw", "truth")} == before


def test_memory_does_not_grow_with_days(tmp_path: Path) -> None:
    peaks = []
    simulate(TINY, tmp_path / "imports")
    for days in (10, 80):
        tracemalloc.start()
        simulate(ShopSettings(customers=500, days=days, stores=2, products=100), tmp_path / str(days))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_shelves_balance_from_one_opening_to_the_next(shop: SimulatedShop) -> None:
    sales = shop.sales()
    sold = sales[sales["quantity"] > 0].groupby(["sold_on", "store_id", "product_id"])["quantity"].sum()
    arrived = shop.table("raw/resupplies.csv").groupby(["arrives_on", "store_id", "product_id"])["units"].sum()
    for day in range(SMALL.days - 10, SMALL.days):
        today, date = shop.on_hand(day), SMALL.date_of(day)
        kept = today.index.intersection(shop.on_hand(day + 1).index)
        flows = [flow.get(date, flow.iloc[:0].droplevel(0)).reindex(kept, fill_value=0) for flow in (arrived, sold)]
        expected = today[kept] + flows[0] - flows[1]
        assert (shop.on_hand(day + 1)[kept] == expected).all()


def test_truth_follows_from_stock_plan_and_demand(shop: SimulatedShop) -> None:
    on_hand = shop.on_hand(SMALL.days)
    demand = shop.table("truth/demand.csv").set_index(["day", "store_id", "product_id"])["units"].to_dict()
    plan = shop.table("raw/resupplies.csv").set_index(["arrives_on", "store_id", "product_id"])["units"].to_dict()
    lost = {}
    for (store, product), units in on_hand.items():
        left = int(units)
        for ahead in range(HORIZON_DAYS):
            key = (SMALL.business_date + timedelta(days=ahead), store, product)
            left += plan.get(key, 0) - demand.get(key, 0)
            if left < 0:
                lost[key], left = -left, 0
    truth = shop.table("truth/stockouts.csv").query("period == 'horizon'")
    assert truth.set_index(["day", "store_id", "product_id"])["units_lost"].to_dict() == lost


def test_planted_stockouts_wait_for_cancelled_deliveries(shop: SimulatedShop) -> None:
    plan = shop.table("raw/resupplies.csv")
    planted = shop.table("truth/stockouts.csv").query("kind == 'planted' and period == 'horizon'")
    assert planted.groupby(["store_id", "product_id"]).ngroups >= SMALL.planted_stockouts // 2
    for row in planted.itertuples():
        same = plan[(plan["store_id"] == row.store_id) & (plan["product_id"] == row.product_id)]
        cut = (same["arrives_on"] > row.cut_on) & (same["arrives_on"] <= row.cut_on + timedelta(days=CUT_DAYS))
        assert not cut.any()


def test_the_plan_reaches_two_weeks_ahead(shop: SimulatedShop) -> None:
    last = shop.table("raw/resupplies.csv")["arrives_on"].max()
    assert SMALL.business_date + timedelta(days=HORIZON_DAYS - 3) <= last
    assert last < SMALL.business_date + timedelta(days=HORIZON_DAYS)
