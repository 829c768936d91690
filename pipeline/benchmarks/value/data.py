"""Purchase days of the data sets on which customer value is measured, and the window of each.

A basket is a customer's day with a purchase. On both public data sets returns are left out, as in the figures of
others; the lake of a source has them subtracted.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.customer_value.purchase_days import PurchaseDays
from models.names import unknown_name
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, fetched_file, read_lines

TAFENG, ONLINE_RETAIL = "tafeng", "online_retail"
# Day of the data on which the horizon begins, and its days.
WINDOWS = {TAFENG: (92, 28), ONLINE_RETAIL: (282, 91)}
PARTS = ("validation", "test")
_RETAIL_COLUMNS = ["InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
_CANCELLED = "C"
_LAKE_DAYS = 30


@dataclass(frozen=True)
class ValueProblem:
    """History up to `cutoff` (since 1970-01-01), truth in the `horizon` days from there; customers: ids by row."""

    purchases: PurchaseDays
    customers: np.ndarray
    cutoff: int
    horizon: int


def open_problem(dataset: str, path: Path | None, part: str, horizon: int | None) -> ValueProblem:
    """The window of a data set; validation is the horizon before the test's.

    Args:   dataset: `tafeng` (PATH: its file, else as fetched), `online_retail` with its CSV as PATH, or a source whose
            lake has `customer_days`; horizon: of a source, the last days of its history.
    Raises: ValueError, FileNotFoundError, LakeError, SourceError: there is no such data set, part or file.
    """
    if part not in PARTS:
        raise ValueError(unknown_name("part", part, PARTS))
    if dataset in WINDOWS:
        if horizon is not None:
            raise ValueError(f"--horizon is for sources; that of {dataset} is {WINDOWS[dataset][1]} days")
        lines = _tafeng(path or fetched_file()) if dataset == TAFENG else _online_retail(path)
        customers, purchases = _purchases(lines)
        after, days = WINDOWS[dataset]
        cutoff = int(purchases.days.min()) + after
    else:
        customers, purchases, end = _lake(dataset)
        days = horizon or _LAKE_DAYS
        cutoff = end - days
    return ValueProblem(purchases, customers, cutoff - (days if part == "validation" else 0), days)


def _tafeng(file: Path) -> pd.DataFrame:
    """Customer, day and amount of each line."""
    wanted = {name: ours for name, ours in SALES_COLUMNS.items() if ours not in {"product", "category"}}
    lines = read_lines(file, wanted)
    return pd.DataFrame(
        {
            "customer": lines["customer"],
            "day": (lines["sold_on"] - pd.Timestamp(0)).dt.days,
            "amount": lines["amount"].astype(float),
        }
    )


def _online_retail(path: Path | None) -> pd.DataFrame:
    """The same of UCI Online Retail, cancelled invoices left out."""
    if path is None:
        raise ValueError(f"{ONLINE_RETAIL} wants PATH, the CSV of UCI Online Retail or of a part of its customers")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; {ONLINE_RETAIL} wants the CSV of UCI Online Retail as PATH")
    try:
        lines = pd.read_csv(path, usecols=_RETAIL_COLUMNS, dtype={"InvoiceNo": str, "CustomerID": str})
    except ValueError as error:
        raise ValueError(f"{path} is no CSV of UCI Online Retail: {error}") from None
    lines = lines[lines["CustomerID"].notna() & ~lines["InvoiceNo"].str.startswith(_CANCELLED)]
    return pd.DataFrame(
        {
            "customer": lines["CustomerID"],
            "day": (pd.to_datetime(lines["InvoiceDate"]) - pd.Timestamp(0)).dt.days,
            "amount": np.where(lines["Quantity"] > 0, lines["Quantity"] * lines["UnitPrice"], 0.0),
        }
    )


def _purchases(lines: pd.DataFrame) -> tuple[np.ndarray, PurchaseDays]:
    bought = lines[lines["amount"] > 0]
    customers, row = np.unique(bought["customer"].to_numpy(str), return_inverse=True)
    days = bought.assign(row=row).groupby(["row", "day"])["amount"].agg(["sum", "size"]).reset_index()
    return customers, PurchaseDays.ordered(
        days["row"].to_numpy(),
        days["day"].to_numpy(),
        baskets=np.ones(len(days)),
        spend=days["sum"].to_numpy(),
        lines=days["size"].to_numpy(),
        n_customers=len(customers),
    )


def _lake(source: str) -> tuple[np.ndarray, PurchaseDays, int]:
    """Purchase days of a source, and the day before which all of them lie."""
    from datetime import date

    from models.days import epoch_day
    from pipeline.dataset.customer_values import read_purchases
    from pipeline.settings import Settings
    from pipeline.sources.source import load_source
    from pipeline.tables.customer_days import CUSTOMER_DAYS
    from pipeline.workspace import Workspace

    lake = Workspace.of(Settings(), load_source(source).name).lake
    version = lake.resolve(CUSTOMER_DAYS.name)
    end: date = lake.manifest(CUSTOMER_DAYS.name, version).business_date
    customers, purchases = read_purchases({CUSTOMER_DAYS.name: lake.path(CUSTOMER_DAYS.name, version)}, end)
    return customers, purchases, epoch_day(end)
