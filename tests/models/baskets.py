"""Basket sequences for tests, written as lists."""

import numpy as np

from models.basket_sequences import BasketSequences
from models.ragged import offsets_of

N_PRODUCTS = 40


def sequences(
    *customers: list[list[int]], n_products: int = N_PRODUCTS, numbers: list[int] | None = None
) -> BasketSequences:
    """Each customer is a list of baskets, each basket a list of product indices."""
    baskets = [basket for customer in customers for basket in customer]
    return BasketSequences(
        customers=np.array(numbers or range(len(customers)), np.int64),
        basket_offsets=offsets_of(np.array([len(customer) for customer in customers])),
        product_offsets=offsets_of(np.array([len(basket) for basket in baskets])),
        product_ids=np.array([product for basket in baskets for product in basket], np.int32),
        n_products=n_products,
    )


def as_lists(given: BasketSequences) -> list[list[list[int]]]:
    """The other way round."""
    baskets = [part.tolist() for part in np.split(given.product_ids, given.product_offsets[1:-1])]
    if len(given.product_offsets) == 1:
        baskets = []
    return [baskets[first:end] for first, end in zip(given.basket_offsets[:-1], given.basket_offsets[1:], strict=True)]


def random_sequences(n: int = 60, seed: int = 0, n_products: int = N_PRODUCTS) -> BasketSequences:
    """Customers who rebuy from a few products of their own; 2 to 6 baskets each."""
    random = np.random.default_rng(seed)
    customers = []
    for _ in range(n):
        own = random.choice(np.arange(3, n_products), 6, replace=False)
        customers.append(
            [
                sorted({*random.choice(own, random.integers(1, 4)).tolist(), int(random.integers(3, n_products))})
                for _ in range(random.integers(2, 7))
            ]
        )
    return sequences(*customers, n_products=n_products)
