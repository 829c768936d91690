"""The sales lines of Ta-Feng's fetched file, which the benchmarks read."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.settings import Settings
from pipeline.sources.tafeng import MEMBER
from pipeline.workspace import Workspace

SALES_COLUMNS = {
    "TRANSACTION_DT": "sold_on",
    "CUSTOMER_ID": "customer",
    "PRODUCT_ID": "product",
    "PRODUCT_SUBCLASS": "category",
    "AMOUNT": "quantity",
    "SALES_PRICE": "amount",
}
"""Names in the file, and ours."""


def fetched_file() -> Path:
    """Where `larder source fetch tafeng` puts the file."""
    return Workspace.of(Settings(), "tafeng").raw / Path(MEMBER).name


def read_text(file: Path, columns: dict[str, str]) -> pd.DataFrame:
    """All lines, as text, with these columns under their new names.

    Raises: FileNotFoundError: where the file has not been fetched.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; get it with `larder source fetch tafeng`")
    return pd.read_csv(file, usecols=list(columns), dtype=str, compression="zip").rename(columns=columns)


def read_lines(file: Path, columns: dict[str, str]) -> pd.DataFrame:
    """As `read_text`, but `sold_on` as a day and `quantity` as float32."""
    lines = read_text(file, columns)
    lines["sold_on"] = pd.to_datetime(lines["sold_on"], format="%m/%d/%Y")
    lines["quantity"] = lines["quantity"].astype(np.float32)
    return lines
