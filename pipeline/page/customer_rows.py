"""The customers' table as SQL: one night's values from the lake, loaded once into a database in memory.

The grid's filters and order, and the exported files, then go the way of every other table. A copy is kept until the
files behind it change, so that a customer who is erased is gone with the next request.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Connection, Date, Engine, Float, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from pipeline.customer_story import RETURN_FORECASTS
from pipeline.lake.lake import Lake
from pipeline.page.columns import CUSTOMERS
from pipeline.page.returns import units_by_customer
from pipeline.page.rows import View
from pipeline.tables.customer_values import CUSTOMER_VALUES
from pipeline.tables.next_offers import NEXT_OFFERS
from pipeline.tables.predictions import PREDICTIONS

_KEPT = 2  # copies: as many sources are looked at side by side
_KINDS = {"date": Date, "text": String, "choice": String}
_OF_VALUES = {
    "customer": "customer_id",
    "segment": "segment",
    "trend": "trend",
    "last_visit": "last_sold_on",
    "next_visit": "next_sold_on",
    "baskets": "frequency",
    "spend": "spend_cents",
    "spend_90": "spend_90_cents",
    "spend_90_low": "spend_90_low_cents",
    "spend_90_high": "spend_90_high_cents",
    "value": "lifetime_value_cents",
    "recency": "recency_score",
    "frequency": "frequency_score",
    "monetary": "monetary_score",
}
_TABLE = Table(
    "customers",
    MetaData(),
    *(
        SqlColumn(column.key, _KINDS.get(column.kind, Float), primary_key=column.key == "customer")
        for column in CUSTOMERS
    ),
)
_copies: "OrderedDict[tuple[Any, ...], Engine]" = OrderedDict()
_lock = threading.Lock()


def customers_view() -> View:
    """The customers, the most valuable first."""
    fields = {column.key: _TABLE.c[column.key] for column in CUSTOMERS}
    key = _TABLE.c["customer"]
    return View(CUSTOMERS, fields, select(_TABLE), key, ("value", "desc"), hidden={"id": key})


@contextmanager
def reading_customers(lake: Lake, run_id: str | None) -> Iterator[Connection]:
    """A connection to the values of a run, else the current ones. Raises: LakeError: there are none."""
    folders = _folders(lake, run_id)
    files = tuple(
        (str(file), file.stat().st_mtime_ns, file.stat().st_size)
        for folder in folders.values()
        for file in sorted(folder.rglob("*.parquet"))
    )
    with _lock:
        if files in _copies:
            _copies.move_to_end(files)
        else:
            _copies[files] = _loaded(folders)
            while len(_copies) > _KEPT:
                _copies.popitem(last=False)[1].dispose()
        with _copies[files].connect() as connection:
            yield connection


def _folders(lake: Lake, run_id: str | None) -> dict[str, Path]:
    """Where each table lies; tables of capabilities that are switched off are missing."""
    found = {CUSTOMER_VALUES.name: lake.path(CUSTOMER_VALUES.name, lake.resolve(CUSTOMER_VALUES.name, run_id))}
    for name in (NEXT_OFFERS.name, PREDICTIONS.name, RETURN_FORECASTS):
        if lake.current(name) is not None:
            found[name] = lake.path(name, lake.resolve(name, run_id))
    return found


def _loaded(folders: dict[str, Path]) -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    _TABLE.metadata.create_all(engine)
    rows = _rows(folders)
    if rows:
        with engine.begin() as connection:
            connection.execute(insert(_TABLE), rows)
    return engine


def _rows(folders: dict[str, Path]) -> list[dict[str, Any]]:
    """One row per customer, beside its best offer, its predicted basket and what is expected back."""
    names = [*_OF_VALUES.values(), "still_customer"]
    values = ds.dataset(folders[CUSTOMER_VALUES.name], format="parquet").to_table(columns=names)
    found = values.rename_columns([*_OF_VALUES, "still_customer"])
    lost = pc.subtract(1.0, found["still_customer"])
    rows: list[dict[str, Any]] = found.drop_columns(["still_customer"]).append_column("lost", lost).to_pylist()
    offers = _by_customer(folders, NEXT_OFFERS.name, ("offer", "expected_on"), ds.field("offer_rank") == 1)
    is_customer = ds.field("funnel_kind") == "customer"
    visits = _by_customer(folders, PREDICTIONS.name, ("next_sold_on",), is_customer, key="funnel_id")
    returns = units_by_customer(folders[RETURN_FORECASTS]) if RETURN_FORECASTS in folders else {}
    for row in rows:
        offer = offers.get(row["customer"], {})
        visit = visits.get(row["customer"], {}).get("next_sold_on")
        row |= {"offer": offer.get("offer"), "offer_on": offer.get("expected_on")}
        # Of who was here of late the nightly model knows the day better than a rate does.
        row |= {"next_visit": visit or row["next_visit"], "returns": returns.get(row["customer"])}
    return rows


def _by_customer(
    folders: dict[str, Path], table: str, columns: tuple[str, ...], chosen: ds.Expression, key: str = "customer_id"
) -> dict[str, dict[str, Any]]:
    if table not in folders:
        return {}
    rows = ds.dataset(folders[table], format="parquet").to_table(columns=[key, *columns], filter=chosen)
    return {row.pop(key): row for row in rows.to_pylist()}
