"""Order lines of customers with what came back of them, as flat arrays, and what is known of their products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from models.ragged import offsets_of, positions_within
from models.returns.words import words_of
from pipeline.dataset.action_examples import attribute_hashes
from pipeline.tables.order_lines import ORDER_LINES
from pipeline.task import Tables


@dataclass(frozen=True)
class OrderLines:
    """Lines of N customers: customer after customer, each one's orders by time, lines by product.

    Shapes: O orders, L lines, P products, R returns.
    customers: str [N]; products: str [P], ascending; order_offsets: int64 [N + 1], orders of each customer;
    keys, stores: str [O]; times: int64 [O], seconds since 1970-01-01; days: int64 [O], the shop's, since 1970-01-01;
    hours: float64 [O], of the shop's day; attributes: list of strings for each of O; line_offsets: int64 [O + 1];
    items: int64 [L], rows of `products`; units, cents: float64 [L]; return_lines: int64 [R], rows of L; return_times,
    return_days: int64 [R]; return_units: float64 [R].
    """

    customers: np.ndarray
    products: np.ndarray
    order_offsets: np.ndarray
    keys: np.ndarray
    stores: np.ndarray
    times: np.ndarray
    days: np.ndarray
    hours: np.ndarray
    attributes: pa.Array
    line_offsets: np.ndarray
    items: np.ndarray
    units: np.ndarray
    cents: np.ndarray
    return_lines: np.ndarray
    return_times: np.ndarray
    return_days: np.ndarray
    return_units: np.ndarray

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def orders(self) -> np.ndarray:
        """Order of each line; int64 [L]."""
        return np.repeat(np.arange(len(self.times)), np.diff(self.line_offsets))

    @cached_property
    def order_customers(self) -> np.ndarray:
        """Customer of each order; int64 [O]."""
        return np.repeat(np.arange(len(self.customers)), np.diff(self.order_offsets))

    @cached_property
    def order_positions(self) -> np.ndarray:
        """Orders of the same customer before each order; int64 [O]."""
        return positions_within(np.diff(self.order_offsets))

    @cached_property
    def first_returns(self) -> tuple[np.ndarray, np.ndarray]:
        """Time and day of the first return of each line; int64 [L] both, -1 where nothing came back."""
        return tuple(  # type: ignore[return-value]
            _first(values, self.return_lines, len(self)) for values in (self.return_times, self.return_days)
        )

    def order_attributes(self) -> list[list[str]]:
        """Store and attributes of each order, name=value."""
        given = self.attributes.to_pylist()
        return [[f"store={store}", *(each or [])] for store, each in zip(self.stores, given, strict=True)]

    @cached_property
    def attribute_hashes(self) -> np.ndarray:
        """The same as numbers above 0; int32 [O, most of one order], 0 padded."""
        return attribute_hashes(self.order_attributes())


def order_lines_of(table: pa.Table, before: date | None = None) -> OrderLines:
    """From rows of `order_lines`, in any order.

    Args: before: orders of this day and later are left out, and so is what came back on or after it.
    """
    if before is not None:
        table = table.filter(pc.field("sold_on") < pa.scalar(before, pa.date32()))
    table = table.sort_by(
        [(name, "ascending") for name in ("customer_id", "started_at_utc", "basket_key", "product_id")]
    )
    customers, customer = np.unique(_text(table, "customer_id"), return_inverse=True)
    products, items = np.unique(_text(table, "product_id"), return_inverse=True)
    keys = _text(table, "basket_key")
    begins = np.ones(len(keys), bool)
    begins[1:] = (keys[1:] != keys[:-1]) | (customer[1:] != customer[:-1])
    first = np.flatnonzero(begins)
    returned = table["returned"].combine_chunks()
    back = pc.list_flatten(returned)
    columns = {
        "return_lines": pc.list_parent_indices(returned).to_numpy(zero_copy_only=False).astype(np.int64),
        "return_times": _seconds(pc.struct_field(back, "returned_at_utc")),
        "return_days": _days(pc.struct_field(back, "returned_on")),
        "return_units": pc.struct_field(back, "quantity").to_numpy(zero_copy_only=False).astype(float),
    }
    if before is not None:
        seen = columns["return_days"] < (before - date(1970, 1, 1)).days
        columns = {name: values[seen] for name, values in columns.items()}
    return OrderLines(
        customers=customers,
        products=products,
        order_offsets=offsets_of(np.bincount(customer[first], minlength=len(customers))),
        keys=keys[first],
        stores=_text(table, "store_id")[first],
        times=_seconds(table["started_at_utc"])[first],
        days=_days(table["sold_on"])[first],
        hours=table["local_hour"].to_numpy()[first].astype(float),
        attributes=table["attributes"].combine_chunks().take(pa.array(first)),
        line_offsets=np.append(first, len(keys)).astype(np.int64),
        items=items.astype(np.int64),
        units=table["quantity"].to_numpy().astype(float),
        cents=table["amount_cents"].to_numpy().astype(float),
        **columns,
    )


def read_order_lines(tables: Tables, business_date: date) -> OrderLines:
    """All lines before a business date, with what had come back before it."""
    return order_lines_of(ds.dataset(tables[ORDER_LINES.name], format="parquet").to_table(), business_date)


@dataclass(frozen=True)
class ItemWords:
    """Words of names, categories and brands of P products.

    offsets: int64 [P + 1]; rows: int64, of `words`; words: str [W].
    """

    offsets: np.ndarray
    rows: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, products: Sequence[str], described: Mapping[str, list[str]]) -> "ItemWords":
        """The words of some products; none for one that is not described."""
        lists = [described.get(product, []) for product in products]
        words, rows = np.unique(np.array([word for each in lists for word in each], str), return_inverse=True)
        return cls(offsets_of(np.array([len(each) for each in lists], np.int64)), rows.astype(np.int64), words)


def read_item_words(tables: Tables) -> dict[str, list[str]]:
    """Words of each product from the table `products`."""
    columns = ["product_id", "name", "category", "brand"]
    table = ds.dataset(tables["products"], format="parquet").to_table(columns)
    return {row["product_id"]: words_of(row["name"], row["category"], row["brand"]) for row in table.to_pylist()}


def _first(values: np.ndarray, lines: np.ndarray, n: int) -> np.ndarray:
    latest = np.iinfo(np.int64).max
    first = np.full(n, latest)
    np.minimum.at(first, lines, values)
    return np.where(first == latest, -1, first)


def _text(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_pandas().to_numpy(str)


def _seconds(values: pa.Array) -> np.ndarray:
    found: np.ndarray = values.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_numpy()
    return found


def _days(values: pa.Array) -> np.ndarray:
    found: np.ndarray = values.cast(pa.int32()).to_numpy().astype(np.int64)
    return found
