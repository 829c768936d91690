"""A wrong description shows before a night runs: lines are tried by the checks that the night applies."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.settings import Settings
from spark_jobs.try_lines import main

DESCRIPTION = """
name = "corner-shop"
files = "sales/*.csv"
delimiter = ";"
decimal = ","
timezone = "Europe/Vienna"
time_format = "%d.%m.%Y"
columns = { sold_at = "date", customer = "client", product = "article", quantity = "qty", amount = "total" }
"""
HEADER = "date;client;article;qty;total"
GOOD = [f"{day:02}.11.2025;C-{day};4711;2;5,98" for day in range(1, 29)]


@pytest.fixture
def source(spark: SparkSession, tmp_path: Path, settings: Settings) -> Callable[..., str]:
    """Deliver lines and describe them; keyword arguments replace what the description says."""

    def deliver(*lines: str, old: str = "", new: str = "") -> str:
        (tmp_path / "sales").mkdir()
        # Two files, so that the first lines go on from one into the next.
        for name, part in (("a.csv", lines[:10]), ("b.csv", lines[10:])):
            (tmp_path / "sales" / name).write_text("\n".join((HEADER, *part)) + "\n")
        path = tmp_path / "mine.toml"
        path.write_text(DESCRIPTION.replace(old, new))
        return str(path)

    return deliver


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[list[str]]]:
    """The sentence, and the rows of the table below it as words."""
    sentence, *rows = capsys.readouterr().out.splitlines()
    return sentence, [row.split() for row in rows if row.strip()]


def test_of_good_files_every_line_would_be_accepted(
    source: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--source", source(*GOOD)])
    assert printed(capsys) == ("28 lines tried: 28 would be accepted, 0 refused", [])


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ('decimal = ","', 'decimal = "."', ["unparseable_number", "total", "28", "sales/a.csv", "2", "5,98"]),
        ('"%d.%m.%Y"', '"%Y-%m-%d"', ["unparseable_date", "date", "28", "sales/a.csv", "2", "01.11.2025"]),
    ],
)
def test_a_wrong_description_refuses_every_line_and_ends_with_an_error(
    source: Callable[..., str], capsys: pytest.CaptureFixture[str], old: str, new: str, row: list[str]
) -> None:
    with pytest.raises(SystemExit, match=r"source corner-shop: none of the 28 lines tried would be accepted"):
        main(["--source", source(*GOOD, old=old, new=new)])
    sentence, rows = printed(capsys)
    assert sentence == "28 lines tried: 0 would be accepted, 28 refused"
    assert row in rows


def test_days_and_months_taken_for_each_other_show_from_the_thirteenth(
    source: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--source", source(*GOOD, old="%d.%m.%Y", new="%m.%d.%Y")])
    sentence, rows = printed(capsys)
    assert sentence == "28 lines tried: 12 would be accepted, 16 refused"
    assert ["unparseable_date", "date", "16", "sales/b.csv", "4", "13.11.2025"] in rows


def test_reasons_are_counted_most_frequent_first_with_their_first_lines(
    source: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [
        GOOD[0].replace("4711", " "),
        *(line.replace("5,98", "NaN") for line in GOOD[1:6]),
        GOOD[6] + ";more",
        GOOD[7],
    ]
    main(["--source", source(*GOOD[7:], *bad)])
    sentence, rows = printed(capsys)
    assert sentence == "29 lines tried: 21 would be accepted, 8 refused"
    assert rows[2:8] == [
        ["not_a_number", "total", "5", "sales/b.csv", "14", "NaN"],
        ["sales/b.csv", "15", "NaN"],
        ["sales/b.csv", "16", "NaN"],
        ["missing_key", "article", "1", "sales/b.csv", "13"],
        ["column_count", "1", "sales/b.csv", "19", GOOD[6] + ";more"],
        ["duplicate_line", "1", "sales/b.csv", "20", "equal", "to", "sales/a.csv", "line", "2"],
    ]
    assert any("duplicates" in word for row in rows[8:] for word in row)


def test_no_more_lines_are_tried_than_the_limit(source: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["--source", source(*GOOD[:12], "bad"), "--lines", "12"])
    assert printed(capsys)[0] == "12 lines tried: 12 would be accepted, 0 refused"


def test_a_file_that_cannot_be_read_is_one_clear_error(source: Callable[..., str]) -> None:
    with pytest.raises(SystemExit, match=r"a\.csv: column 'sum' \(columns\.amount\) is missing"):
        main(["--source", source(*GOOD, old='"total"', new='"sum"')])
