"""`larder source init`: a description to correct, made from the files themselves.

Everything in it is a guess from names and from the first rows; what could not be found is named, not invented.
"""

import json
import re
from collections.abc import Sequence
from datetime import date
from os.path import commonpath, relpath
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.sources.guess_columns import (
    columns_by_name,
    is_numbers,
    name_column,
    number_marks,
    reads_all,
    time_format_of,
    timezone_of,
)
from pipeline.sources.guess_layout import Sample, sample_file
from pipeline.sources.layout import SalesColumns
from pipeline.sources.source import Source, SourceError

_WANTED = ("sold_at", "product", "customer", "quantity", "amount")
_DATED = (
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "{date}"),
    (re.compile(r"(?<!\d)20\d{6}(?!\d)"), "{date:%Y%m%d}"),
)


class Proposal(NamedTuple):
    """A description as nested keys, and what somebody should look at."""

    keys: dict[str, Any]
    remarks: list[str]

    def toml(self) -> str:
        """The description as a file; remarks are comments at its top."""
        lines = ["# Proposed by `larder source init`; correct it, then try it with `larder source check`."]
        lines += [f"# {remark}" for remark in self.remarks]
        lines += [f"{key} = {toml_value(value)}" for key, value in self.keys.items() if not isinstance(value, dict)]
        for key, section in self.keys.items():
            if isinstance(section, dict):
                lines += ["", f"[{key}]", *(f"{name} = {toml_value(value)}" for name, value in section.items())]
        return "\n".join(lines) + "\n"


def propose(files: Sequence[Path], folder: Path) -> Proposal:
    """A description of the files, for a TOML file in `folder`.

    Raises: SourceError: where a file cannot be read, or a column that every source needs is not found.
    """
    sample = sample_file(files[0])
    found = columns_by_name(sample.names)
    remarks: list[str] = []
    time_format = _find_time(sample, found)
    _find_numbers(sample, found)
    missing = [name for name in _WANTED if name not in found and not (name == "amount" and "unit_price" in found)]
    if missing:
        raise SourceError(
            f"{files[0]}: no column looks like {', '.join(missing)}; there are: {', '.join(sample.names)}; "
            "name them like that in a description of your own (docs/sources.md)"
        )
    if "amount" in found:
        found.pop("unit_price", None)
    keys: dict[str, Any] = {"name": _name(files[0]), "files": _pattern(files, folder)}
    if not all(path.resolve().is_relative_to(folder.resolve()) for path in files):
        keys["files_elsewhere"] = True
    keys |= sample.layout
    keys |= {"timezone": timezone_of(sample.names), "time_format": time_format}
    remarks.append(f"timezone is a guess from the headers' language: {keys['timezone']}")
    keys["session"] = "basket_id" if "basket" in found else "customer_day"
    keys |= _number_keys(sample, found) | _content_keys(sample, found, time_format, remarks)
    if _is_ambiguous(sample.column(sample.names.index(found["sold_at"])), time_format):
        remarks.append("no day after the twelfth says whether days or months come first in time_format")
    keys["columns"] = {ours: found[ours] for ours in SalesColumns.model_fields if ours in found}
    others = [name for name in sample.names if name not in found.values()]
    if (called := name_column(others)) is not None:
        others.remove(called)
        columns = {"product": found["product"], "name": called}
        keys["catalogue"] = {"files": keys["files"]} | sample.layout | {"columns": columns}
    if others:
        remarks.append(f"columns that are not used: {', '.join(others)}")
    Source.model_validate(keys)
    return Proposal(keys, remarks)


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict) and not value:
        return "{}"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, date):
        return value.isoformat()
    # TOML's basic strings are written as JSON's.
    return json.dumps(value, ensure_ascii=False)


def _find_time(sample: Sample, found: dict[str, str]) -> str:
    """The format of the column named so, or of the first that reads as times."""
    named = [sample.names.index(found["sold_at"])] if "sold_at" in found else []
    others = [number for number in range(len(sample.names)) if number not in named]
    for number in named + others:
        time_format = time_format_of(sample.column(number))
        name = sample.names[number]
        is_taken = name in found.values() and name != found.get("sold_at")
        if time_format is not None and not is_taken:
            found["sold_at"] = name
            return time_format
    raise SourceError(
        f"no column reads as dates or times; there are: {', '.join(sample.names)}; write `time_format` as Python's "
        "strptime does into a description of your own (docs/sources.md)"
    )


def _find_numbers(sample: Sample, found: dict[str, str]) -> None:
    """Columns named like numbers that hold none are none."""
    for ours in ("quantity", "amount", "unit_price"):
        if ours in found and not is_numbers(sample.column(sample.names.index(found[ours]))):
            del found[ours]


def _number_keys(sample: Sample, found: dict[str, str]) -> dict[str, str]:
    values = [
        value
        for ours in ("quantity", "amount", "unit_price")
        if ours in found
        for value in sample.column(sample.names.index(found[ours]))
    ]
    decimal, thousands = number_marks(values)
    keys = {"decimal": decimal} if decimal != "." else {}
    return keys | ({"thousands": thousands} if thousands else {})


def _content_keys(sample: Sample, found: dict[str, str], time_format: str, remarks: list[str]) -> dict[str, Any]:
    """Keys that the rows themselves ask for."""
    keys: dict[str, Any] = {}
    places = {ours: sample.names.index(theirs) for ours, theirs in found.items()}
    price = places.get("amount", places.get("unit_price", 0))
    below = [row for row in sample.rows if row[price].startswith(("-", "(")) and not _is_below(row[places["quantity"]])]
    if below:
        keys["negative_amounts"] = "discount"
        remarks.append(f"amounts below 0 without a return, such as {below[0][price]}, are taken for discounts")
    products = set(sample.column(places["product"]))
    odd = sorted(each for each in products if not re.search(r"\d", each))
    if odd and len(odd) <= 0.05 * len(products):
        keys["not_products"] = odd
        remarks.append("ids without a digit are taken for no products (postage, fees): see not_products")
    if not re.search("%[HI]", time_format) and len({tuple(row) for row in sample.rows}) < len(sample.rows):
        keys["duplicates"] = "keep"
        remarks.append("equal lines without a time of day are taken for scans of one product: see duplicates")
    without = sum(not row[places["customer"]] for row in sample.rows) / max(1, len(sample.rows))
    if without:
        remarks.append(f"{without:.0%} of the first rows have no customer; they count for stores and products")
    return keys


def _is_ambiguous(values: Sequence[str], time_format: str) -> bool:
    """Whether the other order of day and month reads every value as well."""
    swapped = time_format.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    return time_format.startswith(("%d", "%m")) and "%b" not in time_format and reads_all(values, swapped)


def _is_below(number: str) -> bool:
    return number.startswith(("-", "(")) or number.endswith("-")


def _name(path: Path) -> str:
    stem = path.name.split(".")[0]
    for dated, _ in _DATED:
        stem = dated.sub("", stem)
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return name or "mine"


def _pattern(files: Sequence[Path], folder: Path) -> str:
    """One path, a name with {date} where all files have one, or else one with *."""
    shared = Path(commonpath([path.resolve().parent for path in files]))
    place = relpath(shared, folder.resolve()) if shared.is_relative_to(folder.resolve()) else str(shared)
    prefix = "" if place == "." else f"{place}/"
    for dated, field in _DATED:
        spelled = {dated.sub("\0", path.name, count=1) for path in files}
        if len(spelled) == 1 and "\0" in next(iter(spelled)):
            return prefix + next(iter(spelled)).replace("\0", field)
    if len(files) == 1:
        return prefix + files[0].name
    suffixes = {"".join(path.suffixes) for path in files}
    return f"{prefix}*{next(iter(suffixes)) if len(suffixes) == 1 else ''}"
