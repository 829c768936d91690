"""The files of a benchmark: figures with their standard deviation, the table of them, and the rows behind them."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.files import replace_text, replacing

SCORES, TABLE = "scores.json", "table.md"


def spread(values: Sequence[float], digits: int = 5) -> dict[str, float]:
    """Mean and standard deviation (0 for a single value), rounded."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": round(float(np.mean(values)), digits), "sd": round(deviation, digits)}


def cell(figure: dict[str, float] | None) -> str:
    """A figure with its spread as a cell of a table; empty where it was not measured."""
    if figure is None:
        return ""
    return f"{figure['mean']:.4f}" + (f" ± {figure['sd']:.4f}" if figure["sd"] else "")


def write_results(out: Path, scores: dict[str, Any], table: Callable[[dict[str, Any]], str]) -> str:
    """Write scores.json, with each figure on one line, and table.md, which is made from it; returns the table."""
    text = json.dumps(scores, indent=1)
    text = re.sub(r'\{\s+"mean":[^{}]*"sd":[^{}]*\}', lambda figure: json.dumps(json.loads(figure[0])), text)
    page = table(scores)
    out.mkdir(parents=True, exist_ok=True)
    replace_text(out / SCORES, text + "\n")
    replace_text(out / TABLE, page)
    return page


@contextmanager
def rows_file(target: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Write tables of one schema into a Parquet file, one row group each; the file appears when all are written."""
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None

        def add(rows: pa.Table) -> None:
            nonlocal writer
            if writer is None:
                aside = stack.enter_context(replacing(target))
                writer = stack.enter_context(pq.ParquetWriter(aside, rows.schema, compression="zstd"))
            writer.write_table(rows)

        yield add
