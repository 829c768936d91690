"""Rows of `styles` from rows of customers with their purchases in, in Spark's executors."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.days import epoch_day
from pipeline.dataset.item_examples import scaled
from pipeline.dataset.item_vector_rows import list_array
from pipeline.dataset.purchases import Purchases
from pipeline.dataset.style_data import StyleData, order_times, read_vectors, store_on
from pipeline.dataset.style_ranking import StyleRanking
from pipeline.dataset.style_signals import ITEM_SIGNALS, ItemSignals, PairSignals
from pipeline.dataset.style_steps import Histories
from pipeline.task import PredictionInput

PROFILE, NO_MODEL, OTHER_VECTORS = "profile", "no_model", "other_vectors"
_PROFILE_DAYS = 90.0
_SOLD_7, _NEVER_SOLD = ITEM_SIGNALS.index("sold_7"), ITEM_SIGNALS.index("never_sold")
_OWN = pa.list_(pa.struct([("product_id", pa.string()), ("score", pa.float32())]))
_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("factors", pa.list_(pa.float32())),
        ("own", _OWN),
        ("is_cold", pa.bool_()),
        ("orders", pa.int32()),
        ("last_sold_on", pa.date32()),
        ("fallback", pa.string()),
        ("model_version", pa.string()),
        ("vectors_version", pa.string()),
        ("business_date", pa.date32()),
    ]
)


@dataclass(frozen=True)
class ServedStyles:
    """What ranks tonight: the champion, or, before the first one of these article vectors, likeness and sales.

    Args: model: a Keras file, None for a profile of what was bought; names: object [V], of all articles; vectors:
          float32 [V, D]; signals: float32 [V, S] as of the business date; store: int [S], articles in store.
    """

    business_date: date
    version: str
    fallback: str | None
    vectors_version: str
    names: np.ndarray
    vectors: np.ndarray
    signals: np.ndarray
    store: np.ndarray
    model: bytes | None = None

    @property
    def is_new(self) -> np.ndarray:
        """Whether nobody bought an article before; bool [V]."""
        found: np.ndarray = self.signals[:, _NEVER_SOLD] > 0
        return found

    def article_factors(self) -> np.ndarray:
        """What a customer's factors are multiplied by, of the articles in store; float32 [S, F]."""
        vectors, signals = self.vectors[self.store], self.signals[self.store]
        model = self._model()
        if model is None:
            sold = signals[:, _SOLD_7 : _SOLD_7 + 1]
            return np.concatenate([_unit(vectors), sold / max(float(sold.max(initial=0.0)), 1e-6)], axis=1)
        if not model.config.signals:
            return np.concatenate([vectors, np.zeros((len(vectors), 1), np.float32)], axis=1)
        return np.concatenate([vectors, np.asarray(model.signal_vectors(signals))], axis=1)

    def of_customers(
        self, purchases: Purchases, views: Purchases | None = None
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Factors of customers, float32 [N, F], and what own purchases and views add: rows, positions in store, scores.

        Args: views: in the form of purchases; those of the business date and later are not read.
        """
        customers, day = np.arange(purchases.n_customers), float(epoch_day(self.business_date))
        model, nothing = self._model(), np.zeros(0, np.int64)
        if model is None:
            return self._profiles(purchases, day), (nothing, nothing, np.zeros(0, np.float32))
        histories = Histories(purchases, self.vectors, model.config, seasons=model.seasons)
        ranking = StyleRanking(model, histories, views=views)
        style, taste = ranking.styles(customers, day)
        own = (nothing, nothing, np.zeros(0, np.float32))
        if model.config.signals:
            own = ranking.own(customers, self.store, self.signals[self.store], day)
        return np.concatenate([style, taste], axis=1).astype(np.float32), own

    def _profiles(self, purchases: Purchases, day: float) -> np.ndarray:
        weight = np.exp(-(day - purchases.times) / _PROFILE_DAYS).astype(np.float32)
        sums = np.zeros((purchases.n_customers, self.vectors.shape[1]), np.float32)
        np.add.at(sums, purchases.customers, weight[:, None] * self.vectors[purchases.items])
        return np.concatenate([_unit(sums), np.ones((len(sums), 1), np.float32)], axis=1)

    def _model(self) -> Any:
        return None if self.model is None else _model_of(self.version, self.model)


@dataclass(frozen=True)
class StylePredictor:
    """Styles of some customers."""

    served: ServedStyles

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """One row of the table for each row of `customer_id`, `lines` and, where there are any, `views`.

        Both are structs of day, second and product.
        """
        served = self.served
        purchases = purchases_of(rows, served.names)
        views = purchases_of(rows, served.names, "views") if "views" in rows.schema.names else None
        factors, (row, column, score) = served.of_customers(purchases, views)
        n = rows.num_rows
        orders = np.zeros(n, np.int32)
        if len(purchases):
            first = np.diff(purchases.orders, prepend=-1) != 0
            orders = np.bincount(purchases.customers[first], minlength=n).astype(np.int32)
        last = np.full(n, -1.0)
        np.maximum.at(last, purchases.customers, purchases.times)
        order = np.argsort(row, kind="stable")
        own = pa.StructArray.from_arrays(
            [
                pa.array(served.names[served.store[column[order]]].tolist(), pa.string()),
                pa.array(score[order].astype(np.float32)),
            ],
            fields=list(_OWN.value_type),
        )
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int32)
        yield pa.RecordBatch.from_arrays(
            [
                rows["customer_id"].cast(pa.string()),
                list_array(factors),
                pa.ListArray.from_arrays(pa.array(offsets), own),
                pa.array(orders == 0),
                pa.array(orders),
                pa.array(np.floor(last).astype(np.int32), mask=orders == 0).cast(pa.date32()),
                pa.array([served.fallback] * n, pa.string()),
                pa.array([served.version] * n, pa.string()),
                pa.array([served.vectors_version] * n, pa.string()),
                pa.array([served.business_date] * n, pa.date32()),
            ],
            schema=_SCHEMA,
        )


def style_predictor(given: PredictionInput) -> StylePredictor:
    """The champion where tonight's article vectors are those that it was trained with, else profiles."""
    return StylePredictor(served_styles(given))


def served_styles(given: PredictionInput) -> ServedStyles:
    """What ranks tonight."""
    data = StyleData.open(given.tables, given.business_date, images=False)
    vectors, vectors_version = read_vectors(given.tables, data.described.names)
    of_items = ItemSignals(data.purchases)
    numbers = scaled(data.described.numbers, np.flatnonzero(data.purchases.sold()))
    every = np.arange(len(data.described.names))
    signals = PairSignals(of_items, numbers).at(epoch_day(given.business_date), every)
    version, model = PROFILE, None
    fallback: str | None = NO_MODEL
    if given.model is not None:
        champion = _model_of(given.model.version, given.model.model_path.read_bytes())
        suits = champion.vectors == vectors_version and champion.n_signals == signals.shape[1]
        fallback = None if suits else OTHER_VECTORS
        if suits:
            version, model = given.model.version, given.model.model_path.read_bytes()
    return ServedStyles(
        business_date=given.business_date,
        version=version,
        fallback=fallback,
        vectors_version=vectors_version,
        names=data.described.names,
        vectors=vectors,
        signals=signals,
        store=store_on(data.dated, data.purchases, given.business_date),
        model=model,
    )


def purchases_of(rows: pa.RecordBatch, names: np.ndarray, column: str = "lines") -> Purchases:
    """Purchases of known articles, or views in their form; customers are numbered as the rows are."""
    lines = rows[column]
    customer, line = pc.list_parent_indices(lines), pc.list_flatten(lines)
    items = pc.index_in(pc.struct_field(line, "product_id"), value_set=pa.array(names.tolist(), pa.string()))
    known = items.is_valid().to_numpy(zero_copy_only=False)
    day, second = (
        pc.struct_field(line, name).to_numpy(zero_copy_only=False).astype(np.int64)[known] for name in ("day", "second")
    )
    return Purchases.sort(
        customer.to_numpy(zero_copy_only=False)[known],
        items.drop_null().to_numpy(zero_copy_only=False),
        order_times(day, second),
        rows.num_rows,
        len(names),
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    found: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found.astype(np.float32)


_loaded: dict[str, Any] = {}


def _model_of(version: str, model: bytes) -> Any:
    """The model; it is loaded once per process."""
    if version not in _loaded:
        from models.saved_files import load_style_model

        _loaded.clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(model)
            _loaded[version] = load_style_model(file)
    return _loaded[version]
