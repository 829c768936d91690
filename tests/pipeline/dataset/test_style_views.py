"""What customers looked at of late: nothing on or after the day of a row, in training and in a ranking alike."""

from dataclasses import asdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.style import StyleModel
from models.style_config import VIEW_DECAYS, StyleConfig
from models.style_fields import CANDIDATE_OWN, CANDIDATE_VECTORS, N_VIEW_SIGNALS, ROWS, VIEWED
from pipeline.dataset.purchases import DatedAssortment, Purchases
from pipeline.dataset.style_examples import HORIZON_DAYS, N_OWN, StyleExamples
from pipeline.dataset.style_ranking import StyleRanking
from pipeline.dataset.style_steps import Histories
from pipeline.dataset.style_views import VIEWED_DAYS, RecentViews, view_signals, viewed_means

N_CUSTOMERS, N_ITEMS = 5, 12
VECTORS = np.eye(N_ITEMS, dtype=np.float32)
ALWAYS = DatedAssortment(np.full(N_ITEMS, np.nan), np.full(N_ITEMS, np.nan))
CONFIG = StyleConfig(units=6, vector_units=N_ITEMS, negatives=4, max_steps=20)


def _lines(seed: int, count: int = 60) -> Purchases:
    random = np.random.default_rng(seed)
    customers, items = random.integers(0, N_CUSTOMERS, count), random.integers(0, N_ITEMS, count)
    return Purchases.sort(customers, items, random.uniform(0.0, 100.0, count), N_CUSTOMERS, N_ITEMS)


def _examples(views: Purchases | None) -> StyleExamples:
    histories = Histories(_lines(0), VECTORS, CONFIG, seasons=False)
    return StyleExamples(histories, ALWAYS, 100.0, np.ones((N_ITEMS, 1), np.float32), views=views)


@given(seed=st.integers(0, 500))
def test_views_before_a_day_are_those_of_the_customer_in_the_days_before_it(seed: int) -> None:
    views, random = _lines(seed), np.random.default_rng(seed)
    customers, days = random.integers(0, N_CUSTOMERS, 9), random.integers(-8, 110, 9)
    rows, items, ages = RecentViews(views).before(customers, days)
    for row, (customer, day) in enumerate(zip(customers, days, strict=True)):
        mine = (views.customers == customer) & (views.times < day) & (views.times >= day - VIEWED_DAYS)
        assert items[rows == row].tolist() == views.items[mine].tolist()
        np.testing.assert_allclose(ages[rows == row], day - views.times[mine])
    means = viewed_means(rows, items, ages, len(customers), VECTORS)
    for row in range(len(customers)):
        for place, decay in enumerate(VIEW_DECAYS):
            weights = np.exp(-ages[rows == row] / decay)
            expected = np.bincount(items[rows == row], weights, N_ITEMS) / (1.0 + weights.sum())
            np.testing.assert_allclose(means[row, place], expected, atol=1e-5)


def test_signals_are_of_the_pair_and_zero_without_a_view() -> None:
    found = view_signals(np.array([7, 3, 7]), np.array([3, 3, 5]), np.array([1.0, 4.0, 1.0]))
    assert not found[[0, 2]].any()
    decayed = [np.log1p(np.exp(-1.0 / days) + np.exp(-4.0 / days)) for days in VIEW_DECAYS]
    np.testing.assert_allclose(found[1], [1.0, np.log1p(2), *decayed, np.log1p(1.0) / 3.0], rtol=1e-5)
    assert view_signals(np.zeros(0, int), np.zeros(0, int), np.zeros(0)).shape == (0, N_VIEW_SIGNALS)


@settings(max_examples=20)
@given(seed=st.integers(0, 500), cut=st.integers(10, 90))
def test_no_view_on_or_after_the_day_is_read(seed: int, cut: int) -> None:
    """Rows and rankings as of a day before the cut are the same with all views and with those before it."""
    every = _lines(seed, 200)
    known = every.between(-np.inf, cut)
    whole, part = _examples(every), _examples(known)
    steps = whole.histories.read(np.arange(N_CUSTOMERS), np.random.default_rng(1))
    batches = [each.candidates(steps, np.arange(N_CUSTOMERS), np.random.default_rng(2)) for each in (whole, part)]
    early = steps.times.ravel()[batches[0][ROWS]] < cut
    for name in (CANDIDATE_OWN, VIEWED):
        np.testing.assert_array_equal(batches[0][name][early], batches[1][name][early])
    model = StyleModel(asdict(CONFIG), whole.signals.width, whole.n_own, reads_views=True)
    past = Histories(_lines(0).between(-np.inf, cut), VECTORS, CONFIG, seasons=False)
    customers, store = np.arange(N_CUSTOMERS), np.arange(N_ITEMS)
    of_whole, of_part = (
        StyleRanking(model, past, whole.signals, views).intents(customers, store, float(cut))
        for views in (every, known)
    )
    np.testing.assert_array_equal(of_whole, of_part)


def test_views_are_read_as_of_some_days_before_a_purchase() -> None:
    """Whoever looks and buys at once tells nothing that a ranking of the days before could know."""
    purchases = _lines(0)
    at_once = Purchases.sort(purchases.customers, purchases.items, purchases.times, N_CUSTOMERS, N_ITEMS)
    examples = _examples(at_once)
    steps = examples.histories.read(np.arange(N_CUSTOMERS), np.random.default_rng(0))
    batch = examples.candidates(steps, np.arange(N_CUSTOMERS), np.random.default_rng(0))
    orders = steps.units.ravel()[batch[ROWS]]
    for row, order in enumerate(orders):
        day, customer = examples.histories.order_times[order], examples.histories.order_customers[order]
        read = np.flatnonzero(batch[VIEWED][row, 0])
        mine = (purchases.customers == customer) & (np.floor(purchases.times) < np.floor(day))
        assert set(read) <= set(purchases.items[mine])
        late = mine & (purchases.times >= np.floor(day) - VIEWED_DAYS - HORIZON_DAYS)
        assert set(read) <= set(purchases.items[late])


def test_a_ranking_is_what_is_learned_and_a_view_alone_adds_to_its_article() -> None:
    views = Purchases.sort(np.array([1, 1]), np.array([4, 9]), np.array([95.0, 60.0]), N_CUSTOMERS, N_ITEMS)
    examples = _examples(views)
    assert examples.reads_views
    assert examples.n_own == N_OWN + N_VIEW_SIGNALS
    model = StyleModel(asdict(CONFIG), examples.signals.width, examples.n_own, reads_views=True)
    ranking = StyleRanking(model, examples.histories, examples.signals, views)
    none = StyleRanking(model, examples.histories, examples.signals)
    customers, store = np.arange(N_CUSTOMERS), np.arange(N_ITEMS)
    more = ranking.intents(customers, store, 100.0) - none.intents(customers, store, 100.0)
    assert not more[[0, 2, 3, 4]].any(), "of others nothing changes"
    assert np.flatnonzero(np.abs(more[1]) > 1e-7).tolist() == [4], "nor by what was viewed long ago"
    _, scores = ranking.best(customers, store, 100.0, 3)
    np.testing.assert_allclose(scores, -np.sort(-ranking.intents(customers, store, 100.0), axis=1)[:, :3], rtol=1e-5)


def test_without_views_a_batch_has_none_of_their_arrays() -> None:
    nothing = np.zeros(0, int)
    for views in (None, Purchases.sort(nothing, nothing, np.zeros(0), N_CUSTOMERS, N_ITEMS)):
        batch = _examples(views).batch(0, 5)
        assert VIEWED not in batch
        assert batch[CANDIDATE_OWN].shape[-1] == N_OWN
        assert batch[CANDIDATE_VECTORS].shape[-1] == N_ITEMS
