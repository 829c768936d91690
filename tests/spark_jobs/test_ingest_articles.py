"""Articles have the catalogue's tags, numbers and days; a bad picture is reported and ends nothing."""

import math
from datetime import date
from pathlib import Path

import pytest
from PIL import Image
from pyspark.sql import SparkSession

from pipeline.workspace import Workspace
from spark_jobs.ingest_articles import main
from tests.factories import BUSINESS_DATE

DESCRIPTION = """
name = "boutique"
files = "sales.csv"
timezone = "UTC"
time_format = "%Y-%m-%d"
columns = { sold_at = "day", customer = "who", product = "what", quantity = "n", amount = "paid" }

[catalogue]
files = "catalogue.csv"
tags = ["brand", "colour"]
tag_separator = "|"
words = ["text"]
numbers = ["cotton", "wool"]
date_format = "%d.%m.%Y"
columns = { product = "id", price = "price", image = "picture", available_from = "from", available_until = "until" }
"""
HEADER = "id,brand,colour,text,cotton,wool,price,picture,from,until\n"


def test_a_catalogue_becomes_articles_and_bad_pictures_are_reported(
    spark: SparkSession, workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "boutique"
    (folder / "images").mkdir(parents=True)
    Image.new("RGB", (40, 20), (200, 0, 0)).save(folder / "images" / "a.png")
    Image.new("RGB", (40, 20), (200, 0, 0)).save(tmp_path / "secret.png")
    (folder / "images" / "b.png").write_text("no picture")
    (folder / "boutique.toml").write_text(DESCRIPTION)
    (folder / "catalogue.csv").write_text(
        HEADER
        + "a,Alp,red|blue,A red dress for the summer,0.5,dear,10.00,images/a.png,01.02.2026,01.03.2026\n"
        + "b,,,,,,,images/b.png,,\n"
        + "b,Berg,green,Dress,1,0,5.00,images/a.png,soon,\n"
        + "c,,,,,,,../secret.png,,\n"
        + "d,,,,,,,,,\n"
        + "e,,,,,,,images/none.png,,\n"
    )
    main(["--source", str(folder / "boutique.toml"), "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"])
    lake = Workspace(workspace.root.parent / "boutique").lake
    found = {row.product_id: row for row in spark.read.parquet(str(lake.path("articles", "run1"))).collect()}
    assert set(found) == set("abcde")
    one = found["a"]
    assert one.tags == ["brand=Alp", "colour=blue", "colour=red", "dress", "for", "red", "summer", "the"]
    assert one.numbers[0] == 0.5
    assert math.isnan(one.numbers[1])
    assert (one.price_cents, one.available_from, one.available_until) == (1000.0, date(2026, 2, 1), date(2026, 3, 1))
    assert len(one.image_hash) == 64
    assert found["b"].tags == ["brand=Berg", "colour=green", "dress"], "a blank line hides nothing"
    assert found["b"].available_from is None
    problems = {name: row.image_problem for name, row in found.items()}
    assert problems == {"a": None, "b": "not an image", "c": "outside the folder", "d": None, "e": "missing"}
    assert [name for name, row in found.items() if row.image_hash] == ["a"]
    main(["--source", str(folder / "boutique.toml"), "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"])


def test_a_source_without_a_catalogue_is_named(spark: SparkSession, workspace: Workspace) -> None:
    with pytest.raises(SystemExit, match="describe it as \\[catalogue\\]"):
        main(["--source", "tafeng", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"])
