"""Examples of returns: a window that is not over teaches nothing, and what comes later changes nothing."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models import fields
from models.days import epoch_day
from models.ragged import ranges
from pipeline.dataset.item_history import ItemHistory
from pipeline.dataset.order_lines import OrderLines, order_lines_of, read_item_words, read_order_lines
from pipeline.dataset.return_batches import ReturnPasts
from pipeline.dataset.return_features import LINE_NUMBERS, line_features
from pipeline.dataset.return_outcomes import returned_within
from pipeline.dataset.returns import METRICS, ReturnExamples, measure_baselines
from pipeline.settings import TrainingSettings
from pipeline.task import Tables
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, product
from tests.pipeline.dataset.order_lines import order_line, publish_order_lines, shop_rows, table_of
from tests.published_tables import publish_rows

DAY = epoch_day(BUSINESS_DATE)
SETTINGS = TrainingSettings(holdout_days=14, return_days=10)
WORDS = {f"p{at}": ["glass" if at < 2 else "wood"] for at in range(8)}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return shop_rows()


@pytest.fixture
def tables(workspace: Workspace, rows: list[dict[str, Any]]) -> Tables:
    publish_order_lines(workspace, rows)
    publish_rows(workspace, "products", *[product(product_id=f"p{at}", name=WORDS[f"p{at}"][0]) for at in range(8)])
    return {name: workspace.lake.path(name, workspace.lake.resolve(name)) for name in ("order_lines", "products")}


def pasts_of(lines: OrderLines, longest: int = 4) -> ReturnPasts:
    return ReturnPasts(lines, ItemHistory(lines, WORDS), longest)


def test_lines_whose_window_is_not_over_are_no_examples(tables: Tables) -> None:
    examples = ReturnExamples.open(tables, BUSINESS_DATE, SETTINGS)
    day = examples.lines.days[examples.lines.orders]
    held_out = DAY - 10 - 14
    assert day[examples.held_out_rows].min() >= held_out
    assert day[examples.held_out_rows].max() + 10 < DAY
    assert day[examples.train_rows].max() + 10 < held_out
    assert examples.returned[examples.train_rows].any()
    assert examples.returned[examples.held_out_rows].any()
    used = np.concatenate([examples.train_rows, examples.held_out_rows])
    assert not np.isin(np.flatnonzero(day + 10 >= DAY), used).any()


def test_nothing_on_or_after_the_held_out_days_changes_what_is_learned(tables: Tables, workspace: Workspace) -> None:
    whole = ReturnExamples.open(tables, BUSINESS_DATE, SETTINGS)
    end = BUSINESS_DATE - timedelta(days=24)
    seen = []
    for row in shop_rows():
        if row["sold_on"] < end:
            seen.append(row | {"returned": [back for back in row["returned"] if back[1] < end]})
    publish_order_lines(workspace, seen, "shorter")
    shorter = read_order_lines({"order_lines": workspace.lake.path("order_lines", "shorter")}, end)
    pasts = ReturnPasts(shorter, ItemHistory(shorter, read_item_words(tables)), 10)
    learned = np.flatnonzero(shorter.days[shorter.orders] + 10 < epoch_day(end))
    learned = learned[shorter.days[shorter.orders[learned]] >= whole.first_day]
    keys = shorter.keys[shorter.orders[learned]]
    assert keys.tolist() == whole.lines.keys[whole.lines.orders[whole.train_rows]].tolist()
    short, long = pasts.batch(learned), whole.pasts.batch(whole.train_rows)
    for name in short:
        np.testing.assert_array_equal(short[name], long[name], err_msg=name)
    np.testing.assert_array_equal(returned_within(shorter, 10)[learned], whole.returned[whole.train_rows])


@pytest.mark.parametrize("back", [1, 9, 40])
def test_no_return_and_no_order_of_the_future_changes_a_feature(back: int) -> None:
    rows = shop_rows(12, 90)
    now = BUSINESS_DATE - timedelta(days=back)
    later = [
        row if row["sold_on"] < now else row | {"quantity": 50.0, "amount_cents": 9_999, "returned": []} for row in rows
    ]
    later = [row | {"returned": [each for each in row["returned"] if each[1] < now]} for row in later]
    one, other = (order_lines_of(table_of(each)) for each in (rows, later))
    early = np.flatnonzero(one.days[one.orders] < epoch_day(now))
    found = [line_features(lines, ItemHistory(lines, WORDS)) for lines in (one, other)]
    np.testing.assert_array_equal(found[0].numbers[early], found[1].numbers[early])
    assert not np.array_equal(found[0].numbers, found[1].numbers)


def test_the_order_of_rows_changes_nothing() -> None:
    rows = shop_rows(10, 60)
    shuffled = [rows[at] for at in np.random.default_rng(1).permutation(len(rows))]
    one, other = (pasts_of(order_lines_of(table_of(each))) for each in (rows, shuffled))
    every = np.arange(len(one.lines))
    for name, array in one.batch(every).items():
        np.testing.assert_array_equal(array, other.batch(every)[name], err_msg=name)


def test_a_past_order_shows_what_had_come_back_by_the_time_of_the_line() -> None:
    first, second, third = (BUSINESS_DATE - timedelta(days=days) for days in (30, 20, 10))
    rows = [
        order_line(sold_on=first, returned_after=15),
        order_line(sold_on=first, product_id="p2", quantity=3.0),
        order_line(sold_on=second),
        order_line(sold_on=third),
    ]
    pasts = pasts_of(order_lines_of(table_of(rows)))
    shares = pasts.batch(np.arange(4))[fields.EVENT_NUMBERS][:, :, 2]
    np.testing.assert_allclose(shares[2], [0.0, 0.0, 0.0], err_msg="it came back after the second order")
    np.testing.assert_allclose(shares[3], [0.25, 0.0, 0.0])


def test_customers_read_alone_have_the_features_that_they_have_among_all() -> None:
    rows = shop_rows(10, 60)
    every = order_lines_of(table_of(rows))
    alone = order_lines_of(table_of([row for row in rows if row["customer_id"] == "c04"]))
    history = ItemHistory(every, WORDS)
    mine = every.customers.tolist().index("c04")
    orders = np.arange(every.order_offsets[mine], every.order_offsets[mine + 1])
    here = ranges(every.line_offsets[orders], np.diff(every.line_offsets)[orders])
    whole, part = (ReturnPasts(lines, history, 4) for lines in (every, alone))
    for name, array in part.batch(np.arange(len(alone))).items():
        np.testing.assert_allclose(array, whole.batch(here)[name], rtol=1e-6, err_msg=name)


def test_a_batch_is_a_function_of_its_step_and_workers_share_it(tables: Tables) -> None:
    examples, again = (ReturnExamples.open(tables, BUSINESS_DATE, SETTINGS) for _ in range(2))
    whole = examples.batch(3, 32)
    for name, array in again.batch(3, 32).items():
        np.testing.assert_array_equal(array, whole[name], err_msg=name)
    parts = [examples.batch(3, 32, worker, 2) for worker in range(2)]
    for worker, part in enumerate(parts):
        np.testing.assert_array_equal(part[fields.NUMBERS], whole[fields.NUMBERS][worker::2])
    other = examples.batch(3 + examples.steps_per_epoch(32), 32)
    assert not np.array_equal(other[fields.NUMBERS], whole[fields.NUMBERS]), "another epoch, another order"


def test_baselines_rank_better_than_chance(tables: Tables) -> None:
    found = measure_baselines(ReturnExamples.open(tables, BUSINESS_DATE, SETTINGS), 10_000)
    assert set(found) == {"customer_rate", "customer_item_rate", "logistic", "boosted", "logistic_boosted"}
    assert all(set(scores) == set(METRICS) for scores in found.values())
    assert found["logistic_boosted"]["auc"] > 0.7
    assert found["customer_rate"]["auc"] > 0.6


def test_a_shop_without_returns_says_what_to_change(tables: Tables, workspace: Workspace) -> None:
    publish_order_lines(workspace, [row | {"returned": []} for row in shop_rows(4)], "kept")
    kept = {**tables, "order_lines": workspace.lake.path("order_lines", "kept")}
    with pytest.raises(ValueError, match=r"0 came back within 10 days.*`return_days` or `returns`"):
        ReturnExamples.open(kept, BUSINESS_DATE, SETTINGS)


def test_an_order_shows_how_much_came_back_of_earlier_orders_with_its_attributes() -> None:
    days = [BUSINESS_DATE - timedelta(days=days) for days in range(60, 0, -1)]
    rows = []
    for at, day in enumerate(days):
        online = at % 2 == 0
        back = {"returned_after": 3} if online else {}
        rows.append(
            order_line(customer_id=f"c{at:02}", sold_on=day, attributes=["channel=web"] if online else None, **back)
        )
    lines = order_lines_of(table_of(rows))
    numbers = line_features(lines, ItemHistory(lines, {})).numbers
    largest, mean = (numbers[:, LINE_NUMBERS.index(f"{name}_attribute_rate")] for name in ("largest", "mean"))
    assert largest[0] == mean[0] == 0.0, "nothing is known of the first day"
    assert largest[-2] > abs(largest[-1]), "the last order but one came from the web, the last from the store alone"
    assert largest[-2] > mean[-2] > mean[-1]


def test_features_are_named_and_finite() -> None:
    lines = order_lines_of(table_of(shop_rows(6, 40)))
    features = line_features(lines, ItemHistory(lines, {}))
    assert features.numbers.shape == (len(lines), len(LINE_NUMBERS))
    assert np.isfinite(features.numbers).all()
    assert ((features.rates > 0) & (features.rates < 1)).all()
