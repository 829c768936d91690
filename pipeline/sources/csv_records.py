"""CSV files as records, each with the physical line on which it starts.

Python's csv module does the parsing, because it alone knows which physical line a record starts on, and reads about as
fast as Spark's own reader. A quote that is opened by mistake costs its own line only: the lines that it swallowed are
read again.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TextIO

from pipeline.sources.layout import WHITESPACE, Layout

BATCH_RECORDS = 20_000
REPLACEMENT = "\ufffd"
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class Record(NamedTuple):
    """One record of a CSV file; `fields` is None where its columns cannot be told apart."""

    line: int
    fields: list[str] | None
    problem: str | None
    text: str


class Records(NamedTuple):
    """A batch of records, as columns; no problems: None."""

    lines: list[int]
    fields: Sequence[list[str] | None]
    problems: list[str | None] | None
    texts: list[str]


def preamble(lines: "Lines", layout: Layout) -> Layout:
    """Pass what stands before the header; a first line `sep=;`, as saved for Excel, says the delimiter itself."""
    for _ in range(layout.skip_lines):
        next(lines, None)
    lines.record.clear()
    said = _SEPARATOR.fullmatch(next(lines, ""))
    if said is None:
        lines.give_back(0)
        return layout
    return layout.model_copy(update={"delimiter": said[1]})


def batches(lines: "Lines", layout: Layout, width: int) -> Iterator[Records]:
    """All records, in order; nearly all files are read at full speed."""
    while batch := _plain_records(lines, layout, width) or _difficult_records(lines, layout, width):
        yield batch


class Lines:
    """Physical lines; those of the record being read are kept, so that they can be given back."""

    def __init__(self, text: TextIO, comment: str = "") -> None:
        self._text = text
        self._comment = comment
        self._returned: list[str] = []
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        while True:
            line = self._returned.pop() if self._returned else next(self._text)
            self.number += 1
            self.record.append(line)
            if not self._comment or not line.startswith(self._comment):
                return line
            if len(self.record) == 1:
                self.record.clear()

    def give_back(self, keep: int) -> None:
        """All lines of the record but the first `keep` will be read again."""
        self._returned.extend(reversed(self.record[keep:]))
        self.number -= len(self.record) - keep
        del self.record[keep:]

    def take(self, count: int) -> list[str]:
        """The next lines as the record being read; fewer at the end of the file."""
        returned = [self._returned.pop() for _ in range(min(count, len(self._returned)))]
        self.record = returned + list(islice(self._text, count - len(returned)))
        self.number += len(self.record)
        return self.record


def _plain_records(lines: Lines, layout: Layout, width: int) -> Records | None:
    """A batch in which every line is one right record: nearly all of them, and read at full speed.

    None, with nothing consumed, where a line needs a closer look.
    """
    if layout.comment:
        return None
    first = lines.number + 1
    taken = lines.take(BATCH_RECORDS)
    try:
        fields = list(_parser(taken, layout))
    except csv.Error:
        fields = []
    # As many records as lines: none spans two.
    plain = len(fields) == len(taken) and all(len(record) == width for record in fields)
    if not taken or not plain or any(REPLACEMENT in text for text in taken):
        lines.give_back(0)
        return None
    numbers = list(range(first, first + len(taken)))
    return Records(numbers, fields, None, [text.rstrip("\r\n") for text in taken])


def _difficult_records(lines: Lines, layout: Layout, width: int) -> Records | None:
    """A batch read record by record; None at the end of the file."""
    found = list(islice(records(lines, layout, width), BATCH_RECORDS))
    if not found:
        return None
    numbers, fields, problems, written = (list(values) for values in zip(*found, strict=True))
    return Records(numbers, fields, problems, written)


def _parser(lines: Iterable[str], layout: Layout) -> Iterator[list[str]]:
    delimiter = layout.delimiter
    if delimiter == WHITESPACE:
        lines, delimiter = (" ".join(line.split()) for line in lines), " "
    if layout.escape:
        # A database's mark of nothing; unescaped it would be the letter N.
        lines = (re.sub(_nothing(delimiter), r"\1", line) for line in lines) if layout.escape == "\\" else lines
        escape: str | None = layout.escape
    else:
        escape = None
    if not layout.quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, escapechar=escape, strict=True)
    return csv.reader(lines, delimiter=delimiter, quotechar=layout.quote, escapechar=escape, strict=True)


def _nothing(delimiter: str) -> str:
    return rf"(^|{re.escape(delimiter)})\\N(?={re.escape(delimiter)}|[\r\n]|$)"


def records(lines: Lines, layout: Layout, width: int | None) -> Iterator[Record]:
    parsed = _parser(lines, layout)
    while True:
        lines.record.clear()
        try:
            fields: list[str] | None = next(parsed)
        except StopIteration:
            return
        except csv.Error:
            fields = None
        if fields is not None and not fields:
            continue  # an empty line is no record
        right_width = fields is not None and (width is None or len(fields) == width)
        if not right_width:
            fields = None
            lines.give_back(1)
            parsed = _parser(lines, layout)
        text = "".join(lines.record).rstrip("\r\n")
        problem = "bad_encoding" if REPLACEMENT in text else None if right_width else "column_count"
        yield Record(lines.number - len(lines.record) + 1, fields, problem, text)
