"""A source's own customers as a benchmark: the current sequences of its lake.

The division is that of raw Ta-Feng: the last baskets of a random 30 % of the customers are the test set. Products the
vocabulary does not know cannot be named by any method: they are left out, and so are baskets of nothing else.
"""

import numpy as np
import pyarrow.dataset as ds

from models.basket_sequences import BasketSequences
from models.ragged import offsets_of
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.data.folds import Fold, divide_at_random
from pipeline.dataset.histories import COLUMNS, Histories, read_histories
from pipeline.lake.lake import Lake
from pipeline.tables.sequences import FUNNEL_KINDS, SEQUENCES
from pipeline.tables.vocabulary import VOCABULARY


class LakeSequences:
    """Customers with at least two baskets. Raises LakeError where the lake has no sequences yet."""

    ndcg_over_whole_basket = False

    def __init__(self, name: str, lake: Lake) -> None:
        self.name = name
        tables = {table.name: lake.path(table.name, lake.resolve(table.name)) for table in (SEQUENCES, VOCABULARY)}
        vocabulary = ds.dataset(tables[VOCABULARY.name], format="parquet").to_table(["product_index", "product_id"])
        # In order of names: the vocabulary's, by frequency, breaks ties and would tell about the test baskets.
        names = vocabulary["product_id"].to_numpy(zero_copy_only=False)
        self.product_names = np.concatenate([[""] * FIRST_PRODUCT, np.sort(names)]).astype(object)
        indices = vocabulary["product_index"].to_numpy()
        rows = np.arange(int(indices.max()) + 1)
        rows[indices] = np.searchsorted(self.product_names[FIRST_PRODUCT:], names) + FIRST_PRODUCT
        customers = ds.field("funnel_kind") == FUNNEL_KINDS[0]
        table = ds.dataset(tables[SEQUENCES.name], format="parquet").to_table(list(COLUMNS), filter=customers)
        histories = read_histories(table).renamed(rows.astype(np.int32))
        self.customer_names = histories.ids
        everyone = _known(histories, len(self.product_names))
        self._sequences = everyone.take(np.flatnonzero(everyone.n_baskets >= 2))

    def fold(self, seed: int) -> Fold:
        """A random draw of test customers; validation customers are drawn from the others."""
        return divide_at_random(self._sequences, seed)


def _known(histories: Histories, n_products: int) -> BasketSequences:
    """Baskets with a known product, and those products of them."""
    line = histories.product_ids >= FIRST_PRODUCT
    sizes = histories.known_lines
    kept = sizes > 0
    customer = np.repeat(np.arange(len(histories)), np.diff(histories.basket_offsets))
    return BasketSequences(
        customers=np.arange(len(histories)),
        basket_offsets=offsets_of(np.bincount(customer[kept], minlength=len(histories))),
        product_offsets=offsets_of(sizes[kept]),
        product_ids=histories.product_ids[line],
        n_products=n_products,
        sold_on=histories.sold_on[kept],
        quantities=histories.quantities[line],
        attributes=histories.attributes,
    )
