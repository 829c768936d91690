"""Data sets of a few customers, in the files that the benchmarks read."""

import json
import zipfile
from pathlib import Path

import numpy as np


def write_reality_check(folder: Path, customers: dict[str, list[list[int]]]) -> None:
    """history.json and future.json of whole sequences: the last basket is the future."""
    history = {name: [[-1], *baskets[:-1], [-1]] for name, baskets in customers.items()}
    future = {name: [[-1], baskets[-1], [-1]] for name, baskets in customers.items()}
    (folder / "history.json").write_text(json.dumps(history))
    (folder / "future.json").write_text(json.dumps(future))


def write_small_reality_check(folder: Path, n: int = 60) -> None:
    """Customers who buy from a few products of their own."""
    random = np.random.default_rng(0)
    customers = {}
    for number in range(n):
        own = random.choice(40, 5, replace=False)
        baskets = [random.choice(own, 3, replace=False).tolist() for _ in range(random.integers(2, 6))]
        customers[str(number)] = baskets
    write_reality_check(folder, customers)


def write_tafeng(file: Path, lines: list[tuple[str, str, str, int]]) -> None:
    """Ta-Feng's zipped file; a line is day (m/d/Y), customer, product, quantity."""
    header = "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PIN_CODE,PRODUCT_SUBCLASS,PRODUCT_ID,AMOUNT,ASSET,SALES_PRICE"
    rows = [f"{day},{customer},25-29,115,110411,{product},{units},10,12" for day, customer, product, units in lines]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("ta_feng.csv", "\n".join([header, *rows]) + "\n")
