"""A wrong description is one clear error; the last day is that of the business, not of a typing error."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import Settings
from pipeline.sources.last_day import last_business_day, last_day
from pipeline.sources.source import SourceError, file_day, load_source
from pipeline.workspace import Workspace

TEN_LINES = """
name = "mine"
files = "sales/*.csv"
timezone = "Europe/Berlin"
time_format = "%d.%m.%Y %H:%M"
[columns]
sold_at = "when"
customer = "card"
product = "sku"
quantity = "qty"
amount = "total"
"""


@pytest.fixture
def described(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


def test_ten_lines_describe_a_source_relative_to_their_file(
    described: Callable[[str], str], tmp_path: Path, workspace: Workspace
) -> None:
    source = load_source(described(TEN_LINES))
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "a.csv").write_text("when,card,sku,qty,total\n31.01.2026 08:00,c,p,1,2\n")
    assert source.delivered_files(workspace) == [tmp_path / "sales" / "a.csv"]
    assert last_day(source, workspace) == date(2026, 1, 31)


@pytest.mark.parametrize("how", ["above", "absolute", "link to a file", "link to a folder", "link to a link"])
def test_a_file_outside_the_folder_is_read_only_where_the_description_says_so(
    described: Callable[[str], str], tmp_path: Path, workspace: Workspace, how: str
) -> None:
    outside, own = tmp_path / "private", tmp_path / "delivered"
    outside.mkdir()
    (own / "sales").mkdir(parents=True)
    (outside / "a.csv").write_text("secret")
    pattern = {"above": "../private/*.csv", "absolute": f"{outside}/*.csv"}.get(how, "sales/*.csv")
    if how == "link to a file":
        (own / "sales" / "a.csv").symlink_to(outside / "a.csv")
    if how == "link to a folder":
        (own / "sales").rmdir()
        (own / "sales").symlink_to(outside)
    if how == "link to a link":
        (own / "b").symlink_to(outside / "a.csv")
        (own / "sales" / "a.csv").symlink_to(own / "b")
    path = own / "mine.toml"
    path.write_text(TEN_LINES.replace("sales/*.csv", pattern))
    with pytest.raises(SourceError, match=f"lies outside {own}"):
        load_source(str(path)).delivered_files(workspace)
    path.write_text("files_elsewhere = true" + TEN_LINES.replace("sales/*.csv", pattern))
    assert [file.resolve() for file in load_source(str(path)).delivered_files(workspace)] == [outside / "a.csv"]


def test_a_folder_that_is_itself_a_link_is_the_folder(
    described: Callable[[str], str], tmp_path: Path, workspace: Workspace
) -> None:
    real = tmp_path / "disk" / "raw"
    real.mkdir(parents=True)
    (real / "sales.csv").write_text("x")
    workspace.root.mkdir(parents=True)
    workspace.raw.symlink_to(real)
    assert load_source("csv").matching("*.csv", workspace) == [workspace.raw / "sales.csv"]


@pytest.mark.parametrize("name", ["shop", "tafeng", "csv"])
def test_shipped_descriptions_are_valid_and_lie_in_the_workspace(name: str, settings: Settings) -> None:
    source = load_source(name)
    workspace = Workspace.of(settings, source.name)
    assert source.name == name
    assert source.folder(workspace) == workspace.raw


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("timezone", "time_zone", "unknown key `time_zone`"),
        ('timezone = "Europe/Berlin"', "", "key `timezone` is missing"),
        ("Europe/Berlin", "Berlin", "key `timezone`: unknown time zone 'Berlin'"),
        ("%H:%M", "%H:%Q", "key `time_format`: unknown directive '%Q'"),
        ("%Y ", "", "no year"),
        ('amount = "total"', "", "exactly one of amount"),
        ('name = "mine"', 'name = "mine"\nsession = "basket_id"', "needs columns.basket"),
        ('%H:%M"', '"\nsession = "gap_minutes"', "needs a time of day"),
        ('name = "mine"', 'name = "mine"\nencoding = "utf-9"', "key `encoding`: unknown encoding"),
        ('name = "mine"', 'name = "mine"\ndelimiter = ";;"', "key `delimiter`"),
        ('name = "mine"', 'name = "../mine"', "key `name`"),
        ("[columns]", '[customers]\nattributes = { "Age group" = "age" }\n[columns]', "'Age group' is no name"),
        ("[columns]", "[columns", "not valid TOML"),
    ],
)
def test_a_wrong_description_names_file_and_key(
    described: Callable[[str], str], old: str, new: str, message: str
) -> None:
    with pytest.raises(SourceError) as error:
        load_source(described(TEN_LINES.replace(old, new)))
    assert "mine.toml: " in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_are_named_with_the_command_that_makes_them(workspace: Workspace) -> None:
    with pytest.raises(SourceError, match=r"no file matches .*shop/raw/sales/.*`larder simulate` makes them"):
        load_source("shop").delivered_files(workspace)


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_the_day_in_a_file_name_is_read_as_it_is_written(day: date) -> None:
    for pattern in ("sales_{date}.csv.gz", "{date:%Y%m%d}_*.csv", "a/b {date:%d.%m.%Y}"):
        name = Path(pattern.replace("*", "x").format(date=day)).name
        assert file_day(pattern, Path(name)) == day


@given(
    days=st.integers(1, 400),
    lines=st.integers(20, 1000),
    typos=st.lists(st.integers(60, 5000), max_size=3),
    closed=st.integers(0, 6),
)
def test_a_few_dates_far_in_the_future_do_not_move_the_last_day(
    days: int, lines: int, typos: list[int], closed: int
) -> None:
    first = date(2025, 1, 1)
    counts = {first + timedelta(days=day): lines for day in range(days) if day == days - 1 or day % 7 != closed}
    last = max(counts)
    if days >= 28:
        counts |= {last + timedelta(days=ahead): 1 for ahead in typos}
    assert last_business_day(counts) == last


def test_no_day_is_known_without_lines() -> None:
    assert last_business_day({}) is None
