"""Next-basket data sets: one division of the customers per seed into training, validation and test.

A method reads the whole sequences of the training and validation customers and, of the test customers, everything but
the next basket. It never reads the true next baskets.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.basket_sequences import BasketSequences

TEST_SHARE, VALIDATION_SHARE = 0.3, 0.1


@dataclass(frozen=True)
class Fold:
    """One division of a data set's customers.

    train, validation: whole sequences of at least two baskets.
    histories: of the test customers, without the next basket.
    truth: the next baskets of the test customers, one each, in the order of `histories`.
    """

    train: BasketSequences
    validation: BasketSequences
    histories: BasketSequences
    truth: BasketSequences


class Dataset(Protocol):
    """A data set by name."""

    name: str
    # nDCG divides by the ideal over the whole next basket, or over as much of it as the ranking could hold.
    ndcg_over_whole_basket: bool
    customer_names: np.ndarray  # object [n], by the numbers in `BasketSequences.customers`
    product_names: np.ndarray  # object [V], by product index; "" for special indices

    def fold(self, seed: int) -> Fold:
        """The division of one seed."""


def divide(sequences: BasketSequences, train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> Fold:
    """The fold in which those rows of whole `sequences` train, validate and test."""
    tested = sequences.take(test)
    return Fold(sequences.take(train), sequences.take(validation), tested.without_last(), tested.last())


def divide_at_random(sequences: BasketSequences, seed: int) -> Fold:
    """A random `TEST_SHARE` of the customers test, `VALIDATION_SHARE` of the others validate."""
    n = len(sequences)
    order = np.random.RandomState(seed).permutation(n)
    n_test, n_validation = round(TEST_SHARE * n), round(VALIDATION_SHARE * (1.0 - TEST_SHARE) * n)
    test, validation, train = np.split(order, [n_test, n_test + n_validation])
    return divide(sequences, train, validation, test)
