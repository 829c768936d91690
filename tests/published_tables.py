"""Rows of a table as a DataFrame of its contract, or published in a lake past every audit."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from pipeline.lake.lake import Manifest
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace
from tests.backtest_factories import alert_backtest, basket_backtest, behaviour_backtest
from tests.factories import (
    BUSINESS_DATE,
    anomaly,
    basket,
    customer_day,
    customer_segment,
    customer_value,
    expected_demand,
    expected_return,
    next_offer,
    prediction,
    product,
    resupply,
    return_forecast,
    sequence,
    stock_level,
    stockout,
    transaction,
    vocabulary_entry,
)


def frame(spark: SparkSession, table_name: str, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """The rows as a DataFrame with the contract's schema; a field the contract does not know is an error."""
    table = contract(table_name)
    names = table.column_names
    listed = list(rows)
    for row in listed:
        if unknown := set(row) - set(names):
            raise KeyError(f"table {table_name} has no column {', '.join(sorted(unknown))}")
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in listed], table.ddl)


def publish(
    workspace: Workspace,
    table_name: str,
    rows: DataFrame,
    version: str = "run1",
    business_date: date = BUSINESS_DATE,
    *,
    details: dict[str, Any] | None = None,
) -> None:
    """Write the rows as a published, current version of a table, past every audit."""
    table = contract(table_name)
    folder = workspace.lake.stage(table_name, version)
    rows.select(*table.column_names).coalesce(1).write.partitionBy(*table.partition).parquet(str(folder))
    made = {"version": version, "business_date": business_date, "rows": rows.count()}
    workspace.lake.describe(Manifest(table=table_name, **made, details=details or {}))
    workspace.lake.publish(table_name, version)


def publish_rows(
    workspace: Workspace,
    table_name: str,
    *rows: dict[str, Any],
    version: str = "run1",
    business_date: date = BUSINESS_DATE,
) -> None:
    """Publish rows without Spark and past every audit; the table's factory gives the types where there are no rows."""
    like = {
        "baskets": basket,
        "products": product,
        "predictions": prediction,
        "sequences": sequence,
        "vocabulary": vocabulary_entry,
        "stockouts": stockout,
        "alert_backtests": alert_backtest,
        "behaviour_backtests": behaviour_backtest,
        "basket_backtests": basket_backtest,
        "anomalies": anomaly,
        "customer_segments": customer_segment,
        "next_offers": next_offer,
        "customer_days": customer_day,
        "customer_values": customer_value,
        "return_forecasts": return_forecast,
        "expected_returns": expected_return,
        "transactions": transaction,
        "expected_demand": expected_demand,
        "stock_levels": stock_level,
        "resupplies": resupply,
    }
    guessed = pa.Table.from_pylist([_with_named_lines(row) for row in (like[table_name](), *rows)])
    types = [pa.string() if pa.types.is_null(kind) else kind for kind in guessed.schema.types]
    table = guessed.slice(1).cast(pa.schema(list(zip(guessed.column_names, types, strict=True))))
    folder = workspace.lake.stage(table_name, version)
    folder.mkdir()
    pq.write_table(table, folder / "part.parquet")
    workspace.lake.describe(
        Manifest(table=table_name, version=version, business_date=business_date, rows=table.num_rows)
    )
    workspace.lake.publish(table_name, version)


def _with_named_lines(row: dict[str, Any]) -> dict[str, Any]:
    """Arrow knows tuples only as lists; a basket's lines are structs."""
    names = ("product_id", "quantity", "amount_cents")
    lines = row.get("products", [])
    named = [dict(zip(names, line, strict=True)) if isinstance(line, tuple) else line for line in lines]
    return row | {"products": named} if "products" in row else row
