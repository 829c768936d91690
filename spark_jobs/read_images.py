"""What the models of article vectors read of each picture (`article_images`), made once per picture.

A picture is named by the hash of its file: rows of the version before are taken over, and only new pictures are read.
Without `styles.image_weights` a row is the picture itself, small; with it, the outputs of that network.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.dataset.image_network import ImageNetwork
from pipeline.tables.article_images import ARTICLE_IMAGES
from pipeline.tables.articles import ARTICLES
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_table


def read_new(named: DataFrame, folder: Path, network: ImageNetwork) -> DataFrame:
    """Rows of pictures: `image_hash` and `image_file` in. One that cannot be read any more is left out."""

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            pixels, outputs = network.read([folder / file for file in batch["image_file"].to_pylist()])
            rows = pa.table(
                {
                    "image_hash": batch["image_hash"],
                    "network": pa.array([network.name] * batch.num_rows, pa.string()),
                    "pixels": pa.array(pixels, pa.binary()),
                    "vector": pa.array(outputs, pa.list_(pa.float32())),
                }
            )
            yield from rows.to_batches()

    parts = 2 * named.sparkSession.sparkContext.defaultParallelism
    rows = named.repartition(parts).mapInArrow(read, ARTICLE_IMAGES.ddl)
    return rows.where("pixels IS NOT NULL OR vector IS NOT NULL")


def main(argv: list[str] | None = None) -> None:
    """Read this run's articles and the images so far, publish `article_images`."""
    with open_job("read_images", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ARTICLE_IMAGES.name):
            return
        network = ImageNetwork.of(job.settings.styles)
        # In the executors it would be a trace.
        network.check()
        spark = open_session(job.name, job.settings)
        articles, version = read_table(spark, job.workspace, ARTICLES.name, job.run.run_id)
        inputs = {ARTICLES.name: version}
        shown = (
            articles.where("image_hash IS NOT NULL").groupBy("image_hash").agg(F.min("image_file").alias("image_file"))
        )
        if job.workspace.lake.current(ARTICLE_IMAGES.name) is None:
            known = spark.createDataFrame([], ARTICLE_IMAGES.ddl)
        else:
            before, inputs[ARTICLE_IMAGES.name] = read_table(spark, job.workspace, ARTICLE_IMAGES.name, job.run.run_id)
            known = before.where(F.col("network") == network.name).join(shown, "image_hash", "left_semi")
        fresh = shown.join(known, "image_hash", "left_anti")
        job.record.rows_in, kept = shown.count(), known.count()
        new = read_new(fresh, job.source.folder(job.workspace), network)
        rows = known.select(*ARTICLE_IMAGES.column_names).unionByName(new).cache()
        job.record.details |= {"network": network.name, "taken over": kept}
        publish_table(rows, job, ARTICLE_IMAGES.name, inputs)


if __name__ == "__main__":
    main()
