"""Twenty deliveries and descriptions that are none, each refused with one line that names the file and the reason."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.settings import Settings
from pipeline.sources.opened import Delivered
from pipeline.sources.reader import check_readable, read_file
from pipeline.sources.source import SourceError, load_source
from pipeline.workspace import Workspace
from tests.spark_jobs.till import COLUMNS, GOOD, HEADER, describe

TEXT = f"{HEADER}\n{GOOD}\n"
Spoil = Callable[[Path], None]


def _bytes(content: bytes, name: str = "a.csv") -> Spoil:
    return lambda folder: (folder / "sales" / name).write_bytes(content) and None


def _archive(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _parquet(*names: str) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: ["x"] for name in names}), buffer)
    return buffer.getvalue()


def _described(old: str, new: str) -> Spoil:
    """The description with one thing replaced, beside a good delivery."""

    def spoil(folder: Path) -> None:
        _bytes(TEXT.encode())(folder)
        path = folder / "till.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return spoil


def _link(folder: Path) -> None:
    outside = folder.parent / "outside.csv"
    outside.write_text(TEXT)
    (folder / "sales" / "a.csv").symlink_to(outside)


_ZIP = _archive(("a.csv", TEXT.encode()))

# What is delivered, and a word of the reason.
CASES: dict[str, tuple[Spoil, str]] = {
    "an empty file": (_bytes(b""), "a.csv"),
    "no file at all": (lambda _folder: None, "no file matches"),
    "a folder of that name": (lambda folder: (folder / "sales" / "a.csv").mkdir(), "no file matches"),
    "noise": (_bytes(bytes(range(256)) * 40), "a.csv"),
    "UTF-16": (_bytes(TEXT.encode("utf-16")), "utf-16"),
    "another delimiter": (_bytes(TEXT.replace(",", ";").encode()), "a.csv"),
    "a column is missing": (_bytes(TEXT.replace("card", "nobody").encode()), "card"),
    "a column twice": (_bytes(TEXT.replace("group", "sku").encode()), "sku"),
    "half a gzip file": (_bytes(gzip.compress(TEXT.encode() * 500)[:-20], "a.csv.gz"), "a.csv.gz"),
    "gzip in name alone": (_bytes(TEXT.encode(), "a.csv.gz"), "a.csv.gz"),
    "half a zip file": (_bytes(_ZIP[: len(_ZIP) // 2], "a.zip"), "a.zip"),
    "a zip file of nothing": (_bytes(_archive(), "a.zip"), "a.zip"),
    "Parquet in name alone": (_bytes(TEXT.encode(), "a.parquet"), "a.parquet"),
    "half a Parquet file": (_bytes(_parquet(*HEADER.split(","))[:-30], "a.parquet"), "a.parquet"),
    "Parquet without a column": (_bytes(_parquet(*HEADER.split(",")[1:]), "a.parquet"), "day"),
    "a link out of the folder": (_link, "outside"),
    "files of another folder": (_described("sales/*", "../*"), "lies outside"),
    "an unknown key": (_described("timezone", "time_zone"), "time_zone"),
    "an unknown time zone": (_described("Europe/Berlin", "Europe/Atlantis"), "Europe/Atlantis"),
    "a description that is no TOML": (_described("[columns]", "[columns"), "till.toml"),
}


def refused(case: str, folder: Path) -> str:
    """The reason for which a delivery is refused.

    Raises: AssertionError: it was not refused, or without a word of the reason, or in many lines.
    """
    spoil, word = CASES[case]
    (folder / "sales").mkdir(parents=True)
    path = describe(folder)
    spoil(folder)
    if any(file.suffix == ".parquet" for file in (folder / "sales").iterdir()):
        with Path(path).open("r+") as file:
            text = file.read()
            file.seek(0)
            file.write('format = "parquet"\n' + text)
    reason = _reason(path, folder)
    assert reason is not None, f"{case}: was read"
    assert word in reason, f"{case}: {reason}"
    assert "\n" not in reason, f"{case}: {reason}"
    return reason


def _reason(path: str, folder: Path) -> str | None:
    try:
        _read_all(path, folder)
    except SourceError as error:
        return str(error)
    return None


def _read_all(path: str, folder: Path) -> None:
    """As `larder source check` and the night do: the description, the files, each one's columns, all lines."""
    source = load_source(path)
    columns = source.sales_columns
    assert set(columns) == set(COLUMNS)
    for file in source.delivered_files(Workspace.of(Settings(data_dir=folder / "var"), source.name)):
        delivered = Delivered(file, file.name)
        check_readable(delivered, source, columns)
        for batch in read_file(delivered, source, columns):
            assert batch.num_rows >= 0
