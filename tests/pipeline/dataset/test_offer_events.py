"""Events are sets; what is read of them knows nothing of later days, and nothing of an order within a day."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models import offer_fields
from models.special_ids import FIRST_PRODUCT, UNKNOWN
from pipeline.dataset.offer_events import OfferEvents, Popularity, events_of
from pipeline.dataset.offer_examples import (
    OfferCut,
    OfferData,
    OfferPasts,
    buckets_of,
    cases_between,
    days_from,
    quantile_edges,
    survived,
)

N_CUSTOMERS, N_OFFERS = 5, 8
LINE = st.tuples(
    st.integers(0, N_CUSTOMERS - 1),
    st.integers(100, 140),
    st.sampled_from([UNKNOWN, *range(FIRST_PRODUCT, N_OFFERS)]),
    st.integers(1, 5),
)
LINES = st.lists(LINE, min_size=1, max_size=60)


def frame(lines: list[tuple[int, int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=["customer", "day", "offer", "amount_cents"])


def events(lines: list[tuple[int, int, int, int]], owned_again: bool = True) -> OfferEvents:
    return events_of(frame(lines), N_CUSTOMERS, N_OFFERS, owned_again)


def inputs(found: OfferEvents, day: int) -> dict[tuple[int, int], tuple[bytes, ...]]:
    """What the model reads as of each event up to a day, by customer and day."""
    pasts = OfferPasts(found, Popularity.of_events(found), OfferCut(max_events=4, max_offers=N_OFFERS))
    rows = np.flatnonzero(found.days <= day)
    read = {}
    for row in rows:
        arrays = pasts.batch(np.array([row])).values()
        read[int(found.customers[row]), int(found.days[row])] = tuple(array.tobytes() for array in arrays)
    return read


@given(LINES, LINES, st.integers(100, 140))
def test_later_days_change_nothing_that_is_read_of_earlier_events(
    lines: list[tuple[int, int, int, int]], others: list[tuple[int, int, int, int]], day: int
) -> None:
    past = [line for line in lines if line[1] <= day]
    later = [line for line in others if line[1] > day]
    # The days of the data begin alike in both: popularity is counted from the first.
    begin = [(0, 100, FIRST_PRODUCT, 1)]
    assert inputs(events(begin + past), day) == inputs(events(begin + past + later), day)


@given(LINES, st.randoms())
def test_the_order_of_lines_carries_nothing(lines: list[tuple[int, int, int, int]], random: object) -> None:
    mixed = lines.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert inputs(events(lines), 140) == inputs(events(mixed), 140)


@given(LINES)
def test_an_event_is_a_day_with_a_known_offer_and_its_dearest_stands_first(
    lines: list[tuple[int, int, int, int]],
) -> None:
    found = events(lines)
    known = frame([line for line in lines if line[2] >= FIRST_PRODUCT])
    spent = known.groupby(["customer", "day", "offer"])["amount_cents"].sum()
    assert len(found) == len(spent.groupby(level=[0, 1]))
    for customer, day, top in zip(found.customers, found.days, found.tops, strict=True):
        assert spent[customer, day, top] == spent[customer, day].max()


@given(LINES)
def test_shares_of_what_a_customer_paid_are_those_of_its_known_offers_so_far(
    lines: list[tuple[int, int, int, int]],
) -> None:
    found = events(lines)
    pasts = OfferPasts(found, Popularity.of_events(found), OfferCut())
    read = pasts.batch(np.arange(len(found)))[offer_fields.OFFER_FEATURE_VALUES]
    shares = np.expm1(read[:, :, offer_fields.OFFER_FEATURES.index("log_spend_share")]) / 100.0
    for row in range(len(found)):
        paid = np.zeros(N_OFFERS)
        for customer, day, offer, cents in lines:
            if customer == found.customers[row] and day <= found.days[row] and offer >= FIRST_PRODUCT:
                paid[offer] += cents
        np.testing.assert_allclose(shares[row], paid / paid.sum(), atol=1e-5)


@given(LINES)
def test_what_is_owned_is_never_offered_and_never_the_next_event_where_it_is_taken_once(
    lines: list[tuple[int, int, int, int]],
) -> None:
    found = events(lines, owned_again=False)
    cases = cases_between(found, 0, 10**6, min_events=1)
    pasts = OfferPasts(found, Popularity.of_events(found), OfferCut(owned_again=False))
    if len(cases):
        allowed = pasts.batch(cases.rows)[offer_fields.MAY_BE_OFFERED]
        assert (allowed[np.arange(len(cases)), cases.offers] == 1).all()
        assert (allowed[:, :FIRST_PRODUCT] == 0).all()
        held = pasts.batch(cases.rows)[offer_fields.EVENT_OFFERS]
        for row, offers in enumerate(held):
            owned = np.unique(offers[offers >= FIRST_PRODUCT])
            assert (allowed[row, owned] == 0).all()


def test_who_waits_is_an_example_that_knows_only_how_long() -> None:
    found = events([(0, 100, 3, 1), (0, 110, 4, 1), (1, 105, 3, 1)])
    cases = cases_between(found, 100, 110, min_events=1, last=True)
    assert cases.offers.tolist() == [0, 0], "the event of day 110 is not seen before day 110"
    assert cases.days.tolist() == [9.0, 4.0]
    came = cases_between(found, 100, 111, min_events=1, last=True).observed
    assert (came.offers.tolist(), came.days.tolist()) == ([4], [10.0])


def test_buckets_end_with_their_edges_and_what_has_passed_of_them_is_gone() -> None:
    edges = np.array([2.0, 5.0, 10.0])
    assert buckets_of(np.array([1, 2, 3, 10, 11]), edges).tolist() == [0, 0, 1, 2, 3]
    parts = survived(np.array([0.0, 2.0, 7.5, 99.0]), edges)
    np.testing.assert_allclose(parts, [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0.5, 1], [0, 0, 0, 1]])
    assert quantile_edges(np.array([1, 1, 1, 1, 9.0]), 5) == [1.0, 2.0]


def test_a_batch_is_a_pure_function_of_its_step_and_workers_share_it() -> None:
    lines = [
        (customer, 100 + 3 * day, FIRST_PRODUCT + (customer + day) % 5, 1) for customer in range(5) for day in range(8)
    ]
    found = events(lines)
    pasts = OfferPasts(found, Popularity.of_events(found), OfferCut())
    train = cases_between(found, 0, 120, min_events=2, last=True)
    data = OfferData(pasts, train, train, [2.0, 5.0], seed=1, days_from=110)
    whole, again = data.batch(3, 8), data.batch(3, 8)
    parts = [data.batch(3, 8, worker, 2) for worker in range(2)]
    for name, array in whole.items():
        field = offer_fields.FIELDS[name]
        assert (array.dtype, array.ndim) == (field.dtype, len(field.shape))
        np.testing.assert_array_equal(array, again[name])
    both = np.empty(8, np.int32)
    both[::2], both[1::2] = (part[offer_fields.TARGET_OFFERS] for part in parts)
    np.testing.assert_array_equal(both, whole[offer_fields.TARGET_OFFERS])
    assert set(whole) == set(offer_fields.FIELDS)


def test_gaps_that_end_too_early_teach_offers_but_no_days() -> None:
    lines = [(0, 100, 3, 1), (0, 103, 4, 1), (0, 130, 5, 1), (1, 100, 3, 1)]
    found = events(lines)
    pasts = OfferPasts(found, Popularity.of_events(found), OfferCut())
    cases = cases_between(found, 0, 140, min_events=1, last=True)
    data = OfferData(pasts, cases, cases, [7.0], seed=0, days_from=days_from(found, 140))
    (batch,) = data.validation(10)
    taught = dict(zip(batch[offer_fields.TARGET_OFFERS].tolist(), batch[offer_fields.TARGET_BUCKETS], strict=True))
    assert taught == {4: -1, 5: 1, 0: 0}, "day 103 is too early, day 130 is not, and who waits counts"
