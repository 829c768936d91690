"""Ta-Feng as "A Next Basket Recommendation Reality Check" divides it: baskets in order, no dates, no quantities.

The folder holds history.json and future.json, `{customer: [[-1], basket, ..., [-1]]}`: the next basket is the one in
future.json. Folds by seed: 72 % of a random order of the customers train, the next 8 % validate, the last 20 % test.
Source: Li, Jullien, Ariannezhad, de Rijke, TOIS 2023, and its program.
"""

import json
from pathlib import Path

import numpy as np

from models.basket_sequences import BasketSequences
from models.ragged import offsets_of
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.data.folds import Fold, divide

Baskets = dict[str, list[list[int]]]


class RealityCheck:
    """The folder's customers. Raises FileNotFoundError or ValueError where it does not hold the two files in form."""

    name = "reality-check"
    ndcg_over_whole_basket = True

    def __init__(self, folder: Path) -> None:
        history, future = (_read(folder / name) for name in ("history.json", "future.json"))
        if list(history) != list(future):
            raise ValueError(f"{folder}: history.json and future.json name different customers")
        self.customer_names = np.array(list(history), dtype=object)
        baskets = [_real(history[customer]) + _real(future[customer]) for customer in history]
        lines = [basket for customer in baskets for basket in customer]
        products = np.concatenate([np.asarray(basket, np.int64) for basket in lines])
        self.product_names = np.array(
            [""] * FIRST_PRODUCT + [str(product) for product in range(int(products.max()) + 1)], dtype=object
        )
        self._sequences = BasketSequences(
            customers=np.arange(len(baskets)),
            basket_offsets=offsets_of(np.array([len(customer) for customer in baskets])),
            product_offsets=offsets_of(np.array([len(basket) for basket in lines])),
            product_ids=(products + FIRST_PRODUCT).astype(np.int32),
            n_products=len(self.product_names),
        )

    def fold(self, seed: int) -> Fold:
        """The paper's fold of that seed."""
        n = len(self._sequences)
        order = np.random.RandomState(seed).permutation(n)
        first, second = int(0.72 * n), int(0.8 * n)
        return divide(self._sequences, order[:first], order[first:second], order[second:])


def _read(path: Path) -> Baskets:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; reality-check wants the folder with history.json and future.json")
    baskets: Baskets = json.loads(path.read_text())
    return baskets


def _real(baskets: list[list[int]]) -> list[list[int]]:
    """Without the [-1] at either end, each product once a basket."""
    return [sorted(set(basket)) for basket in baskets if basket != [-1]]
