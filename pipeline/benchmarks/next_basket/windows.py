"""Windows in time, as nights meet them: a method learns from what was known one morning and ranks what came next.

The last `N_WINDOWS` times `WINDOW_DAYS` days of a source. In each, customers who had enough baskets for a sequence on
its first morning and came in it are tested, by their first basket of it. Unlike in a division of customers, no basket
of that morning or later is read, of whomever.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.basket_sequences import BasketSequences
from models.days import day_of, epoch_day
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.data.folds import Fold
from pipeline.dataset.candidates import sequences_between, sequences_of
from pipeline.dataset.examples import NextBasketExamples
from pipeline.dataset.histories import COLUMNS, Histories, read_parts
from pipeline.dataset.vocabulary import product_names
from pipeline.settings import Settings, TrainingSettings
from pipeline.sources.source import load_source
from pipeline.tables.sequences import FUNNEL_KINDS, SEQUENCES
from pipeline.tables.vocabulary import VOCABULARY
from pipeline.workspace import Workspace

WINDOWS = "windows"
"""The protocol's name: with a source it names the data set of a trial."""
N_WINDOWS, WINDOW_DAYS = 5, 14
_OF_BASKETS = ("sold_on", "gap_days", "day_of_week", "products", "quantities", "amounts_cents")


@dataclass(frozen=True)
class Tested:
    """Customers of some row group who are tested: rows of `histories`, and where their first basket of the window is.

    Args: funnels, ends: int64 [n]; `ends` are positions among all baskets.
    """

    histories: Histories
    funnels: np.ndarray
    ends: np.ndarray


@dataclass(frozen=True)
class Morning:
    """What a method may read on the first morning of a window, and who is to be ranked for.

    Args: sequences: the table as a night of that morning would have it; vocabulary: names of all products, also of
          later ones; tested: histories hold later baskets, too: only those before `ends` may be read.
    """

    day: date
    sequences: Path
    vocabulary: Path
    tested: list[Tested]

    def examples(self, settings: TrainingSettings) -> NextBasketExamples:
        """Training examples of a night whose held-out days begin on this morning."""
        business_date = self.day + timedelta(days=settings.holdout_days)
        return NextBasketExamples.open(self.sequences, self.vocabulary, business_date, settings)

    def parts(self) -> Iterator[Histories]:
        """Everyone's baskets before this morning."""
        return read_parts(self.sequences)


class SourceWindows:
    """The windows of a source.

    Args: sequences, vocabulary: versions of these tables; min_baskets: that a customer needs for a sequence.
    """

    ndcg_over_whole_basket = False

    def __init__(self, name: str, sequences: Path, vocabulary: Path, min_baskets: int) -> None:
        self.name, self._sequences, self._min_baskets = name, sequences, min_baskets
        names = product_names(vocabulary)
        # In order of names: the vocabulary's, by frequency, breaks ties and would tell about later baskets.
        order = np.argsort(names[FIRST_PRODUCT:].astype(str), kind="stable") + FIRST_PRODUCT
        self.product_names = np.concatenate([names[:FIRST_PRODUCT], names[order]])
        self._rows = np.arange(len(names))
        self._rows[order] = np.arange(FIRST_PRODUCT, len(names))
        self._parts = [part.renamed(self._rows.astype(np.int32)) for part in read_parts(sequences)]
        self._end = max(int(part.sold_on.max()) for part in self._parts if len(part.sold_on)) + 1
        ids = [part.ids[part.kinds == FUNNEL_KINDS[0]] for part in self._parts]
        self.customer_names = np.unique(np.concatenate(ids).astype(str)).astype(object)

    def first_day(self, window: int) -> date:
        """First day of a window, 0 the oldest.

        Raises: ValueError: for a number that is none.
        """
        if not 0 <= window < N_WINDOWS:
            raise ValueError(f"there is no window {window}: they are 0 to {N_WINDOWS - 1}, the last one the latest")
        return day_of(self._end - (N_WINDOWS - window) * WINDOW_DAYS)

    @contextmanager
    def morning(self, window: int) -> Iterator[Morning]:
        """What may be read on the first day of a window, in a folder that is removed afterwards.

        Raises: ValueError: where no customer can be tested.
        """
        day = self.first_day(window)
        tested = [found for part in self._parts if len((found := self._tested(part, epoch_day(day))).funnels)]
        if not tested:
            raise ValueError(f"no customer of {self.name} has {self._min_baskets} baskets before {day} and one after")
        with tempfile.TemporaryDirectory() as folder:
            sequences, vocabulary = Path(folder) / "sequences", Path(folder) / "vocabulary"
            self._write_vocabulary(vocabulary)
            for number, path in enumerate(sorted(self._sequences.rglob("*.parquet"))):
                write_as_of(path, day, self._min_baskets, self._rows, sequences / f"part-{number:05d}.parquet")
            yield Morning(day, sequences, vocabulary, tested)

    def fold(self, morning: Morning) -> Fold:
        """The tested customers' baskets before the window and their first one in it, beside everyone's before it."""
        n_products = len(self.product_names)
        known = [sequences_of(part, *_customers(part), n_products) for part in morning.parts()]
        histories = BasketSequences.joined(
            [sequences_of(each.histories, each.funnels, each.ends, n_products) for each in morning.tested]
        )
        truth = BasketSequences.joined(
            [
                sequences_between(each.histories, each.funnels, each.ends, each.ends + 1, n_products)
                for each in morning.tested
            ]
        )
        ids = np.concatenate([each.histories.ids[each.funnels] for each in morning.tested]).astype(str)
        numbers = np.searchsorted(self.customer_names.astype(str), ids)
        histories, truth = (BasketSequences(**{**each.__dict__, "customers": numbers}) for each in (histories, truth))
        return Fold(BasketSequences.joined(known), BasketSequences.of_nobody(n_products), histories, truth)

    def _write_vocabulary(self, out: Path) -> None:
        """The names of all products, in their order here."""
        out.mkdir()
        indices = np.arange(FIRST_PRODUCT, len(self.product_names))
        columns = {"product_index": indices, "product_id": self.product_names[indices].astype(str)}
        pq.write_table(pa.table(columns), out / "part-00000.parquet")

    def _tested(self, part: Histories, day: int) -> Tested:
        ends = part.baskets_before(day)
        enough = (ends - part.basket_offsets[:-1] >= self._min_baskets) & (part.kinds == FUNNEL_KINDS[0])
        came = ends < np.minimum(part.baskets_before(day + WINDOW_DAYS), part.basket_offsets[1:])
        funnels = np.flatnonzero(enough & came)
        funnels = funnels[part.known_lines[ends[funnels]] > 0]
        return Tested(part, funnels, ends[funnels])


def open_windows(source: str) -> SourceWindows:
    """The windows of a source by name or description.

    Raises: SourceError: for an unknown source; LakeError: where its sequences were not built.
    """
    settings = Settings()
    name = load_source(source).name
    lake = Workspace.of(settings, name).lake
    sequences, vocabulary = (lake.path(table.name, lake.resolve(table.name)) for table in (SEQUENCES, VOCABULARY))
    return SourceWindows(name, sequences, vocabulary, settings.sequences.min_baskets)


def write_as_of(path: Path, day: date, min_baskets: int, product_rows: np.ndarray, out: Path) -> None:
    """Write a file of sequences with the baskets before `day` alone, without funnels that have too few of them.

    Args: product_rows: the index of each product, by its index in the file.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    file = pq.ParquetFile(path)
    kept = [name for name in COLUMNS if name in file.schema_arrow.names]
    schema = pa.schema([file.schema_arrow.field(name) for name in kept])
    with pq.ParquetWriter(out, schema) as writer:
        for row_group in range(file.num_row_groups):
            rows = file.read_row_group(row_group, columns=kept).to_pylist()
            known = [(row, sum(sold_on < day for sold_on in row["sold_on"])) for row in rows]
            enough = [_until(row, n, product_rows) for row, n in known if n >= min_baskets]
            writer.write_table(pa.Table.from_pylist(enough, schema=schema))


def _until(row: dict[str, Any], n: int, product_rows: np.ndarray) -> dict[str, Any]:
    """The first `n` baskets of a row, their products by other indices."""
    cut = {name: of[:n] if name in _OF_BASKETS else of for name, of in row.items()}
    return cut | {"products": [product_rows[np.asarray(of, np.int64)].tolist() for of in cut["products"]]}


def _customers(part: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the customers, and the ends of their baskets."""
    funnels = np.flatnonzero(part.kinds == FUNNEL_KINDS[0])
    return funnels, part.basket_offsets[funnels + 1]
