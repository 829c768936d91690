"""The best articles in store for every customer (`style_rankings`), and what is ranked (`style_articles`).

Intent is the product of a customer's and an article's factors, and what own earlier purchases add. Customers stream
through the executors; each multiplies them with the articles in blocks and keeps the best, so that memory grows with
the articles alone, and the time with customers times articles.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from models.best_products import best_products
from models.diverse_order import POOL, diverse_order
from models.refusal import Refusal
from pipeline.dataset.item_vector_rows import list_array
from pipeline.dataset.style_ranking import Pairs
from pipeline.dataset.style_rows import PROFILE, ServedStyles, served_styles
from pipeline.evaluation.serving import usable_champion
from pipeline.tables.styles import STYLE_ARTICLES, STYLE_RANKINGS, STYLES
from pipeline.task import PredictionInput
from pipeline.tasks.catalog import STYLES as TASK
from pipeline.tasks.catalog import task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.session import Job, arg_parser, open_job, open_session, publish_table, read_table, stage_table

_CANDIDATES_AT_ONCE = 32_768
_FLAGS = ("is_cold", "fallback", "model_version", "business_date")


@dataclass(frozen=True)
class InStore:
    """The S articles in store.

    Args: names: their ids; factors: float32 [S, F]; is_new: bool [S]; n_vector: how many of the factors are the
          article's vector, by which articles are alike; 0: as many as there are.
    """

    names: pa.StringArray
    factors: np.ndarray
    is_new: np.ndarray
    n_vector: int = 0

    @property
    def vectors(self) -> np.ndarray:
        """Of the articles; float32 [S, D]."""
        return self.factors[:, : self.n_vector] if self.n_vector else self.factors


def ranked(styles: DataFrame, store: InStore, best: int, diversity: float) -> DataFrame:
    """Rows of `style_rankings` for rows of `styles`. Args: best, diversity: as in `StyleSettings`."""
    sent = styles.sparkSession.sparkContext.broadcast(store)
    ranking = _ranking(sent, best, diversity)
    return styles.select("customer_id", "factors", "own", *_FLAGS).mapInArrow(ranking, STYLE_RANKINGS.ddl)


def _ranking(sent: Any, best: int, diversity: float) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def rank(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows > 0:
                yield rank_rows(batch, sent.value, best, diversity)

    return rank


def rank_rows(styles: pa.RecordBatch, store: InStore, best: int, diversity: float = 0.0) -> pa.RecordBatch:
    """The best articles of some customers; fewer where there are fewer in store."""
    names = store.names
    of_customers = pc.list_flatten(styles["factors"]).to_numpy(zero_copy_only=False).reshape(styles.num_rows, -1)
    own, rows = pc.list_flatten(styles["own"]), pc.list_parent_indices(styles["own"])
    column = pc.index_in(pc.struct_field(own, "product_id"), value_set=names)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    added = (
        rows.to_numpy(zero_copy_only=False).astype(np.int64)[known],
        column.drop_null().to_numpy(zero_copy_only=False).astype(np.int64),
        pc.struct_field(own, "score").to_numpy(zero_copy_only=False).astype(np.float32)[known],
    )
    found, intents = _listed(of_customers, store, best, diversity, added)
    row, place = np.nonzero(found >= 0)
    chosen = found[row, place]
    columns = {
        "customer_id": styles["customer_id"].take(pa.array(row)),
        "style_rank": pa.array((place + 1).astype(np.int32)),
        "product_id": names.take(pa.array(chosen)),
        "intent": pa.array(intents[row, place]),
        "is_new": pa.array(store.is_new[chosen]),
        **{name: styles[name].take(pa.array(row)) for name in _FLAGS},
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in STYLE_RANKINGS.column_names})


def _listed(
    of_customers: np.ndarray, store: InStore, best: int, diversity: float, added: Pairs
) -> tuple[np.ndarray, np.ndarray]:
    """Positions in store and intents of each list, as `best_products`; int64 and float32 [N, best]."""
    if diversity == 0.0 or not len(store.factors):
        return best_products(of_customers, store.factors, best, added)
    pool, intents = best_products(of_customers, store.factors, POOL * best, added)
    found, of_found = np.full((len(pool), best), -1, np.int64), np.full((len(pool), best), -np.inf, np.float32)
    at_once = max(1, _CANDIDATES_AT_ONCE // pool.shape[1])
    for first in range(0, len(pool), at_once):
        rows = slice(first, first + at_once)
        order = diverse_order(intents[rows], store.vectors[pool[rows]], best, diversity)
        taken = order >= 0
        found[rows][taken] = np.take_along_axis(pool[rows], order, axis=1)[taken]
        of_found[rows][taken] = np.take_along_axis(intents[rows], order, axis=1)[taken]
    return found, of_found


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
        names = pa.array(found.names[found.store].tolist(), pa.string())
        store = InStore(names, factors, is_new, found.vectors.shape[1])
        rows = ranked(styles, store, settings.styles.best, settings.styles.diversity)
        _, job.record.rows_out = stage_table(rows, job.workspace, STYLE_RANKINGS.name, job.run, inputs)
        job.record.details |= {"model": found.version, "in store": len(found.store), "new": int(is_new.sum())}


if __name__ == "__main__":
    main()
