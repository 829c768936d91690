"""A delivered file as texts: opened, unpacked and decoded.

Hidden files, locks and what a Mac or Windows leaves in folders and archives are no deliveries; they are skipped, and
named by whoever reports on a delivery. A file that is visibly written otherwise than described is refused with the key
to set, before its first line is misread.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from pipeline.sources.layout import Layout
from pipeline.sources.leftovers import is_leftover
from pipeline.sources.source import SourceError

PARQUET = b"PAR1\x15"
"""What a Parquet file begins with: its mark and the first field of a header. A header of a CSV may begin with PAR1."""

# What a file that begins so is, and what to do; as text it would be a header of thousands of unreadable letters.
_NO_TEXT = {
    PARQUET: 'a Parquet file, not CSV; set `format = "parquet"`',
    b"PK\x03\x04": "a zip archive or an Excel workbook, not CSV; name it .zip, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook, not CSV; save the sheet as CSV",
    b"\x1f\x8b": "compressed with gzip; its name must end in .gz",
}


class Delivered(NamedTuple):
    """A file to read, under the name that rows carry as `source_file`."""

    path: Path
    label: str


def texts(delivered: Delivered, layout: Layout) -> Iterator[tuple[str, TextIO]]:
    """The file's texts by label; a zip archive's members follow each other.

    Raises: SourceError: for an archive without a file, or a file that is visibly no text, or of another encoding than
            described.
    """
    path, label = delivered
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [member for member in _members(archive) if not is_leftover(member.filename)]
            if not members:
                raise SourceError(f"{path}: the archive holds no file")
            for member in members:
                name = label if len(members) == 1 else f"{label}/{member.filename}"
                with archive.open(member) as binary:
                    yield name, _decoded(binary, layout, f"{path}: {member.filename}")
        return
    with gzip.open(path) if suffix == ".gz" else path.open("rb") as binary:
        yield label, _decoded(binary, layout, str(path))


def skipped_members(path: Path) -> list[str]:
    """The members of an archive that are skipped."""
    if path.suffix.lower() != ".zip":
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            return [member.filename for member in _members(archive) if is_leftover(member.filename)]
    except (OSError, zipfile.BadZipFile):
        return []  # whoever reads it says so


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if not member.is_dir()]


def _decoded(binary: Any, layout: Layout, where: str) -> TextIO:
    start = binary.peek(len(PARQUET))
    refuse_other_than_text(start, where)
    found = encoding_of(start[:4])
    described = layout.encoding.replace("_", "-")
    # utf-8-sig reads files with and without the mark that Excel writes.
    reads_mark = {"utf-8", "utf-8-sig"} if found == "utf-8" else {found, "utf-16", "utf-32"}
    is_wide = found is not None and found != "utf-8" and described.startswith(("utf-16", "utf-32"))
    if found is not None and described not in reads_mark and not is_wide:
        raise SourceError(f'{where}: is written in {found}, not in {layout.encoding}; set `encoding = "{found}"`')
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    return io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")


def refuse_other_than_text(start: bytes, where: str) -> None:
    """Raises: SourceError: for a file whose first bytes show that it is no text, with what it is and what to do."""
    for mark, what in _NO_TEXT.items():
        if start.startswith(mark):
            raise SourceError(f"{where}: is {what}")


def encoding_of(start: bytes) -> str | None:
    """The encoding that the first four bytes of a text show, by their mark or their zeros; None where they do not."""
    if start.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    if start in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        return "utf-32"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if len(start) == 4 and start[1] == start[3] == 0 and start[0] and start[2]:
        return "utf-16-le"
    if len(start) == 4 and start[0] == start[2] == 0 and start[1] and start[3]:
        return "utf-16-be"
    return None
