"""Examples: reproducible, shared out between workers, and without a look into the future."""

from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.folds import N_FOLDS, folds_of
from models.keys import keys_of
from pipeline.dataset.batch import Batch, Cut
from pipeline.dataset.examples import NextBasketExamples
from pipeline.settings import TrainingSettings
from tests.factories import BUSINESS_DATE, sequence
from tests.pipeline.dataset.sequences import N_KNOWN, first_held_out, random_sequences, write_sequences

HOLDOUT_DAYS, BATCH_SIZE = 14, 16


def opened(folder: Path, rows: list[dict[str, Any]], row_group_size: int = 25, **settings: Any) -> NextBasketExamples:
    paths = write_sequences(folder, rows, row_group_size)
    return NextBasketExamples.open(*paths, BUSINESS_DATE, TrainingSettings(holdout_days=HOLDOUT_DAYS, **settings))


@pytest.fixture
def data(tmp_path: Path) -> NextBasketExamples:
    """Eighty customers in four row groups."""
    return opened(tmp_path, random_sequences(80))


def assert_equal(one: Batch, other: Batch) -> None:
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def epoch_of(data: NextBasketExamples, epoch: int) -> list[Batch]:
    steps = data.steps_per_epoch(BATCH_SIZE)
    return [data.batch(step, BATCH_SIZE) for step in range(epoch * steps, (epoch + 1) * steps)]


def trained_on(data: NextBasketExamples) -> list[Batch]:
    """Three epochs, as a training would ask for them."""
    return [batch for epoch in range(3) for batch in epoch_of(data, epoch)]


def test_a_batch_depends_on_seed_and_step_only(tmp_path: Path, data: NextBasketExamples) -> None:
    again = opened(tmp_path / "again", random_sequences(80))
    for step in (7, 0, 3):
        assert_equal(again.batch(step, BATCH_SIZE), data.batch(step, BATCH_SIZE))


def test_another_seed_gives_other_batches(tmp_path: Path, data: NextBasketExamples) -> None:
    other = opened(tmp_path / "other", random_sequences(80), seed=1)
    assert (
        data.batch(0, BATCH_SIZE)["target_products"].tolist() != other.batch(0, BATCH_SIZE)["target_products"].tolist()
    )


def test_epochs_draw_other_prefixes(data: NextBasketExamples) -> None:
    first, second = ([batch["basket_rows"].tolist() for batch in epoch_of(data, epoch)] for epoch in (0, 1))
    assert first != second


def test_workers_share_out_the_same_global_batch(data: NextBasketExamples) -> None:
    whole = data.batch(5, BATCH_SIZE)
    parts = [data.batch(5, BATCH_SIZE, worker, 3) for worker in range(3)]
    for worker, part in enumerate(parts):
        np.testing.assert_array_equal(part["target_sizes"], whole["target_sizes"][worker::3])
        np.testing.assert_array_equal(part["target_gap_days"], whole["target_gap_days"][worker::3])


def test_batches_are_full_and_an_epoch_shows_every_customer(data: NextBasketExamples) -> None:
    batches = epoch_of(data, 0)
    assert {len(batch["customer_ids"]) for batch in batches} == {BATCH_SIZE}
    shown = {int(key) for batch in batches for key in data.customer_keys[batch["customer_ids"]]} - {0}
    # One in ten customers is withheld from the model, so not every one is seen by name.
    assert shown <= set(data.customer_keys.tolist())
    assert len(shown) > 0.8 * (len(data.customer_keys) - 1)


def test_altering_held_out_days_alters_no_training_batch(tmp_path: Path, data: NextBasketExamples) -> None:
    rows = deepcopy(random_sequences(80))
    for row in rows:
        for place, day in enumerate(row["sold_on"]):
            if day >= first_held_out(HOLDOUT_DAYS):
                row["products"][place] = [9, 10, 11]
                row["quantities"][place] = [7.0] * 3
                row["amounts_cents"][place] = [999] * 3
    other = opened(tmp_path / "other", rows)
    np.testing.assert_array_equal(other.product_counts, data.product_counts)
    for ours, theirs in zip(trained_on(data), trained_on(other), strict=True):
        assert_equal(ours, theirs)


def test_altering_the_target_alters_no_past(tmp_path: Path, data: NextBasketExamples) -> None:
    rows = deepcopy(random_sequences(80))
    for row in rows:
        later = [place for place, day in enumerate(row["sold_on"]) if day >= first_held_out(HOLDOUT_DAYS)]
        for place in later:
            known = [19 for product in row["products"][place] if product > 2]
            row["products"][place] = known or row["products"][place]
            row["quantities"][place] = [9.0] * len(row["products"][place])
            row["amounts_cents"][place], row["gap_days"][place] = [1] * len(row["products"][place]), 33
    other = opened(tmp_path / "other", rows)
    past = ("product_ids", "quantities", "basket_features", "basket_rows", "customer_ids")
    for ours, theirs in zip(data.held_out(BATCH_SIZE), other.held_out(BATCH_SIZE), strict=True):
        assert ours["target_products"].tolist() != theirs["target_products"].tolist()
        for name in past:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_held_out_targets_are_each_customers_first_basket_of_those_days(tmp_path: Path) -> None:
    days = [date(2026, 1, 20), date(2026, 2, 1), date(2026, 2, 20), date(2026, 2, 25)]
    row = sequence(sold_on=days, products=[[3], [4], [5, 1], [6]])
    (batch,) = opened(tmp_path, [row]).held_out(8)
    assert batch["target_products"].tolist() == [[5, 2]]
    assert batch["target_sizes"].tolist() == [2.0]
    assert batch["target_gap_days"].tolist() == [19.0]
    assert batch["elapsed_days"].tolist() == [(first_held_out(HOLDOUT_DAYS) - days[1]).days]
    assert batch["product_ids"].tolist() == [[3], [4]]
    assert batch["basket_rows"].tolist() == [[1, 2]]


def test_validation_targets_are_never_trained_on(tmp_path: Path) -> None:
    rows = random_sequences(300)
    # A target is told by its size and gap: give every basket its own gap.
    for number, row in enumerate(rows):
        row["gap_days"] = [number * 10 + place for place in range(len(row["gap_days"]))]
    data = opened(tmp_path, rows, row_group_size=300)
    validated = {float(gap) for batch in data.validation(BATCH_SIZE) for gap in batch["target_gap_days"]}
    trained = {float(gap) for batch in trained_on(data) for gap in batch["target_gap_days"]}
    assert validated
    assert not validated & trained


def test_every_training_example_has_its_customers_fold_and_no_other_example_has_one(tmp_path: Path) -> None:
    data = opened(tmp_path, random_sequences(300), row_group_size=300)
    expected, found = folds_of(data.customer_keys), set()
    for batch in trained_on(data):
        known = batch["customer_ids"] > 0  # of the others it is not visible who they are
        np.testing.assert_array_equal(batch["folds"][known], expected[batch["customer_ids"][known]])
        found |= set(batch["folds"].tolist())
    assert found == set(range(1, 1 + N_FOLDS))
    others = [*data.validation(BATCH_SIZE), *data.held_out(BATCH_SIZE)]
    assert others
    assert not any(batch["folds"].any() for batch in others)


def waiting_in(batches: list[Batch], data: NextBasketExamples) -> dict[int, float]:
    """Key of each customer whose next basket is still to come, and the days without one."""
    return {
        int(data.customer_keys[customer]): float(days)
        for batch in batches
        for customer, days, observed in zip(
            batch["customer_ids"], batch["target_gap_days"], batch["target_observed"], strict=True
        )
        if customer > 0 and observed == 0
    }


def test_a_basket_still_to_come_has_days_and_nothing_else(tmp_path: Path) -> None:
    days = [date(2026, 1, 20), date(2026, 2, 1), date(2026, 2, 20)]
    rows = [
        sequence(sold_on=days, products=[[3], [4], [5]]),
        sequence(funnel_id="once", sold_on=days[1:], products=[[6], [7]]),
    ]
    (batch,) = epoch_of(opened(tmp_path, rows), 0)[:1]
    waiting = batch["target_observed"] == 0
    assert 0 < waiting.sum() < BATCH_SIZE
    assert set(batch["target_gap_days"][waiting]) == {(first_held_out(HOLDOUT_DAYS) - days[1]).days}
    assert not batch["target_products"][waiting].any()
    assert not batch["candidates"][waiting].any()
    assert batch["target_products"][~waiting].tolist() == [[4, 2]] * int((~waiting).sum())
    # Who had not come back before the held-out days is in the table only for having done so later.
    known = np.concatenate([each["product_ids"].ravel() for each in epoch_of(opened(tmp_path, rows), 0)])
    assert not set(known) & {6, 7}


def test_waiting_does_not_know_what_came_in_the_held_out_days(tmp_path: Path, data: NextBasketExamples) -> None:
    cutoff = first_held_out(HOLDOUT_DAYS)
    rows = deepcopy(random_sequences(80))
    for row in rows:
        kept = [place for place, day in enumerate(row["sold_on"]) if day < cutoff]
        for name in (
            "sold_on",
            "gap_days",
            "day_of_week",
            "day_of_month",
            "month",
            "products",
            "quantities",
            "amounts_cents",
        ):
            row[name] = [row[name][place] for place in kept]
    other = opened(tmp_path / "other", [row for row in rows if len(row["sold_on"]) > 1])
    ours, theirs = (waiting_in(trained_on(each), each) for each in (data, other))
    shared = set(ours) & set(theirs)
    assert len(shared) > 20
    assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}


def test_an_architecture_that_regresses_waits_for_nobody(tmp_path: Path) -> None:
    data = opened(tmp_path, random_sequences(80), architecture="lens1000")
    assert all(batch["target_observed"].all() for batch in epoch_of(data, 0))


def test_validation_is_shared_out_between_workers(tmp_path: Path) -> None:
    data = opened(tmp_path, random_sequences(300))
    parts = [sum(len(batch["customer_ids"]) for batch in data.validation(4, worker, 2)) for worker in range(2)]
    whole = sum(len(batch["customer_ids"]) for batch in data.validation(4))
    assert sum(parts) == whole > 0


def test_stores_are_not_trained_on(tmp_path: Path) -> None:
    data = opened(tmp_path, [*random_sequences(5), sequence(funnel_kind="store", funnel_id="s1")])
    assert keys_of(["s1"])[0] not in data.customer_keys


def test_counts_are_of_training_baskets(tmp_path: Path) -> None:
    days = [date(2026, 1, 20), date(2026, 2, 1), date(2026, 2, 27)]
    data = opened(tmp_path, [sequence(sold_on=days, products=[[3, 4], [3], [3, 5]])])
    assert data.product_counts[[2, 3, 4, 5]].tolist() == [2, 2, 1, 0]
    assert len(data.product_keys) == N_KNOWN + 3


def test_the_past_is_cut_to_the_latest_baskets_and_the_largest_lines(tmp_path: Path) -> None:
    days = [date(2026, 1, 1), date(2026, 1, 20), date(2026, 2, 1), date(2026, 2, 27)]
    row = sequence(sold_on=days, products=[[3], [4, 5, 6], [7], [8]])
    row["quantities"][1] = [1.0, 3.0, 2.0]
    (batch,) = opened(tmp_path, [row]).held_out(8, Cut(max_baskets=2, max_products=2))
    assert batch["product_ids"].tolist() == [[5, 6], [7, 0]]


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holdout_days"):
        opened(tmp_path, [sequence(sold_on=[date(2026, 2, 27), date(2026, 2, 28)])])
