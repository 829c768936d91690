"""Ta-Feng from its file, with days and quantities: the data set of the LENS paper.

One basket per customer and day; customers with at least two baskets. The last baskets of a random 30 % of them are the
test set, everything else is training data. A tenth of the other customers validates.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from models.basket_sequences import BasketSequences
from models.days import epoch_days
from models.ragged import offsets_of
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.data.folds import Fold, divide_at_random
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, read_lines
from pipeline.dataset.histories import hashed_attributes
from pipeline.sources.source import load_source

COLUMNS = {theirs: ours for theirs, ours in SALES_COLUMNS.items() if ours not in ("category", "amount")}


class TaFeng:
    """The customers of the fetched file with enough baskets. Raises FileNotFoundError where it was not fetched."""

    name = "tafeng"
    ndcg_over_whole_basket = False

    def __init__(self, file: Path, min_baskets: int = 2) -> None:
        attributes = {theirs: ours for ours, theirs in load_source(self.name).customers.attributes.items()}
        lines = read_lines(file, COLUMNS | attributes)
        baskets = lines.groupby(["customer", "sold_on", "product"])["quantity"].sum().reset_index()
        days = baskets.groupby("customer")["sold_on"].transform("nunique")
        baskets = baskets[days >= min_baskets]
        # In order of names: an order by frequency, in which ties are broken, would tell about the test baskets.
        self.product_names, products = np.unique(baskets["product"].to_numpy(object), return_inverse=True)
        self.product_names = np.concatenate([[""] * FIRST_PRODUCT, self.product_names])
        self.customer_names, customers = np.unique(baskets["customer"].to_numpy(object), return_inverse=True)
        sold_on = epoch_days(baskets["sold_on"]).astype(np.int32)
        starts = np.flatnonzero(np.r_[True, (np.diff(customers) != 0) | (np.diff(sold_on) != 0)])
        self.sequences = BasketSequences(
            customers=np.arange(len(self.customer_names)),
            basket_offsets=offsets_of(np.bincount(customers[starts])),
            product_offsets=np.r_[starts, len(baskets)].astype(np.int64),
            product_ids=(products + FIRST_PRODUCT).astype(np.int32),
            n_products=len(self.product_names),
            sold_on=sold_on[starts],
            quantities=baskets["quantity"].to_numpy(np.float32),
            attributes=hashed_attributes(_said(lines, list(attributes.values()), self.customer_names)),
        )

    def fold(self, seed: int) -> Fold:
        """A random draw of test customers; validation customers are drawn from the others."""
        return divide_at_random(self.sequences, seed)


def _said(lines: pd.DataFrame, attributes: list[str], customers: np.ndarray) -> list[list[str]]:
    """What each customer's first line says, as `name=value`: the last line may be of the basket to be predicted."""
    first = lines.drop_duplicates("customer").set_index("customer").loc[customers]
    named = [(name + "=" + first[name].str.strip()).to_list() for name in attributes]
    return [[said for said in each if isinstance(said, str)] for each in zip(*named, strict=True)]
