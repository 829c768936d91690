"""A customer erased after a night with its capabilities: its id is in no byte of what the product keeps.

Parquet is read value by value, archives member by member, everything else byte by byte. Not looked at are the
retailer's own files (raw/, and the simulator's truth/), which `larder erase` names. The champion's key of the customer
is a number made from the id; the next training has none.
"""

import io
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pyarrow.dataset as ds

from models.keys import keys_of
from pipeline.lake.lake import Lake
from pipeline.settings import REPOSITORY, Settings
from pipeline.tables.catalog import TABLES
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import Registry
from tests.campaign import jobs
from tests.campaign.bench import Bench, environment
from tests.campaign.whole_night import REFERENCE, delivered

NEXT = "next"
RETAILERS = ("raw", "truth")


def erased(bench: Bench) -> Counter[str]:
    """In steps: a night, its capabilities, erasure and search, the next training."""
    state, data = bench.state(), bench.folder / "data"
    made = state.get("made", [])
    if len(made) < len(MADE):
        dag, only = MADE[len(made)]
        data = data if made else delivered(bench, "data")
        jobs.finish(data, REFERENCE, *only, dag=dag)
        bench.keep(made=[*made, dag])
        return Counter(unfinished=1)
    if "counted" not in state:
        customer = _chosen(data)
        counted = Counter({"tables with the customer before": len(_tables_with(data, customer))})
        counted["files with it before"] = len(list(files_with(data, customer)))
        line = [sys.executable, "-m", "pipeline.cli", "erase", "--customer", customer]
        done = subprocess.run(line, env=environment(data), cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        left = list(files_with(data, customer))
        print(f"erased {customer}; left in: {left}")
        counted["files with it after"] = len(left)
        bench.keep(counted=dict(counted), customer=customer)
        return Counter(unfinished=1)
    customer, counted = str(state["customer"]), Counter(state["counted"])
    before = _keys(data, REFERENCE)
    jobs.finish(data, NEXT, *[step.name for step in jobs.steps() if step.name not in DELIVERING])
    counted["keys before"] = int(np.isin(keys_of([customer]), before).sum())
    counted["keys after the next training"] = int(np.isin(keys_of([customer]), _keys(data, NEXT)).sum())
    return counted


# DAGs, and which of their jobs alone: the tiny shop's days are too few to learn returns from; lines name customers.
MADE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (jobs.NIGHTLY, ()),
    ("segments", ()),
    ("next_offers", ()),
    ("customer_value", ()),
    ("returns", ("build_order_lines",)),
)

# The next night reads no delivery: the delivered file would bring the customer back, as `larder erase` says.
DELIVERING = ("ingest_transactions", "validate_transactions", "ingest_products", "ingest_stock")


def _chosen(data: Path) -> str:
    """The customer of an alert, who is in the most tables."""
    lake = Lake(data / "shop" / "lake")
    rows = ds.dataset(lake.path("anomalies", REFERENCE), format="parquet").to_table().to_pylist()
    customers = [row["funnel_id"] for row in rows if row["funnel_kind"] == "customer"]
    alerting = [row["funnel_id"] for row in rows if row["funnel_kind"] == "customer" and row["is_alert"]]
    return str(max([*alerting, *customers[:3]], key=lambda each: (each in alerting, len(_tables_with(data, each)))))


def _tables_with(data: Path, customer: str) -> list[str]:
    lake = Lake(data / "shop" / "lake")
    published = (table for table in TABLES if lake.current(table))
    return [table for table in published if any(_parquet_with(lake.root / table / "versions", customer))]


def files_with(data: Path, customer: str) -> Iterator[Path]:
    """Every file under the data folder in which the id stands."""
    sought = customer.encode()
    for path in sorted(data.rglob("*")):
        if not path.is_file() or set(RETAILERS) & set(path.relative_to(data).parts):
            continue
        if path.suffix == ".parquet":
            found = any(_parquet_with(path, customer))
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found = any(sought in archive.read(name) for name in archive.namelist())
        else:
            found = sought in path.read_bytes()
        if found or sought in os.fsencode(path.name):
            yield path


def _parquet_with(path: Path, customer: str) -> Iterator[bool]:
    for file in [path] if path.is_file() else sorted(path.rglob("*.parquet")):
        for batch in ds.dataset(file, format="parquet").to_batches():
            yield customer in str(batch.to_pydict())


def _keys(data: Path, run_id: str) -> np.ndarray:
    """The keys of customers in the model that a run registered."""
    registry = Registry(Settings(data_dir=data), "shop", NEXT_BASKET)
    number = registry.version_of_run(run_id)
    assert number is not None, f"{run_id} registered no model"
    model, found = registry.fetch(number).model_path, []
    with zipfile.ZipFile(model) as archive:
        stored = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(stored) as weights:
        weights.visititems(lambda name, node: found.append(node[...]) if name.endswith("customer_keys") else None)
    assert found, f"{model} has no keys of customers"
    return np.concatenate(found)
