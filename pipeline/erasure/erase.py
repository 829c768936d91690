"""Everything of one customer, taken out of Larder: models marked, alerts, incidents, every version of every table.

Why in this order: the customer's first purchase says which models were trained on it, so models are marked while it is
still there and `transactions` go last. Every step can be repeated, so what was interrupted is simply called again.

What is not touched: the delivered files, which are the retailer's; a file that is delivered again brings its
customers back. Sums over many (demand, a store's own sequence) are no customer's, and every night makes them anew.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.alerts.erase import erase_customer
from pipeline.erasure.records import blank_records
from pipeline.lake.lake import Lake
from pipeline.lake.rewrite import Change, rewrite
from pipeline.nightly.running import locked
from pipeline.settings import Settings
from pipeline.sources.cleaning import clean_id
from pipeline.sources.layout import Layout
from pipeline.sources.pseudonyms import pseudonym
from pipeline.sources.source import Source
from pipeline.tables.catalog import TABLES
from pipeline.tables.contract import Table
from pipeline.tables.rejected_transactions import REJECTED_TRANSACTIONS
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.tracking.registry import mark_for_retraining
from pipeline.workspace import Workspace

WHY_RETRAIN = "a customer it may have learned from was erased"


@dataclass(frozen=True)
class Erasure:
    """What was removed: rows per table of the lake and its versions, rows per alert table, and the marked models.

    Args: records: files of what runs said in which the customer was named.
    """

    lake: dict[str, dict[str, int]]
    alerts: dict[str, int]
    models: list[str]
    records: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing of the customer."""
        return not (any(self.lake.values()) or any(self.alerts.values()) or self.models or self.records)


def erase(settings: Settings, source: Source, customer: str, key: bytes | None) -> Erasure:
    """Remove the customer.

    Every spelling of the id that is kept as the same one goes: with blanks around it, as 17850.0, in letters composed
    otherwise.

    Args:   customer: the id as delivered; of a source that pseudonymises, with its key at hand, or else the pseudonym;
            key: the key of the source's pseudonyms, or None.
    Raises: NightFailed: a night of the source is running, and would write the customer again.
            LakeError, AlertStoreError: as they say; call again when it is mended.
    """
    workspace = Workspace.of(settings, source.name)
    lake = workspace.lake
    with locked(workspace.runs):
        ids = spellings(lake, customer, source.decimal)
        ids += [pseudonym(key, each) for each in ids] if key is not None else []
        first = first_sold_on(lake, ids)
        models = mark_for_retraining(settings, source.name, first, WHY_RETRAIN) if first else []
        alerts = erase_customer(settings, source.name, ids)
        removed = {REJECTED_TRANSACTIONS.name: _blank_refused_lines(lake, ids)}
        for table in [*(other for other in TABLES.values() if other is not TRANSACTIONS), TRANSACTIONS]:
            mine = of_customer(table, ids)
            if mine is not None:
                removed[table.name] = rewrite(lake, table.name, mine, without(mine))
        records = blank_records(workspace, ids)
    return Erasure({table: versions for table, versions in removed.items() if versions}, alerts, models, records)


def spellings(lake: Lake, customer: str, decimal: str = ".") -> list[str]:
    """The id as it was written, as it is kept now, and as earlier versions of `transactions` may have kept it."""
    wanted = clean_id(customer, decimal)
    found = {customer, wanted}
    for folder in lake.folders(TRANSACTIONS.name):
        files = sorted((folder / "data").rglob("*.parquet"))
        kept = ds.dataset(files, format="parquet").to_table(["customer_id"]) if files else None
        known = pc.unique(kept["customer_id"]).to_pylist() if kept is not None else []
        found.update(each for each in known if each is not None and clean_id(each, decimal) == wanted)
    return sorted(found)


def of_customer(table: Table, ids: list[str]) -> ds.Expression | None:
    """Which rows of a table are those of a customer; None for a table that has none."""
    if "customer_id" in table.column_names:
        return ds.field("customer_id").isin(ids)
    if {"funnel_kind", "funnel_id"} <= set(table.column_names):
        return (ds.field("funnel_kind") == "customer") & ds.field("funnel_id").isin(ids)
    return None


def without(mine: ds.Expression) -> Change:
    """The rows but these."""
    return lambda rows: rows.filter(~mine)


def first_sold_on(lake: Lake, ids: list[str]) -> date | None:
    """The day of the customer's first line in any version of `transactions`."""
    mine = of_customer(TRANSACTIONS, ids)
    days = [
        date.fromisoformat(file.parent.name.partition("=")[2])
        for folder in lake.folders(TRANSACTIONS.name)
        for file in sorted((folder / "data").glob("sold_on=*/*.parquet"))
        if ds.dataset(file, format="parquet").count_rows(filter=mine)
    ]
    return min(days, default=None)


def delivered_files_with(source: Source, workspace: Workspace, customer: str) -> list[Path]:
    """The delivered files of sales and sessions in which the customer's id stands."""
    from pipeline.sources.opened import Delivered
    from pipeline.sources.reader import read_file

    read: list[tuple[Path, Layout, str]] = [
        (path, source, source.sales_columns["customer"]) for path in source.delivered_files(workspace)
    ]
    if (sessions := source.sessions) is not None:
        read += [(path, sessions, sessions.columns.customer) for path in source.matching(sessions.files, workspace)]
    found = []
    for path, layout, column in read:
        for records in read_file(Delivered(path, path.name), layout, {"customer": column}):
            if pc.any(pc.equal(records.column("customer"), clean_id(customer, layout.decimal))).as_py():
                found.append(path)
                break
    return found


def _blank_refused_lines(lake: Lake, ids: list[str]) -> dict[str, int]:
    """A refused line stays counted; what stood in it goes where the customer is named there."""
    # The id as a word of its own: 17 does not name C-17, nor 170.
    pattern = "|".join(rf"(?:^|[^0-9A-Za-z_-]){re.escape(each)}(?:$|[^0-9A-Za-z_-])" for each in ids)
    concerned = pc.match_substring_regex(ds.field("value"), pattern)

    def blank(rows: pa.Table) -> pa.Table:
        is_named = pc.fill_null(pc.match_substring_regex(rows["value"], pattern), False)
        values = pc.if_else(is_named, pa.scalar(None, pa.string()), rows["value"])
        return rows.set_column(rows.schema.get_field_index("value"), rows.schema.field("value"), values)

    return rewrite(lake, REJECTED_TRANSACTIONS.name, concerned, blank)
