"""The best articles in store for every customer (`style_rankings`), and what is ranked (`style_articles`).

Intent is the product of a customer's and an article's factors, and what own earlier purchases add. Customers stream
through the executors; each multiplies them with the articles in blocks and keeps the best, so that memory grows with
the articles alone, and the time with customers times articles.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from models.best_products import best_products
from models.refusal import Refusal
from pipeline.dataset.item_vector_rows import list_array
from pipeline.dataset.style_rows import PROFILE, ServedStyles, served_styles
from pipeline.evaluation.serving import usable_champion
from pipeline.tables.styles import STYLE_ARTICLES, STYLE_RANKINGS, STYLES
from pipeline.task import PredictionInput
from pipeline.tasks.catalog import STYLES as TASK
from pipeline.tasks.catalog import task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.session import Job, arg_parser, open_job, open_session, publish_table, read_table, stage_table

_FLAGS = ("is_cold", "fallback", "model_version", "business_date")


def ranked(styles: DataFrame, names: list[str], factors: np.ndarray, is_new: np.ndarray, best: int) -> DataFrame:
    """Rows of `style_rankings` for rows of `styles`.

    Args: names: of the S articles in store; factors: float32 [S, F]; is_new: bool [S].
    """
    session = styles.sparkSession
    sent = session.sparkContext.broadcast((pa.array(names, pa.string()), factors, is_new))
    return styles.select("customer_id", "factors", "own", *_FLAGS).mapInArrow(_ranking(sent, best), STYLE_RANKINGS.ddl)


def _ranking(sent: Any, best: int) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def rank(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows > 0:
                names, factors, is_new = sent.value
                yield rank_rows(batch, names, factors, is_new, best)

    return rank


def rank_rows(
    styles: pa.RecordBatch, names: pa.StringArray, factors: np.ndarray, is_new: np.ndarray, best: int
) -> pa.RecordBatch:
    """The best articles of some customers; fewer where there are fewer in store."""
    of_customers = pc.list_flatten(styles["factors"]).to_numpy(zero_copy_only=False).reshape(styles.num_rows, -1)
    own, rows = pc.list_flatten(styles["own"]), pc.list_parent_indices(styles["own"])
    column = pc.index_in(pc.struct_field(own, "product_id"), value_set=names)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    added = (
        rows.to_numpy(zero_copy_only=False).astype(np.int64)[known],
        column.drop_null().to_numpy(zero_copy_only=False).astype(np.int64),
        pc.struct_field(own, "score").to_numpy(zero_copy_only=False).astype(np.float32)[known],
    )
    found, intents = best_products(of_customers, factors, best, added)
    row, place = np.nonzero(found >= 0)
    chosen = found[row, place]
    columns = {
        "customer_id": styles["customer_id"].take(pa.array(row)),
        "style_rank": pa.array((place + 1).astype(np.int32)),
        "product_id": names.take(pa.array(chosen)),
        "intent": pa.array(intents[row, place]),
        "is_new": pa.array(is_new[chosen]),
        **{name: styles[name].take(pa.array(row)) for name in _FLAGS},
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in STYLE_RANKINGS.column_names})


def served(job: Job, registry: Registry, inputs: dict[str, str], version: str | None) -> ServedStyles:
    """What made this run's styles.

    Raises: Refusal: another model would serve now; `predict_styles` is then to be repeated.
    """
    task, lake = registry.task, job.workspace.lake
    champion = usable_champion(registry, job.workspace.task_folder(job.run.run_id, task.name)).champion
    tables = {name: lake.path(name, inputs[name]) for name in task.reads}
    model = champion.served(task) if champion and version != PROFILE else None
    found = served_styles(PredictionInput(job.run.business_date, registry.settings, tables, model))
    if version is not None and found.version != version:
        raise Refusal(f"styles were made by {version}, and {found.version} would rank; clear predict_styles")
    return found


def article_rows(spark: SparkSession, found: ServedStyles, factors: np.ndarray, is_new: np.ndarray) -> DataFrame:
    """Rows of `style_articles`."""
    n = len(factors)
    rows = pa.table(
        {
            "product_id": pa.array(found.names[found.store].tolist(), pa.string()),
            "factors": list_array(factors),
            "is_new": pa.array(is_new),
            "model_version": pa.array([found.version] * n, pa.string()),
            "business_date": pa.array([found.business_date] * n, pa.date32()),
        }
    )
    return spark.createDataFrame(rows)


def main(argv: list[str] | None = None) -> None:
    """Read this run's styles, publish the articles in store, stage the rankings for their gate."""
    with open_job("rank_styles", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(STYLE_ARTICLES.name, STYLE_RANKINGS.name):
            return
        task, settings = task_and_settings(TASK.name, job.settings, job.source)
        spark, lake = open_session(job.name, settings), job.workspace.lake
        inputs = {name: lake.resolve(name, job.run.run_id) for name in task.reads}
        styles, inputs[STYLES.name] = read_table(spark, job.workspace, STYLES.name, job.run.run_id)
        first = styles.select("model_version").first()
        found = served(job, Registry(settings, job.source.name, task), inputs, first.model_version if first else None)
        factors, is_new = found.article_factors(), found.is_new[found.store]
        if not lake.is_published(STYLE_ARTICLES.name, job.run.run_id):
            publish_table(article_rows(spark, found, factors, is_new), job, STYLE_ARTICLES.name, inputs, files=1)
        job.record.rows_in = styles.count()
        rows = ranked(styles, found.names[found.store].tolist(), factors, is_new, settings.styles.best)
        _, job.record.rows_out = stage_table(rows, job.workspace, STYLE_RANKINGS.name, job.run, inputs)
        job.record.details |= {"model": found.version, "in store": len(found.store), "new": int(is_new.sum())}


if __name__ == "__main__":
    main()
