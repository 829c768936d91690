"""A vector of every article (`item_vectors`), for the gate that publishes them.

The champion makes them of image, tags and numbers, so that an article that nobody bought yet has one, too. Before the
first champion the tags alone do, and `fallback` says so.
"""

from pyspark.sql import DataFrame

from pipeline.tables.item_vectors import ITEM_VECTORS
from pipeline.tasks.catalog import ITEM_VECTORS as TASK
from pipeline.tasks.catalog import task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import arg_parser, open_job, open_session, read_tables


def described_articles(articles: DataFrame, images: DataFrame) -> DataFrame:
    """Articles with `pixels` and `vector` of their images."""
    columns = ("product_id", "tags", "numbers", "price_cents", "pixels", "vector")
    return articles.join(images, "image_hash", "left").select(*columns)


def main(argv: list[str] | None = None) -> None:
    """Read this run's articles and the champion, stage the vectors for their gate."""
    with open_job("predict_item_vectors", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ITEM_VECTORS.name):
            return
        task, settings = task_and_settings(TASK.name, job.settings, job.source)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, *task.reads)
        rows = described_articles(frames["articles"], frames["article_images"])
        job.record.rows_in = frames["articles"].count()
        stage_predictions(spark, job, Registry(settings, job.source.name, task), rows, inputs)


if __name__ == "__main__":
    main()
