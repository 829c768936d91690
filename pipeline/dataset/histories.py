"""The sequences table as flat arrays with offsets, so that batches are cut without a Python loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.keys import keys_of
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, UNKNOWN_INDEX

COLUMNS = (
    "funnel_kind",
    "funnel_id",
    "sold_on",
    "gap_days",
    "day_of_week",
    "products",
    "quantities",
    "amounts_cents",
    "attributes",
)


@dataclass(frozen=True)
class Histories:
    """n funnels with m baskets and l lines in all.

    Baskets of funnel i are `basket_offsets[i]` to `basket_offsets[i + 1]`; lines of basket j likewise.
    """

    kinds: np.ndarray  # object [n]
    ids: np.ndarray  # object [n]
    basket_offsets: np.ndarray  # int64 [n + 1]
    sold_on: np.ndarray  # int32 [m], days since 1970-01-01
    gap_days: np.ndarray  # float32 [m], -1 for none
    day_of_week: np.ndarray  # float32 [m]
    product_offsets: np.ndarray  # int64 [m + 1]
    product_ids: np.ndarray  # int32 [l]
    quantities: np.ndarray  # float32 [l]
    amounts: np.ndarray  # float32 [l], currency units
    attributes: np.ndarray  # int32 [n, A], hashed; 0 where a funnel has fewer than others

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def known_lines(self) -> np.ndarray:
        """Lines of each basket whose product the vocabulary knows; int64 [m]."""
        before = np.concatenate([[0], np.cumsum(self.product_ids >= FIRST_PRODUCT_INDEX)])
        return before[self.product_offsets[1:]] - before[self.product_offsets[:-1]]

    def baskets_before(self, day: int) -> np.ndarray:
        """Baskets of each funnel sold before `day` (days since 1970-01-01), as the end of that prefix; int64 [n].

        Baskets are ordered by day, so these are the first ones.
        """
        before = np.concatenate([[0], np.cumsum(self.sold_on < day)])
        counts = before[self.basket_offsets[1:]] - before[self.basket_offsets[:-1]]
        return self.basket_offsets[:-1] + counts

    def renamed(self, product_rows: np.ndarray) -> "Histories":
        """The same histories in another vocabulary: `product_rows[old index]` is the new index."""
        return Histories(**{**self.__dict__, "product_ids": product_rows[self.product_ids]})


def read_parts(sequences: Path) -> Iterator[Histories]:
    """A version of the table, one row group after another."""
    for path in sorted(sequences.rglob("*.parquet")):
        for row_group in range(pq.ParquetFile(path).num_row_groups):
            yield read_part(path, row_group)


def read_part(path: Path, row_group: int) -> Histories:
    """One row group of one file."""
    return read_histories(pq.ParquetFile(path).read_row_group(row_group, columns=list(COLUMNS)))


def read_histories(table: Any) -> Histories:
    """Histories of an Arrow table or record batch with the columns of `sequences`."""
    column = {name: _combined(table[name]) for name in COLUMNS if name in table.schema.names}
    # Versions written before the table had attributes say none.
    attributes = column["attributes"].to_pylist() if "attributes" in column else [None] * table.num_rows
    sold_on, basket_offsets = _flat(column["sold_on"])
    lines, _ = _flat(column["products"])
    product_ids, product_offsets = _flat(lines)
    baskets = {name: _flat(column[name])[0] for name in ("gap_days", "day_of_week")}
    quantities = _flat(_flat(column["quantities"])[0])[0]
    amounts = _flat(_flat(column["amounts_cents"])[0])[0]
    return Histories(
        kinds=np.asarray(column["funnel_kind"].to_pylist(), dtype=object),
        ids=np.asarray(column["funnel_id"].to_pylist(), dtype=object),
        basket_offsets=basket_offsets,
        sold_on=_numbers(sold_on.cast(pa.int32()), np.int32),
        **{name: _numbers(values, np.float32) for name, values in baskets.items()},
        product_offsets=product_offsets,
        product_ids=np.maximum(_numbers(product_ids, np.int32), UNKNOWN_INDEX),
        quantities=_numbers(quantities, np.float32),
        amounts=_numbers(amounts, np.float32) / np.float32(100.0),
        attributes=hashed_attributes(attributes),
    )


def hashed_attributes(of_funnels: Sequence[Sequence[str] | None]) -> np.ndarray:
    """Attributes as positive numbers, the same in every run; int32 [n, A]."""
    known = np.unique([attribute for attributes in of_funnels for attribute in attributes or ()])
    number = dict(zip(known.tolist(), (keys_of(known) % (2**31 - 1) + 1).tolist(), strict=True))
    hashed = np.zeros((len(of_funnels), max((len(each or ()) for each in of_funnels), default=0)), np.int32)
    for row, attributes in enumerate(of_funnels):
        for position, attribute in enumerate(attributes or ()):
            hashed[row, position] = number[attribute]
    return hashed


def _combined(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _flat(lists: Any) -> tuple[Any, np.ndarray]:
    """Values of a list array, and offsets into them, whatever slice of a larger array it is."""
    offsets = lists.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    return lists.flatten(), offsets - offsets[0]


def _numbers(values: Any, kind: Any) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False).astype(kind, copy=False)
