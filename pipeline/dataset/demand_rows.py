"""Expected units of some customers by store, product and day, as partial sums: no customer's own leave the executor.

Runs in Spark's executors on the Arrow batches that `prediction_rows` reads, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from models.demand.customer_sums import expected_baskets, summed_steps
from models.keys import keys_of
from models.special_ids import FIRST_PRODUCT
from pipeline.dataset.batch import Batch
from pipeline.dataset.histories import Histories, read_histories
from pipeline.dataset.next_baskets import Forecaster, Read, days_since, knows_any, translated
from pipeline.dataset.prediction_rows import SentModel, loaded

if TYPE_CHECKING:
    from models.lens import Lens

# Sums in steps of 1 / SUM_STEPS; `ahead` counts days from the business date.
PARTIAL_SUMS = "store_id string, product_id string, ahead int, steps bigint"


@dataclass(frozen=True)
class CustomerDemandPredictor:
    """What an executor needs beside the rows; called with some, it sums what their customers are expected to buy.

    Args: product_ids: object [V], tonight's vocabulary by index.
    """

    business_date: date
    horizon_days: int
    batch_size: int
    product_ids: np.ndarray
    champion: SentModel

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Partial sums of these rows' customers; stores and customers that the model does not predict add nothing."""
        histories = read_histories(rows)
        forecaster = loaded(self.champion, demand_of(self.horizon_days), f"demand of {self.horizon_days} days")
        renamed = translated(histories, keys_of(self.product_ids), forecaster.product_keys)
        has_sequence = rows["has_sequence"].to_numpy(zero_copy_only=False)
        funnels = np.flatnonzero((histories.kinds == "customer") & has_sequence & knows_any(renamed))
        stores = np.asarray(rows["store_id"].take(pa.array(funnels)).to_pylist(), dtype=object)
        ends, elapsed = renamed.basket_offsets[funnels + 1], days_since(histories, self.business_date)[funnels]
        sums = sums_by_store(forecaster, renamed, funnels, ends, elapsed, stores=stores, batch_size=self.batch_size)
        for store, steps in sums.items():
            yield _rows(store, self.champion.product_ids, steps)


def demand_of(horizon_days: int) -> Read:
    """Reads off a model what `models.demand.customer_sums` sums."""

    def read(lens: "Lens", batch: Batch) -> dict[str, Any]:
        return lens.expected_demand(batch, horizon_days)

    return read


def sums_by_store(
    forecaster: Forecaster,
    histories: Histories,
    funnels: np.ndarray,
    ends: np.ndarray,
    elapsed_days: np.ndarray,
    *,
    stores: np.ndarray,
    batch_size: int,
) -> dict[str, np.ndarray]:
    """Expected units of the customers of each store, by product of the model's vocabulary and day; int64 [V, H] each.

    Args: as for `Forecaster.decoded`, by a forecaster that reads `demand_of`; stores: object [n], of each funnel.
    """
    sums: dict[str, np.ndarray] = {}
    for rows, found in forecaster.decoded(histories, funnels, ends, elapsed_days, batch_size):
        baskets = expected_baskets(found["log_wait"], found["log_gap"])
        for store in np.unique(stores[rows]):
            of = stores[rows] == store
            sums[store] = sums.get(store, 0) + summed_steps(baskets[of], found["units"][of])
    return sums


def _rows(store: str, product_ids: np.ndarray, steps: np.ndarray) -> pa.RecordBatch:
    """The sums [V, H] that are not 0, in the columns of PARTIAL_SUMS."""
    product, ahead = np.nonzero(steps)
    kept = product >= FIRST_PRODUCT
    product, ahead = product[kept], ahead[kept]
    return pa.RecordBatch.from_pydict(
        {
            "store_id": pa.array([store] * len(product), pa.string()),
            "product_id": pa.array(product_ids[product], pa.string()),
            "ahead": pa.array(ahead.astype(np.int32)),
            "steps": pa.array(steps[product, ahead]),
        }
    )
