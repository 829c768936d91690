"""Name the products: from the source's catalogue, and from the sales lines what the catalogue does not say.

Input: the catalogue files, where the source has them, and this run's `transactions` before the business date. Output:
`products`, one row per product that is in the catalogue or was sold. A price is the catalogue's, else the mean paid per
unit; a catalogue line whose price cannot be read keeps its names and gets the mean paid. Of several lines of one
product the first that says something counts, for each of its columns.
"""

from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.sources.layout import CatalogueFiles
from pipeline.sources.opened import Delivered
from pipeline.sources.source import Source
from pipeline.sources.time_format import java_pattern
from pipeline.tables.products import PRODUCTS
from pipeline.workspace import Workspace
from spark_jobs.delivered import MONEY, number, read_delivered, refuse_unreadable, text
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_table

CATALOGUE = (
    "product_id string, name string, category string, brand string, price_cents double, unit string, "
    "discontinued_on date, replaced_by string"
)


def sold_products(transactions: DataFrame, business_date: date) -> DataFrame:
    """product_id, most frequent category (of equals the first by name), mean cents per unit, first day."""
    sold = transactions.where((F.col("sold_on") < F.lit(business_date)) & ~F.col("is_return"))
    sold = sold.where(F.col("amount_cents") >= 0)  # a discount is no product
    by_category = sold.groupBy("product_id", "category").agg(
        F.count("*").alias("lines"),
        F.sum("quantity").alias("units"),
        F.sum("amount_cents").alias("cents"),
        F.min("sold_on").alias("first_sold_on"),
    )
    # The least of (-lines, name) is the most frequent; lines without a category do not vote.
    vote = F.when(F.col("category").isNotNull(), F.struct(-F.col("lines"), F.col("category").alias("category")))
    return by_category.groupBy("product_id").agg(
        F.min(vote)["category"].alias("sold_category"),
        F.try_divide(F.sum("cents"), F.sum("units")).alias("paid_cents"),
        F.min("first_sold_on").alias("first_sold_on"),
    )


def name_products(catalogue: DataFrame, sold: DataFrame) -> DataFrame:
    """`products`: every product of either side."""
    return catalogue.join(sold, "product_id", "full").select(
        "product_id",
        F.coalesce("name", "product_id").alias("name"),
        F.coalesce("category", "sold_category").alias("category"),
        "brand",
        F.coalesce("price_cents", "paid_cents", F.lit(0.0)).alias("price_cents"),
        "first_sold_on",
        "unit",
        "discontinued_on",
        "replaced_by",
    )


def read_catalogue(spark: SparkSession, source: Source, workspace: Workspace) -> DataFrame:
    """The delivered catalogue, one row per product; empty where the source has none.

    Raises: SourceError: when the described files are not there or cannot be read.
    """
    files = source.catalogue
    if files is None:
        return spark.createDataFrame([], CATALOGUE)
    found = source.files_of("catalogue", files.files, workspace)
    delivered = [Delivered(path, path.name) for path in found]
    raw = read_delivered(spark, delivered, source, files, files.read_columns)
    refuse_unreadable(raw)
    return catalogue_rows(raw, source, files)


def catalogue_rows(raw: DataFrame, source: Source, files: CatalogueFiles) -> DataFrame:
    """Catalogue lines as products; lines without a product or with a wrong number of columns name nothing."""
    given = files.read_columns
    values = {
        name: text(name) if name in given else F.lit(None).cast("string")
        for name in ("name", "category", "brand", "unit", "replaced_by")
    }
    price = F.lit(None).cast("double")
    if "price" in given:
        price = number(text("price"), files, MONEY).cast("double") * (100.0 if source.money == "currency" else 1.0)
    discontinued = F.lit(None).cast("date")
    if "available_until" in given:
        discontinued = F.to_date(F.try_to_timestamp(text("available_until"), F.lit(java_pattern(files.date_format))))
    readable = raw.where(F.col("problem").isNull() & text("product").isNotNull())
    values["price_cents"] = F.when(price >= 0, price)
    values["discontinued_on"] = discontinued
    # The first line that says something: a blank before it says nothing.
    place = F.struct("source_file", "source_line")
    first = [F.min_by(name, F.when(F.col(name).isNotNull(), place)).alias(name) for name in values]
    said = [value.alias(name) for name, value in values.items()]
    lines = readable.select(text("product").alias("product_id"), "source_file", "source_line", *said)
    return lines.groupBy("product_id").agg(*first)


def main(argv: list[str] | None = None) -> None:
    """Read catalogue and transactions, publish `products`."""
    with open_job("ingest_products", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(PRODUCTS.name):
            return
        spark = open_session(job.name, job.settings)
        transactions, version = read_table(spark, job.workspace, "transactions", job.run.run_id)
        job.record.rows_in = job.workspace.lake.manifest("transactions", version).rows
        catalogue = read_catalogue(spark, job.source, job.workspace)
        products = name_products(catalogue, sold_products(transactions, job.run.business_date))
        publish_table(products, job, PRODUCTS.name, {"transactions": version}, files=1)


if __name__ == "__main__":
    main()
