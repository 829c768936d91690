"""What Spark wrote and an erasure rewrote, Spark still reads: types, nested columns, partitions, checksums."""

from datetime import date

import pytest
from pyspark.sql import SparkSession

from pipeline.erasure.erase import first_sold_on, of_customer, without
from pipeline.lake.rewrite import rewrite
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace
from tests.factories import basket, sequence, transaction
from tests.published_tables import frame, publish

DAYS = [date(2026, 2, day) for day in (1, 2)]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("transactions", [transaction(sold_on=day, customer_id=each) for day in DAYS for each in ("c1", "c2")]),
        ("baskets", [basket(customer_id=each) for each in ("c1", "c2")]),
        ("sequences", [sequence(funnel_id="c1"), sequence(funnel_id="c1", funnel_kind="store")]),
        ("baskets", [basket()]),
    ],
)
def test_spark_reads_the_rest_as_it_was(
    name: str, rows: list[dict[str, object]], spark: SparkSession, workspace: Workspace
) -> None:
    publish(workspace, name, frame(spark, name, rows))
    path, ddl = str(workspace.lake.path(name, "run1")), contract(name).ddl
    before = spark.read.schema(ddl).parquet(path).collect()
    assert (name != "transactions") or first_sold_on(workspace.lake, ["c1"]) == DAYS[0]
    mine = of_customer(contract(name), ["c1"])
    assert mine is not None
    removed = rewrite(workspace.lake, name, mine, without(mine))
    after = spark.read.schema(ddl).parquet(path).collect()
    kept = [
        row
        for row in before
        if row.asDict().get("customer_id", "c2") != "c1" and row.asDict().get("funnel_kind") != "customer"
    ]
    assert sorted(map(str, after)) == sorted(map(str, kept))
    assert removed == {"run1": len(before) - len(kept)}
