"""What the catalogue says of each article for styles: tags, numbers, picture, and when it is in store.

Input: the catalogue files of the source. Output: `articles`, one row per product of the catalogue. Of several lines of
one product the first that says something counts, for each column. A picture that cannot be used is reported in its row
and counted in the run's record; it ends no job. Pictures outside the source's folder are not opened.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.sources.layout import CatalogueFiles
from pipeline.sources.opened import Delivered
from pipeline.sources.source import Source, SourceError
from pipeline.tables.articles import ARTICLES, OUTSIDE
from spark_jobs.delivered import MONEY, number, read_delivered, read_time, refuse_unreadable, text
from spark_jobs.session import arg_parser, open_job, open_session, publish_table

_WORD = r"[\p{L}\p{N}]{3,}"
_CHECKED_SIDE = 8


def article_rows(raw: DataFrame, source: Source, files: CatalogueFiles) -> DataFrame:
    """Catalogue lines as articles, their pictures not yet looked at."""
    given = files.article_columns
    nothing = F.lit(None)
    days = {name: nothing.cast("date") for name in ("available_from", "available_until")}
    for name in days.keys() & given.keys():
        days[name] = read_time(text(name), files.date_format).cast("date")
    price = nothing.cast("double")
    if "price" in given:
        price = number(text("price"), files, MONEY).cast("double") * (100.0 if source.money == "currency" else 1.0)
    image = text("image") if "image" in given else nothing.cast("string")
    values = {"price_cents": F.when(price >= 0, price), "image_file": image, **days}
    values |= {
        f"number_{row}": number(text(f"number_{row}"), files, MONEY).cast("double") for row in _rows(files.numbers)
    }
    values |= {name: text(name) for name in given if name.startswith(("tag_", "word_"))}
    said = [value.alias(name) for name, value in values.items()]
    lines = raw.where(F.col("problem").isNull() & text("product").isNotNull())
    lines = lines.select(text("product").alias("product_id"), "source_file", "source_line", *said)
    place = F.struct("source_file", "source_line")
    first = [F.min_by(name, F.when(F.col(name).isNotNull(), place)).alias(name) for name in values]
    # A table may hold no null within a list; NaN says that there is no number.
    numbers = [F.coalesce(f"number_{row}", F.lit(float("nan"))) for row in _rows(files.numbers)]
    return (
        lines.groupBy("product_id")
        .agg(*first)
        .select(
            "product_id",
            _tags(files).alias("tags"),
            F.array(*numbers).cast("array<double>").alias("numbers"),
            "price_cents",
            "image_file",
            *days,
        )
    )


def with_pictures(articles: DataFrame, folder: Path, anywhere: bool) -> DataFrame:
    """Articles with the hash of each picture, or why it cannot be used.

    Args: folder: what picture files are relative to; anywhere: whether they may lie outside of it.
    """
    schema = "product_id string, image_hash string, image_problem string"

    def check(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [_checked(folder, file, anywhere) for file in batch.column(1).to_pylist()]
            hashes, problems = ([row[part] for row in rows] for part in (0, 1))
            columns = [batch.column(0), pa.array(hashes, pa.string()), pa.array(problems, pa.string())]
            yield pa.RecordBatch.from_arrays(columns, ["product_id", "image_hash", "image_problem"])

    named = articles.where(F.col("image_file").isNotNull()).select("product_id", "image_file")
    parts = 2 * articles.sparkSession.sparkContext.defaultParallelism
    checked = named.repartition(parts).mapInArrow(check, schema)
    return articles.join(checked, "product_id", "left")


def _checked(folder: Path, file: str, anywhere: bool) -> tuple[str | None, str | None]:
    """Hash of a picture's file, or what is wrong with it."""
    from pipeline.dataset.pictures import read_picture

    path = folder / file
    if not anywhere and not path.resolve().is_relative_to(folder.resolve()):
        return None, OUTSIDE
    found = read_picture(path, _CHECKED_SIDE)
    return (None, found) if isinstance(found, str) else (hashlib.sha256(path.read_bytes()).hexdigest(), None)


def _tags(files: CatalogueFiles) -> Column:
    """`column=value` of every tag, and every word of the described columns; null parts say nothing."""
    parts = [F.array().cast("array<string>")]
    for row, column in enumerate(files.tags):
        value = F.col(f"tag_{row}")
        each = F.split(value, rf"\Q{files.tag_separator}\E") if files.tag_separator else F.array(value)
        named = F.transform(each, _naming(column))
        parts.append(F.when(value.isNotNull(), named).otherwise(F.array().cast("array<string>")))
    for row in _rows(files.words):
        words = F.regexp_extract_all(F.lower(F.col(f"word_{row}")), F.lit(f"({_WORD})"))
        parts.append(F.coalesce(words, F.array().cast("array<string>")))
    return F.array_sort(F.array_distinct(F.concat(*parts)))


def _naming(column: str) -> Callable[[Column], Column]:
    return lambda tag: F.concat(F.lit(f"{column}="), F.trim(tag))


def _rows(columns: tuple[str, ...]) -> range:
    return range(len(columns))


def main(argv: list[str] | None = None) -> None:
    """Read the catalogue, look at its pictures, publish `articles`."""
    with open_job("ingest_articles", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ARTICLES.name):
            return
        source, files = job.source, job.source.catalogue
        if files is None:
            raise SourceError(f"source {source.name}: styles need a catalogue; describe it as [catalogue]")
        found, folder = source.matching(files.files, job.workspace), source.folder(job.workspace)
        if not found:
            raise SourceError(f"source {source.name}: no file matches {folder / files.files} (catalogue)")
        spark = open_session(job.name, job.settings)
        delivered = [Delivered(path, path.name) for path in found]
        raw = read_delivered(spark, delivered, source, files, files.article_columns)
        refuse_unreadable(raw)
        articles = with_pictures(article_rows(raw, source, files), folder, source.files_elsewhere).cache()
        job.record.rows_in = job.record.rows_out = articles.count()
        bad = articles.where("image_problem IS NOT NULL").groupBy("image_problem").count()
        job.record.details["pictures"] = {row.image_problem: row["count"] for row in bad.collect()}
        publish_table(articles, job, ARTICLES.name, {}, files=1)


if __name__ == "__main__":
    main()
