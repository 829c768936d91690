"""Segments: customers who shop alike (`customer_segments`), products that meet the same need (`product_segments`).

What the champion learned of both is published beside them (`customer_vectors`, `product_vectors`).

A customer is described by the shares of the categories bought and by how often, how much and for how much; a product by
the vector that the champion learned for it, or, before the first champion, by what it is bought with. A segment keeps
its number and its name as long as half of its members stay. The run's folder gets a plot of both.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.sparse import csr_array, diags_array

from models.days import epoch_day
from models.keys import keys_of, rows_of
from models.product_vectors import co_occurrence_vectors
from models.saved_files import load_model
from models.segments import Segments, names_of, plane, segment
from pipeline.dataset.candidates import sampled_histories
from pipeline.dataset.histories import read_parts
from pipeline.dataset.vocabulary import product_names
from pipeline.evaluation.serving import usable_champion
from pipeline.settings import SegmentSettings
from pipeline.tables.segments import CUSTOMER_SEGMENTS, PRODUCT_SEGMENTS
from pipeline.tables.vectors import CUSTOMER_VECTORS, PRODUCT_VECTORS
from pipeline.tasks.catalog import NEXT_BASKET, task_and_settings
from pipeline.tracking.registry import Champion, Registry
from spark_jobs.session import Job, arg_parser, open_job, open_session, publish_table, read_tables

NO_CATEGORY = "no category"
CO_PURCHASES = "co-purchases"
# Weight of rhythm and money beside the categories.
_RHYTHM = 0.25
# More points than this make no better plot.
_SHOWN = 5_000


def customer_lines(baskets: DataFrame, products: DataFrame, business_date: date, min_baskets: int) -> pd.DataFrame:
    """Lines per customer and category of customers with enough baskets before the night, with their rhythm."""
    before = baskets.filter((F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull())
    lines = before.select("customer_id", "sold_on", F.explode("products").alias("line")).select(
        "customer_id", "sold_on", "line.product_id", "line.amount_cents"
    )
    rhythm = (
        lines.groupBy("customer_id")
        .agg(
            F.count_distinct("sold_on").alias("n_baskets"),
            F.count("*").alias("n_lines"),
            F.sum("amount_cents").alias("amount_cents"),
            (F.datediff(F.max("sold_on"), F.min("sold_on"))).alias("days"),
        )
        .filter(F.col("n_baskets") >= min_baskets)
    )
    category = F.coalesce("category", F.lit(NO_CATEGORY)).alias("category")
    return (
        lines.join(products.select("product_id", category), "product_id", "left")
        .groupBy("customer_id", F.coalesce("category", F.lit(NO_CATEGORY)).alias("category"))
        .agg(F.count("*").alias("lines"))
        .join(rhythm, "customer_id")
        .orderBy("customer_id", "category")
        .toPandas()
    )


def customer_rows(lines: pd.DataFrame, before: pd.DataFrame, settings: SegmentSettings) -> pd.DataFrame:
    """Rows of `customer_segments`; none where nobody has enough baskets."""
    if lines.empty:
        return pd.DataFrame(columns=CUSTOMER_SEGMENTS.column_names)
    customers, first, row = np.unique(lines["customer_id"].to_numpy(str), return_index=True, return_inverse=True)
    categories, column = np.unique(lines["category"].to_numpy(str), return_inverse=True)
    counts = csr_array((lines["lines"].to_numpy(float), (row, column)), shape=(len(customers), len(categories)))
    shares = (diags_array(1.0 / np.asarray(counts.sum(axis=1)).ravel()) @ counts).toarray()
    each = lines.iloc[first]
    rhythm = np.log1p(
        np.stack(
            [
                each["days"].to_numpy(float) / np.maximum(each["n_baskets"].to_numpy(float) - 1, 1),
                each["n_lines"].to_numpy(float) / each["n_baskets"].to_numpy(float),
                np.maximum(each["amount_cents"].to_numpy(float), 0.0) / each["n_baskets"].to_numpy(float),
            ],
            axis=1,
        )
    )
    rhythm = (rhythm - rhythm.mean(axis=0)) / np.maximum(rhythm.std(axis=0), 1e-9)
    # Roots make a customer's categories a vector of length one, in which rare ones count as well.
    vectors = np.hstack([np.sqrt(shares), _RHYTHM * rhythm])
    found = segment(vectors, settings.customers, _numbers_before(customers, before, "customer_id"))
    names = names_of(found.number, counts.toarray(), categories.tolist(), _names_before(before, found))
    return _rows("customer_id", customers, found, names, vectors)


def product_rows(
    products: pd.DataFrame, ids: np.ndarray, vectors: np.ndarray, before: pd.DataFrame, groups: int
) -> pd.DataFrame:
    """Rows of `product_segments` but `vectors_from`; none without a vector."""
    if len(ids) == 0:
        return pd.DataFrame(columns=PRODUCT_SEGMENTS.column_names)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.maximum(length, 1e-12)
    found = segment(vectors, groups, _numbers_before(ids, before, "product_id"))
    category = products.set_index("product_id")["category"].reindex(ids).fillna(NO_CATEGORY).to_numpy(str)
    categories, column = np.unique(category, return_inverse=True)
    names = names_of(found.number, np.eye(len(categories))[column], categories.tolist(), _names_before(before, found))
    return _rows("product_id", ids, found, names, vectors)


@dataclass(frozen=True)
class Vectors:
    """Members and a vector of each; `version` is the champion's that learned them, or `CO_PURCHASES`."""

    ids: np.ndarray
    vectors: np.ndarray
    version: str

    def rows(self, member: str) -> pd.DataFrame:
        """As a table of vectors."""
        vectors = list(self.vectors.astype(np.float32))
        return pd.DataFrame({member: self.ids, "vector": vectors, "model_version": self.version})


def next_basket_champion(job: Job) -> Champion | None:
    """The champion, if it may be used; the job's record says why not."""
    task, settings = task_and_settings(NEXT_BASKET.name, job.settings)
    folder = job.workspace.task_folder(job.run.run_id, task.name)
    found = usable_champion(Registry(settings, job.source.name, task), folder)
    job.record.details |= found.details
    return found.champion


def learned_vectors(model: Champion | None, customers: np.ndarray) -> tuple[Vectors, Vectors] | None:
    """What the champion learned of products, and of those of the customers that it was trained on; None before it."""
    if model is None:
        return None
    lens = load_model(model.model_path)
    ids = product_names(model.table("vocabulary"))
    vectors = np.asarray(lens.backbone.products.vectors)[: len(ids)]
    known = ids[: len(vectors)] != ""
    products = Vectors(ids[: len(vectors)][known].astype(str), vectors[known].astype(np.float64), model.version)
    row = rows_of(keys_of(customers), lens.keys.customer_keys, missing=0)
    trained = row > 0
    return products, Vectors(
        customers[trained], np.asarray(lens.backbone.customers.vectors)[row[trained]], model.version
    )


def co_purchase_vectors(
    sequences: Path, vocabulary: Path, business_date: date, n_customers: int, groups: int
) -> Vectors:
    """What customers' baskets before the night say of products that are bought together.

    As many directions as groups are to be found, as in spectral clustering: further ones tell neighbours apart.
    """
    ids = product_names(vocabulary)
    known = sampled_histories(read_parts(sequences), epoch_day(business_date), len(ids), n_customers)
    vectors = co_occurrence_vectors(known, groups)
    in_company = vectors.any(axis=1)
    return Vectors(ids[in_company].astype(str), vectors[in_company].astype(np.float64), CO_PURCHASES)


def plot(rows: pd.DataFrame, title: str, file: Path) -> None:
    """Members by segment, in the plane in which they differ most."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shown = rows.sample(min(len(rows), _SHOWN), random_state=0)
    for number, part in sorted(shown.groupby("segment_id"), key=lambda each: -len(each[1])):
        label = f"{number} {part['segment_name'].iloc[0]} ({part['n_members'].iloc[0]:,})"
        axes.scatter(part["x"], part["y"], s=9, alpha=0.6, label=label)
    axes.set(title=title, xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=2)
    figure.savefig(file, dpi=110)


def _rows(member: str, ids: np.ndarray, found: Segments, names: dict[int, str], vectors: np.ndarray) -> pd.DataFrame:
    places = plane(vectors)
    sizes = np.bincount(found.number)
    return pd.DataFrame(
        {
            member: ids,
            "segment_id": found.number.astype(np.int32),
            "segment_name": [names[number] for number in found.number.tolist()],
            "n_members": sizes[found.number],
            "is_new_segment": [number not in found.kept for number in found.number.tolist()],
            "rand_index": found.rand_index,
            "x": places[:, 0],
            "y": places[:, 1],
        }
    )


def _numbers_before(ids: np.ndarray, before: pd.DataFrame, member: str) -> np.ndarray | None:
    if before.empty:
        return None
    return before.set_index(member)["segment_id"].reindex(ids).fillna(-1).to_numpy(np.int64)


def _names_before(before: pd.DataFrame, found: Segments) -> dict[int, str]:
    known = dict(zip(before["segment_id"].tolist(), before["segment_name"].tolist(), strict=True))
    return {number: known[number] for number in found.kept}


def _night_before(job: Job, table: str) -> tuple[pd.DataFrame, str]:
    """The newest earlier night's segments and their version; none on the first night."""
    lake = job.workspace.lake
    nights = {version: lake.manifest(table, version).business_date for version in lake.versions(table)}
    earlier = [version for version in nights if nights[version] < job.run.business_date]
    if not earlier:
        return pd.DataFrame(columns=["segment_id", "segment_name"]), ""
    version = max(earlier, key=lambda each: (nights[each], each))
    return pd.read_parquet(lake.path(table, version)), version


def main(argv: list[str] | None = None) -> None:
    """Read this run's baskets and the champion, publish both kinds of segments and their plots."""
    with open_job("segment_funnels", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(CUSTOMER_SEGMENTS.name, PRODUCT_SEGMENTS.name):
            return
        settings, business_date = job.settings.segments, job.run.business_date
        spark = open_session(job.name, job.settings)
        frames, versions = read_tables(spark, job, "baskets", "products", "sequences", "vocabulary")
        customers_before, customer_version = _night_before(job, CUSTOMER_SEGMENTS.name)
        lines = customer_lines(frames["baskets"], frames["products"], business_date, settings.min_baskets)
        customers = customer_rows(lines, customers_before, settings)
        products_before, product_version = _night_before(job, PRODUCT_SEGMENTS.name)
        is_known = (F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull()
        before_night = frames["baskets"].filter(is_known)
        everyone = before_night.select("customer_id").distinct().orderBy("customer_id").toPandas()["customer_id"]
        learned = learned_vectors(next_basket_champion(job), everyone.to_numpy(str))
        if learned is None:
            sequences, vocabulary = (
                job.workspace.lake.path(name, versions[name]) for name in ("sequences", "vocabulary")
            )
            n_customers = job.settings.training.memory_customers
            of_products = co_purchase_vectors(sequences, vocabulary, business_date, n_customers, settings.products)
        else:
            of_products = learned[0]
            for vectors, table in zip(learned, (PRODUCT_VECTORS, CUSTOMER_VECTORS), strict=True):
                frame = spark.createDataFrame(vectors.rows(table.key[0]), table.ddl)
                publish_table(frame, job, table.name, versions | {"vectors": vectors.version})
        made_from = of_products.version
        catalogue = frames["products"].select("product_id", "category").toPandas()
        products = product_rows(catalogue, of_products.ids, of_products.vectors, products_before, settings.products)
        products["vectors_from"] = made_from
        folder = job.workspace.run_folder(job.run.run_id)
        job.record.rows_in = len(lines)
        for table, rows, before in (
            (CUSTOMER_SEGMENTS, customers, customer_version),
            (PRODUCT_SEGMENTS, products, product_version),
        ):
            if not rows.empty:
                plot(rows, f"{table.name.replace('_', ' ')} as of {business_date}", folder / f"{table.name}.png")
                job.record.details[table.name] = int(rows["segment_id"].nunique())
                job.record.details[f"{table.name} rand index"] = rows["rand_index"].iloc[0]
            frame = spark.createDataFrame(rows[table.column_names], table.ddl)
            publish_table(frame, job, table.name, versions | {"before": before, "vectors": made_from})
        job.record.rows_out = len(customers) + len(products)


if __name__ == "__main__":
    main()
