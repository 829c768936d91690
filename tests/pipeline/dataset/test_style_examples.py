"""Examples of styles: zeros first, nothing of the future, fresh shuffles, first of an order, others from the store."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.style_config import ORDERS, PAPER, PURCHASES, StyleConfig
from models.style_fields import (
    CANDIDATE_OWN,
    CANDIDATE_SIGNALS,
    CANDIDATE_VECTORS,
    CANDIDATE_WEIGHTS,
    PAST_VECTORS,
    PROFILES,
    ROWS,
    STEP_TIMES,
)
from pipeline.dataset.purchases import DatedAssortment, Purchases, SoldAssortment
from pipeline.dataset.style_examples import HORIZON_DAYS, KNOWN_AHEAD_DAYS, StyleExamples
from pipeline.dataset.style_signals import ITEM_SIGNALS
from pipeline.dataset.style_steps import Histories

N_ITEMS, N_CUSTOMERS = 40, 12
# One component per article: a vector says which article it is.
VECTORS = np.eye(N_ITEMS, dtype=np.float32)
NUMBERS = np.arange(N_ITEMS, dtype=np.float32)[:, None]
ALWAYS = DatedAssortment(np.full(N_ITEMS, np.nan), np.full(N_ITEMS, np.nan))
USUAL = StyleConfig(negatives=6, max_steps=8)


def _purchases(seed: int = 0, days: int = 200) -> Purchases:
    """Orders of up to five articles; customers 10 and 11 buy once, the others often."""
    random = np.random.default_rng(seed)
    lines = []
    for customer in range(N_CUSTOMERS):
        for day in random.choice(days, 1 if customer > 9 else 15, replace=False):
            lines += [(customer, item, day) for item in random.choice(N_ITEMS, random.integers(1, 6), replace=False)]
    customers, items, times = np.array(lines).T
    return Purchases.sort(customers, items, times.astype(float), N_CUSTOMERS, N_ITEMS)


def _examples(
    config: StyleConfig, purchases: Purchases | None = None, end: float = 200.0, sold: bool = False
) -> StyleExamples:
    histories = Histories(purchases or _purchases(), VECTORS, config, seasons=False)
    return StyleExamples(histories, SoldAssortment(histories.purchases) if sold else ALWAYS, end, NUMBERS)


@pytest.mark.parametrize("reads", [ORDERS, PURCHASES])
def test_the_first_step_reads_zeros_and_the_next_what_came_before(reads: str) -> None:
    histories = Histories(_purchases(), VECTORS, StyleConfig(reads=reads, max_steps=500), seasons=True)
    steps = histories.read(np.arange(N_CUSTOMERS), np.random.default_rng(0))
    assert not steps.arrays[PAST_VECTORS][:, 0].any()
    assert not steps.arrays[PROFILES][:, 0].any()
    assert (steps.arrays[STEP_TIMES][:, 0, 0] == 1).all(), "flagged as first"
    for row, customer in enumerate(range(N_CUSTOMERS)):
        units = steps.units[row, : steps.lengths[row]]
        assert (steps.units[row, steps.lengths[row] :] == -1).all()
        for step in range(1, len(units)):
            read = steps.arrays[PAST_VECTORS][row, step]
            if reads == ORDERS:
                start, size = histories.order_starts[units[step - 1]], histories.order_sizes[units[step - 1]]
                items = histories.purchases.items[start : start + size]
            else:
                items = histories.purchases.items[units[step - 1 : step]]
            np.testing.assert_allclose(read, VECTORS[items].mean(axis=0))
        assert histories.purchases.customers[0] == 0
        assert len(units) == (histories.purchases.customers == customer).sum() or reads == ORDERS


def test_a_customer_without_a_past_is_read_as_zeros_at_the_time_asked() -> None:
    purchases = _purchases()
    none = purchases.take(purchases.customers != 4)
    steps = Histories(none, VECTORS, USUAL, seasons=True).read(np.array([4]), np.random.default_rng(0), at=150.0)
    assert steps.lengths.tolist() == [1]
    assert not steps.arrays[PAST_VECTORS].any()
    assert steps.times.tolist() == [[150.0]]
    assert steps.arrays[STEP_TIMES][0, 0, 3] == pytest.approx(np.sin(2 * np.pi * 150 / 365.25), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(20, 180), reads=st.sampled_from([ORDERS, PURCHASES]))
def test_the_future_changes_no_step_and_no_signal(seed: int, cut: int, reads: str) -> None:
    config = StyleConfig(negatives=6, max_steps=500, reads=reads)
    every = _purchases(seed)
    whole, known = _examples(config, every), _examples(config, every.between(-np.inf, cut))
    customers = np.arange(N_CUSTOMERS)
    items = np.arange(N_ITEMS)
    later = whole.histories.read(customers, np.random.default_rng(1))
    for name, of_known in known.histories.read(customers, np.random.default_rng(1)).arrays.items():
        if reads == ORDERS or name == STEP_TIMES:
            width = of_known.shape[1]
            lengths = known.histories.lengths(customers)
            for row, length in enumerate(lengths):
                np.testing.assert_allclose(later.arrays[name][row, :length], of_known[row, :length], atol=1e-6)
            assert width == max(lengths.max(), 1)
    np.testing.assert_allclose(whole.signals.at(cut, items), known.signals.at(cut, items))


def test_same_time_purchases_are_shuffled_afresh_each_time_and_a_step_repeats_its_own() -> None:
    histories = Histories(_purchases(), VECTORS, PAPER, seasons=False)
    reads = [histories.read(np.array([0]), np.random.default_rng(seed)).units[0] for seed in range(30)]
    orders = [histories.order_of_purchase[each] for each in reads]
    for each in orders:
        np.testing.assert_array_equal(each, orders[0])
    assert len({tuple(each) for each in reads}) > 20
    firsts = {each[0] for each in reads}
    assert len(firsts) == histories.order_sizes[histories.order_offsets[0]], "each of an order may come first"
    examples = _examples(PAPER)
    assert np.array_equal(examples.batch(3, 4)[CANDIDATE_VECTORS], examples.batch(3, 4)[CANDIDATE_VECTORS])
    n_steps = examples.steps_per_epoch(N_CUSTOMERS)
    first, second = (examples.batch(step, N_CUSTOMERS) for step in (0, n_steps))
    assert not np.array_equal(first[PAST_VECTORS], second[PAST_VECTORS])


def test_only_the_first_of_an_order_is_learned_unless_all_are_wanted() -> None:
    for first_of_order in (True, False):
        config = StyleConfig(reads=PURCHASES, negatives=6, first_of_order=first_of_order, max_steps=500)
        examples = _examples(config)
        customers = np.arange(N_CUSTOMERS)
        steps = examples.histories.read(customers, np.random.default_rng(0))
        batch = examples.candidates(steps, customers, np.random.default_rng(0))
        learned = steps.units.ravel()[batch[ROWS]]
        orders = examples.histories.order_of_purchase[learned]
        expected = len(examples.histories.order_starts) if first_of_order else len(examples.histories.purchases)
        assert len(learned) == expected
        assert (len(np.unique(orders)) == len(orders)) == first_of_order


def test_the_rest_of_an_order_that_was_cut_is_not_taken_for_its_first() -> None:
    lines = np.array([(0, item, day) for day in range(4) for item in range(day * 5, day * 5 + 5)])
    purchases = Purchases.sort(lines[:, 0], lines[:, 1], lines[:, 2].astype(float), 1, N_ITEMS)
    examples = _examples(StyleConfig(reads=PURCHASES, negatives=3, max_steps=8), purchases)
    steps = examples.histories.read(np.array([0]), np.random.default_rng(0))
    batch = examples.candidates(steps, np.array([0]), np.random.default_rng(0))
    assert steps.units.shape == (1, 8)
    assert batch[ROWS].tolist() == [3], "three of the third order, then the fourth begins"


def test_others_are_from_what_was_in_store_on_the_day_and_never_of_the_same_order() -> None:
    purchases = _purchases()
    first = np.arange(N_ITEMS) * 5.0 - 60.0
    histories = Histories(purchases, VECTORS, USUAL, seasons=False)
    examples = StyleExamples(histories, DatedAssortment(first, first + 100.0), 200.0, NUMBERS)
    customers = np.arange(N_CUSTOMERS)
    steps = histories.read(customers, np.random.default_rng(0))
    batch = examples.candidates(steps, customers, np.random.default_rng(0))
    orders = steps.units.ravel()[batch[ROWS]]
    others = batch[CANDIDATE_VECTORS][:, -USUAL.negatives :].argmax(axis=2)
    counted = batch[CANDIDATE_WEIGHTS][:, -USUAL.negatives :] > 0
    for order, items, counts in zip(orders, others, counted, strict=True):
        start, day = histories.order_starts[order], histories.order_times[order]
        bought = purchases.items[start : start + histories.order_sizes[order]]
        assert ((first[items] <= day) & (day - HORIZON_DAYS < first[items] + 100.0)).all()
        np.testing.assert_array_equal(counts, ~np.isin(items, bought))
    assert counted.mean() > 0.5


@pytest.mark.parametrize("unsold", [True, False])
def test_what_nobody_bought_is_compared_with_where_that_is_wanted(unsold: bool) -> None:
    """Everything is in store; nobody ever buys the last ten articles."""
    purchases = _purchases()
    purchases = purchases.take(purchases.items < N_ITEMS - 10)
    examples = _examples(replace(PAPER, negatives=20, unsold_negatives=unsold), purchases)
    others = examples.batch(0, N_CUSTOMERS)[CANDIDATE_VECTORS][:, 1:].argmax(axis=-1)
    assert (others >= N_ITEMS - 10).any() == unsold
    assert set(range(N_ITEMS - 10)) <= set(others.ravel().tolist())


def test_own_signals_are_of_earlier_purchases_of_that_article() -> None:
    lines = np.array([(0, 7, 10.0), (0, 7, 30.0), (0, 8, 40.0), (0, 7, 50.0), (1, 9, 45.0)])
    purchases = Purchases.sort(lines[:, 0].astype(int), lines[:, 1].astype(int), lines[:, 2], 2, N_ITEMS)
    examples = _examples(USUAL, purchases, end=60.0)
    steps = examples.histories.read(np.array([0]), np.random.default_rng(0))
    batch = examples.candidates(steps, np.array([0]), np.random.default_rng(0))
    assert batch[CANDIDATE_OWN][:, 0, 0].tolist() == [0, 1, 0, 1], "bought before, at each step"
    times, days_since = batch[CANDIDATE_OWN][3, 0, 1], batch[CANDIDATE_OWN][3, 0, 6]
    assert times == pytest.approx(np.log1p(2))
    assert days_since == pytest.approx(np.log1p(20) / 3)
    assert batch[CANDIDATE_SIGNALS][0, 0, ITEM_SIGNALS.index("never_sold")] == 1
    assert batch[CANDIDATE_SIGNALS][0, 0, -1] == 7, "its number"


def test_steps_near_the_end_are_read_and_not_learned_while_it_is_not_known_what_was_in_store() -> None:
    examples = _examples(USUAL, sold=True)
    customers = np.arange(N_CUSTOMERS)
    steps = examples.histories.read(customers, np.random.default_rng(0))
    batch = examples.candidates(steps, customers, np.random.default_rng(0))
    learned = steps.times.ravel()[batch[ROWS]]
    assert learned.max() < 200 - KNOWN_AHEAD_DAYS < steps.times.max()
    every = _examples(USUAL)
    assert len(every.candidates(steps, customers, np.random.default_rng(0))[ROWS]) == (steps.units >= 0).sum()


def test_every_customer_is_read_once_an_epoch_and_workers_share_a_batch() -> None:
    examples = _examples(USUAL)
    seen = [examples.batch(step, 5) for step in range(examples.steps_per_epoch(5))]
    assert sum(len(batch[STEP_TIMES]) for batch in seen) == N_CUSTOMERS
    halves = [examples.batch(0, 5, worker, 2) for worker in range(2)]
    assert sum(len(batch[STEP_TIMES]) for batch in halves) == len(seen[0][STEP_TIMES])


def test_a_purchase_that_is_the_first_of_its_article_counts_more() -> None:
    lines = np.array([(0, 1, 20.0), (0, 2, 40.0), (1, 1, 60.0), (1, 3, 60.0)])
    purchases = Purchases.sort(lines[:, 0].astype(int), lines[:, 1].astype(int), lines[:, 2], 2, N_ITEMS)
    histories = Histories(purchases, VECTORS, replace(USUAL, new_weight=3.0), seasons=False)
    examples = StyleExamples(histories, ALWAYS, 90.0, NUMBERS)
    steps = histories.read(np.array([1]), np.random.default_rng(0))
    batch = examples.candidates(steps, np.array([1]), np.random.default_rng(0))
    items = batch[CANDIDATE_VECTORS][0, :2].argmax(axis=1)
    assert dict(zip(items.tolist(), batch[CANDIDATE_WEIGHTS][0, :2].tolist(), strict=True)) == {1: 1.0, 3: 3.0}


def test_only_the_customers_asked_for_teach() -> None:
    histories = Histories(_purchases(), VECTORS, USUAL, seasons=False)
    chosen = np.array([2, 5, 99])
    examples = StyleExamples(histories, ALWAYS, 200.0, NUMBERS, customers=chosen)
    assert len(examples.batch(0, 50)[STEP_TIMES]) == 2


def test_lines_in_any_order_are_the_same_purchases() -> None:
    random = np.random.default_rng(0)
    purchases = _purchases()
    order = random.permutation(len(purchases))
    shuffled = Purchases.sort(
        purchases.customers[order], purchases.items[order], purchases.times[order], N_CUSTOMERS, N_ITEMS
    )
    for name in ("customers", "items", "times", "orders"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(purchases, name))
