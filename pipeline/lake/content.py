"""A hash of what a version of a table says, whatever the order of its rows and files.

Two nights agree when their tables' hashes do: that is how a rerun, a resumed night or a refactoring is held to have
changed nothing.
"""

import hashlib
import json
from collections.abc import Collection

from pipeline.lake.export import scan
from pipeline.lake.lake import Lake
from pipeline.tables.catalog import table as contract

_MODULUS = 1 << 256


def content_hash(lake: Lake, table: str, version: str, without: Collection[str] = ()) -> tuple[int, str]:
    """Number of rows, and the sum of the rows' SHA-256 over all columns but `without`; costs time per row, no memory.

    Numbers are written with all their digits: equal hashes mean equal bits.

    Raises: ValueError: a column that the table has not, naming those that it has.
    """
    known = contract(table).column_names
    if missing := sorted(set(without) - set(known)):
        raise ValueError(f"{table} has no column {', '.join(missing)}; it has {', '.join(known)}")
    rows, total = 0, 0
    for batch in scan(lake, table, version).to_batches():
        kept = batch.select([name for name in known if name not in without])
        for row in kept.to_pylist():
            text = json.dumps(row, sort_keys=True, default=str, ensure_ascii=False)
            total = (total + int.from_bytes(hashlib.sha256(text.encode()).digest())) % _MODULUS
        rows += batch.num_rows
    return rows, f"{total:064x}"
