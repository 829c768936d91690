"""Order lines of UCI "Online Retail" (CC BY 4.0), or of any file in its columns, with what came back of each.

A line is one stock code of one invoice of one customer; stock codes that do not begin with five digits are postage,
charges and the like. Invoices that begin with C are cancellations.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from models.ragged import offsets_of
from models.returns.matching import match_newest_first
from models.returns.words import words_of

_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
_PRODUCT = r"\d{5}"


def read_invoices(file: Path) -> pd.DataFrame:
    """All lines of products, cancellations included, with a time, a whole quantity and a customer.

    Raises: FileNotFoundError: there is no such file; ValueError: names the column that is missing.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; give the path of a CSV file in the columns of UCI Online Retail")
    head = pd.read_csv(file, nrows=0).columns
    if missing := [name for name in _COLUMNS if name not in head]:
        raise ValueError(f"{file} has no column {missing[0]!r}; it needs {', '.join(_COLUMNS)}")
    text = dict.fromkeys(("InvoiceNo", "StockCode", "CustomerID"), str)
    lines = pd.read_csv(
        file, dtype=text, parse_dates=["InvoiceDate"], keep_default_na=False, na_values={"CustomerID": ""}
    )
    lines = lines.dropna(subset=["CustomerID"])
    return lines[lines["StockCode"].str.match(_PRODUCT)].reset_index(drop=True)


def order_line_table(lines: pd.DataFrame) -> pa.Table:
    """Rows of `order_lines` from `read_invoices`; cancellations take back the newest purchases that are left."""
    is_back = lines["InvoiceNo"].str.startswith("C")
    sold = lines[~is_back & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    sold = sold.assign(cents=(100.0 * sold["Quantity"] * sold["UnitPrice"]).round().astype(np.int64))
    keys = ["InvoiceNo", "StockCode", "CustomerID"]
    bought = sold.groupby(keys, sort=False).agg(
        time=("InvoiceDate", "min"), quantity=("Quantity", "sum"), cents=("cents", "sum"), country=("Country", "first")
    )
    bought = bought.reset_index()
    back = lines[is_back & (lines["Quantity"] < 0)]
    events = pd.concat([bought, back.rename(columns={"InvoiceDate": "time"})], ignore_index=True)
    pairs = pd.factorize(pd.MultiIndex.from_frame(events[["CustomerID", "StockCode"]]))[0]
    units, times = events["Quantity"].fillna(0).to_numpy(np.int64), events["time"].to_numpy("datetime64[s]")
    n = len(bought)
    matched = match_newest_first(
        pairs,
        times.astype(np.int64),
        np.append(bought["quantity"].to_numpy(np.int64), np.zeros(len(back), np.int64)),
        np.append(np.zeros(n, np.int64), -units[n:]),
    )
    order = np.lexsort((times[matched.returns], matched.purchases))
    when = times[matched.returns[order]]
    returned = pa.StructArray.from_arrays(
        [
            pa.array(when).cast(pa.timestamp("us", "UTC")),
            pa.array(when.astype("datetime64[D]")),
            pa.array(matched.units[order].astype(float)),
        ],
        ["returned_at_utc", "returned_on", "quantity"],
    )
    moments = times[:n]
    hours = (moments - moments.astype("datetime64[D]")).astype(np.int64) / 3600.0
    return pa.table(
        {
            "basket_key": bought["InvoiceNo"],
            "customer_id": bought["CustomerID"],
            "store_id": pa.array(["all"] * n),
            "product_id": bought["StockCode"],
            "started_at_utc": pa.array(moments).cast(pa.timestamp("us", "UTC")),
            "sold_on": pa.array(moments.astype("datetime64[D]")),
            "local_hour": hours,
            "quantity": bought["quantity"].astype(float),
            "amount_cents": bought["cents"],
            "attributes": pa.array([[f"country={name}"] for name in bought["country"]]),
            "returned": pa.ListArray.from_arrays(
                offsets_of(np.bincount(matched.purchases, minlength=n)).astype(np.int32), returned
            ),
        }
    )


def described_words(lines: pd.DataFrame) -> dict[str, list[str]]:
    """Words of each product's first description."""
    first = lines.drop_duplicates("StockCode")
    return {code: words_of(name) for code, name in zip(first["StockCode"], first["Description"], strict=True)}
