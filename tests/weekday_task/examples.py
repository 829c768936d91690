"""Units sold per product and day, cut at the held-out days: the examples of the weekday tasks."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.task import Batch

WEEKDAYS = 7


class WeekdayExamples:
    """One example is a product on a day; all products on all days between the first sale and the business date."""

    def __init__(self, baskets: Path, business_date: date, holdout_days: int, seed: int) -> None:
        rows = ds.dataset(baskets, format="parquet", partitioning="hive").to_table(columns=["sold_on", "products"])
        parent, lines = pc.list_parent_indices(rows["products"]), pc.list_flatten(rows["products"]).combine_chunks()
        days = rows["sold_on"].take(parent).to_numpy().astype("datetime64[D]")
        if not len(days):
            raise ValueError(f"{baskets} holds no sale; deliver more days")
        self.product_ids, product = np.unique(lines.field("product_id").to_pylist(), return_inverse=True)
        calendar = np.arange(days.min(), np.datetime64(business_date))
        self._units = np.zeros((len(calendar), len(self.product_ids)))
        kept = days < np.datetime64(business_date)
        np.add.at(
            self._units,
            ((days - calendar[0]).astype(int)[kept], product[kept]),
            lines.field("quantity").to_numpy()[kept],
        )
        self._weekday = (calendar.astype(np.int64) + 3) % WEEKDAYS
        self._n_train = int((calendar < np.datetime64(business_date - timedelta(days=holdout_days))).sum())
        self._seed = seed

    @property
    def n_held_out(self) -> int:
        """Products times held-out days."""
        return (len(self._weekday) - self._n_train) * len(self.product_ids)

    def means(self) -> np.ndarray:
        """Mean units by weekday and product before the held-out days; float64 [7, V]."""
        weekday, units = self._weekday[: self._n_train], self._units[: self._n_train]
        return np.stack([units[weekday == each].mean(axis=0) for each in range(WEEKDAYS)])

    def error(self, expected: np.ndarray, limit: int) -> float:
        """Mean absolute error of expected units, [7, V], on the held-out days."""
        errors = np.abs(self._units - expected[self._weekday])[self._n_train :]
        return float(errors.ravel()[:limit].mean())

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of the training examples; the last one is filled up from the beginning."""
        return -(-self._n_train * len(self.product_ids) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Examples in another order every epoch."""
        n = self._n_train * len(self.product_ids)
        epoch, within = divmod(step, self.steps_per_epoch(batch_size))
        order = np.random.default_rng([self._seed, epoch]).permutation(n)
        return self._rows(order[np.arange(within * batch_size, (within + 1) * batch_size) % n][worker::workers])

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """None: the loss in training decides."""
        yield from ()

    def _rows(self, rows: np.ndarray) -> Batch:
        day, product = np.divmod(rows, len(self.product_ids))
        units = self._units[day, product].astype(np.float32)
        return {"product": product.astype(np.int32), "weekday": self._weekday[day].astype(np.int32), "units": units}
