"""Stock and resupplies are read as delivered, or derived; what cannot be read stops the night and is named."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from pipeline.sources.source import SHIPPED, load_source
from pipeline.workspace import Workspace
from spark_jobs.ingest_stock import main
from tests.factories import transaction
from tests.published_tables import frame, publish

DAY = date(2026, 3, 2)
STOCK = "store_id,product_id,on_hand"
RESUPPLIES = "store_id,product_id,arrives_on,units"


@pytest.fixture
def raw(workspace: Workspace) -> Path:
    """The shop's raw folder with a stock and a resupply file."""
    (workspace.raw / "stock").mkdir(parents=True)
    (workspace.raw / f"stock/stock_{DAY}.csv").write_text(f"{STOCK}\ns1,p1,5\ns1,p2,-3\n")
    (workspace.raw / "resupplies.csv").write_text(
        f"{RESUPPLIES}\ns1,p1,2026-03-01,9\ns1,p1,2026-03-02,1\ns1,p1,2026-03-02,2\ns1,p1,2026-03-08,4\ns1,p1,2026-03-09,9\n"
    )
    return workspace.raw


def night(source: str = "shop", run_id: str = "run1") -> None:
    main(["--source", source, "--business-date", DAY.isoformat(), "--run-id", run_id])


def rows(spark: SparkSession, workspace: Workspace, name: str) -> list[Row]:
    return sorted(spark.read.parquet(str(workspace.lake.path(name, "run1"))).collect())


def test_delivered_stock_and_the_resupplies_of_the_horizon_are_read(
    spark: SparkSession, workspace: Workspace, raw: Path
) -> None:
    night()
    stock = rows(spark, workspace, "stock_levels")
    assert [(row.product_id, row.on_hand, row.as_of, row.origin) for row in stock] == [
        ("p1", 5.0, DAY, "delivered"),
        ("p2", 0.0, DAY, "delivered"),
    ]
    resupplies = rows(spark, workspace, "resupplies")
    assert [(str(row.arrives_on), row.units) for row in resupplies] == [("2026-03-02", 3.0), ("2026-03-08", 4.0)]


def described(raw: Path) -> str:
    """The shop's own description of stock in a file per store."""
    text = (SHIPPED / "shop.toml").read_text().replace("stock/stock_{date}.csv", "stock/*_{date}.csv")
    path = raw / "stores.toml"
    path.write_text(text)
    return str(path)


def test_every_file_of_the_date_is_read(spark: SparkSession, workspace: Workspace, raw: Path) -> None:
    for store in (2, 3):
        (raw / f"stock/s{store}_{DAY}.csv").write_text(f"{STOCK}\ns{store},p1,{store}\n")
    (raw / "stock/s4_2026-03-01.csv").write_text(f"{STOCK}\ns4,p1,9\n")
    night(described(raw))
    stock = [(row.store_id, row.product_id, row.on_hand) for row in rows(spark, workspace, "stock_levels")]
    assert stock == [("s1", "p1", 5.0), ("s1", "p2", 0.0), ("s2", "p1", 2.0), ("s3", "p1", 3.0)]


@pytest.mark.usefixtures("spark")
def test_files_that_contradict_each_other_are_both_named(raw: Path) -> None:
    (raw / f"stock/more_{DAY}.csv").write_text(f"{STOCK}\ns1,p1,7\n")
    with pytest.raises(SystemExit, match=rf"more_{DAY}\.csv, stock_{DAY}\.csv: product p1 of store s1 has 2 lines"):
        night(described(raw))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("resupplies.csv", f"{RESUPPLIES}\ns1,p1,soon,9\n", r"resupplies\.csv, line 2: column 'arrives_on' .* soon"),
        ("resupplies.csv", f"{RESUPPLIES}\ns1,p1,2026-03-02,NaN\n", r"line 2: column 'units'"),
        (f"stock/stock_{DAY}.csv", f"{STOCK}\ns1,p1,1\ns1,p2,many\n", r"line 3: column 'on_hand' .* many"),
        (f"stock/stock_{DAY}.csv", f"{STOCK}\ns1,p1,1\ns1,p1,2\n", "product p1 of store s1 has 2 lines"),
        (f"stock/stock_{DAY}.csv", "store_id,product_id\n", r"column 'on_hand' \(columns\.on_hand\) is missing"),
    ],
)
@pytest.mark.usefixtures("spark")
def test_what_cannot_be_read_is_named_and_nothing_is_published(
    workspace: Workspace, raw: Path, file: str, text: str, message: str
) -> None:
    (raw / file).write_text(text)
    with pytest.raises(SystemExit, match=message):
        night()
    assert workspace.lake.current("stock_levels") is None
    assert workspace.lake.current("resupplies") is None


def test_a_missing_stock_file_is_named_with_its_day(spark: SparkSession, workspace: Workspace, raw: Path) -> None:
    (raw / f"stock/stock_{DAY}.csv").unlink()
    with pytest.raises(SystemExit, match=r"no stock file .*stock_2026-03-02\.csv for business date 2026-03-02"):
        night()


def test_a_source_without_stock_gets_a_plan_from_its_sales(spark: SparkSession, workspace: Workspace) -> None:
    tafeng = Workspace(workspace.root.parent / load_source("tafeng").name)
    sold = [transaction(sold_on=DAY - timedelta(days=ago), quantity=2.0) for ago in range(1, 29)]
    late = [transaction(sold_on=DAY, quantity=99.0), transaction(sold_on=DAY - timedelta(days=40), product_id="p2")]
    publish(tafeng, "transactions", frame(spark, "transactions", sold + late))
    night("tafeng")
    # A level of 14 for seven days, four days after Thursday's delivery; filled up on Monday, then three days' worth.
    assert [(row.product_id, row.on_hand) for row in rows(spark, tafeng, "stock_levels")] == [("p1", 6.0)]
    resupplies = rows(spark, tafeng, "resupplies")
    assert [(str(row.arrives_on), row.units) for row in resupplies] == [("2026-03-02", 8.0), ("2026-03-05", 6.0)]
    assert {row.origin for row in resupplies} == {"derived"}


def test_a_repeated_run_changes_nothing(spark: SparkSession, workspace: Workspace, raw: Path) -> None:
    night()
    before = rows(spark, workspace, "stock_levels")
    (raw / f"stock/stock_{DAY}.csv").write_text(f"{STOCK}\ns1,p1,77\n")
    night()
    assert rows(spark, workspace, "stock_levels") == before
