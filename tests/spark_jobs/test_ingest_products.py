"""A product has the catalogue's name and price, and what its sales say where the catalogue is silent."""

from datetime import date

import pytest
from pyspark.sql import Row, SparkSession

from pipeline.sources.layout import CatalogueFiles
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from spark_jobs.ingest_products import catalogue_rows, main
from tests.factories import BUSINESS_DATE, transaction
from tests.published_tables import frame, publish


def products(spark: SparkSession, workspace: Workspace, source: str, sold: list[dict[str, object]]) -> dict[str, Row]:
    publish(workspace, "transactions", frame(spark, "transactions", sold))
    main(["--source", source, "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"])
    rows = spark.read.parquet(str(workspace.lake.path("products", "run1"))).collect()
    assert len({row.product_id for row in rows}) == len(rows)
    return {row.product_id: row for row in rows}


def test_the_catalogue_comes_first_and_sales_fill_its_gaps(spark: SparkSession, workspace: Workspace) -> None:
    workspace.raw.mkdir(parents=True)
    (workspace.raw / "catalogue.csv").write_text(
        "product_id,name,category,brand,price,tags\n"
        'p1,"Milk, 1 l",dairy,Alp,1.19,x\n'
        "p1,Milk again,dairy,Alp,9.99,x\n"
        "p2,Bread,,,dear,x\n"
        "p3,Tea,drinks,Leaf,3.00,x\n"
    )
    sold = [
        transaction(product_id="p1", category="cheese"),
        transaction(product_id="p2", category="bakery", quantity=2.0, amount_cents=500, sold_on=date(2026, 1, 5)),
        transaction(product_id="p4", category="toys"),
    ]
    found = products(spark, workspace, "shop", sold)
    assert tuple(found["p1"])[1:5] == ("Milk, 1 l", "dairy", "Alp", 119.0)
    assert tuple(found["p2"])[1:6] == ("Bread", "bakery", None, 250.0, date(2026, 1, 5))
    assert (found["p3"].price_cents, found["p3"].first_sold_on) == (300.0, None)
    assert (found["p4"].name, found["p4"].category) == ("p4", "toys")


def test_a_blank_line_of_the_catalogue_hides_nothing_that_a_later_one_says(
    spark: SparkSession, workspace: Workspace
) -> None:
    workspace.raw.mkdir(parents=True)
    (workspace.raw / "catalogue.csv").write_text(
        "product_id,name,category,brand,price\np1,,dairy,,\np1,Milk,cheese,Alp,1.19\np1,Milk again,,Berg,2.00\n"
    )
    found = products(spark, workspace, "shop", [transaction(product_id="p1")])
    assert tuple(found["p1"])[1:5] == ("Milk", "dairy", "Alp", 119.0)


def test_a_catalogue_says_when_a_product_ends_and_what_follows_it(spark: SparkSession) -> None:
    files = CatalogueFiles.model_validate(
        {
            "files": "catalogue.csv",
            "date_format": "%d.%m.%Y",
            "columns": {"product": "sku", "unit": "uom", "available_until": "end", "replaced_by": "next"},
        }
    )
    names = ("product", "unit", "available_until", "replaced_by")
    lines = [("f", 2, None, "p1", "ml", "01.04.2026", " p2 "), ("f", 3, None, "p2", "", "soon", "")]
    schema = "source_file string, source_line int, problem string, " + ", ".join(f"{name} string" for name in names)
    found = catalogue_rows(spark.createDataFrame(lines, schema), load_source("shop"), files).collect()
    said = {row.product_id: (row.unit, row.discontinued_on, row.replaced_by) for row in found}
    assert said == {"p1": ("ml", date(2026, 4, 1), "p2"), "p2": (None, None, None)}


def test_without_a_catalogue_the_most_frequent_category_counts_and_the_future_and_returns_do_not(
    spark: SparkSession, workspace: Workspace
) -> None:
    tafeng = Workspace(workspace.root.parent / "tafeng")
    sold = [
        transaction(category="a"),
        transaction(category="b"),
        transaction(category="b"),
        transaction(category=None),
        transaction(category=None),
        transaction(category=None),
        transaction(category="c", is_return=True, amount_cents=900),
        transaction(category="c", sold_on=BUSINESS_DATE, amount_cents=900),
        transaction(product_id="p2", sold_on=BUSINESS_DATE),
    ]
    found = products(spark, tafeng, "tafeng", sold)
    assert set(found) == {"p1"}
    assert (found["p1"].category, found["p1"].price_cents) == ("b", 100.0)


def test_a_described_catalogue_that_is_not_there_is_named(spark: SparkSession, workspace: Workspace) -> None:
    with pytest.raises(SystemExit, match=r"no file matches .*catalogue\.csv"):
        products(spark, workspace, "shop", [transaction()])
