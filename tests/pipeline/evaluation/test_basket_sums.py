"""Sums of predicted baskets against what was bought."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.basket_sums import BoughtBaskets, StatedBaskets, basket_sums, columns_of

# Three customers: two products named, of which one is bought; one named, which nobody knows; one who has not come.
STATED = StatedBaskets(
    products=np.array([[3, 4], [1, 0], [5, 0]]),
    probabilities=np.array([[0.95, 0.25], [0.55, 0.0], [1.0, 0.0]]),
    days=np.array([2, 9, 4]),
)
BOUGHT = BoughtBaskets(
    came=np.array([True, True, False]),
    days=np.array([3, 1]),
    products=np.array([[4, 6, 2], [7, 1, 2]]),
    sizes=np.array([2.0, 2.0]),
    own=np.array([[6, 4, 3], [7, 8, 9]]),
)


def test_every_sum_is_what_can_be_counted_by_hand() -> None:
    found = columns_of(basket_sums(STATED, BOUGHT, passed_days=7))
    assert {name: value for name, value in found.items() if not name.endswith("_by_tenth")} == {
        "predicted": 3,
        "came": 2,
        "named": 3,
        "bought": 4,
        "hits": 1,
        "hit_customers": 1,
        "size_error": 1,
        "days_error": 1 + 8,
        # The ninth day has not passed; of the two others one came, a day late.
        "due": 2,
        "came_by_due": 0,
        # As many as were named: 6 and 4 of the one, 7 of the other.
        "list_named": 3,
        "list_hits": 3,
        "list_hit_customers": 2,
        "recall_10": 0.5,
        "list_recall_10": 1.5,
    }
    assert found["named_by_tenth"] == [0, 0, 1, 0, 0, 1, 0, 0, 0, 1]
    assert found["hits_by_tenth"] == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert np.round(found["stated_by_tenth"], 3).tolist() == [0, 0, 0.25, 0, 0, 0.55, 0, 0, 0, 0.95]


def test_nobody_came() -> None:
    nobody = BoughtBaskets(np.zeros(3, bool), *(np.zeros((0,) + (1,) * wide) for wide in (0, 1, 0, 1)))
    found = columns_of(basket_sums(STATED, nobody, passed_days=5))
    assert {name: value for name, value in found.items() if np.any(value)} == {"predicted": 3, "due": 2}


@given(st.permutations(range(3)), st.integers(0, 3))
def test_parts_and_orders_add_up_to_the_same_bits(order: list[int], cut: int) -> None:
    whole = basket_sums(STATED, BOUGHT, passed_days=7)
    of_came = np.cumsum(BOUGHT.came) - 1

    def part(rows: list[int]) -> np.ndarray:
        kept = [of_came[row] for row in rows if BOUGHT.came[row]]
        bought = (BOUGHT.days[kept], BOUGHT.products[kept], BOUGHT.sizes[kept], BOUGHT.own[kept])
        stated = StatedBaskets(STATED.products[rows], STATED.probabilities[rows], STATED.days[rows])
        return basket_sums(stated, BoughtBaskets(BOUGHT.came[rows], *bought), passed_days=7)

    assert (part(order[:cut]) + part(order[cut:])).tolist() == whole.tolist()
