"""What a till, Excel, pandas or a database writes around a value, taken off before anybody judges it.

Edges lose every kind of blank, also tabs, no-break and zero-width ones; letters are composed (NFC), so that two
spellings of one id are one. Ids lose a decimal part of zeros (17850.0, as pandas writes ids with gaps, or 17850,0 where
the comma is the decimal mark). Numbers get their sign in front (3.00-, (1.00) and the typographic minus) and plain
characters between their digits. A mark that stands for nothing (NULL, \\N) becomes nothing. Values that need none of it
pass through unchanged, at Arrow's speed.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.case_layout import CASE_NUMBER
from pipeline.sources.layout import Layout
from pipeline.sources.source import Source

IDS = frozenset({"customer", "store", "basket", "product", "delivery", "case"})
NUMBERS = frozenset({"quantity", "amount", "unit_price", "on_hand", "units", "price"})
_TIMES = frozenset({"sold_at", "arrives_on", "acted_at", "viewed_at"})
# Blanks and controls at the edges: Unicode's spaces, zero-width ones, soft hyphen, marks of byte order and direction.
EDGES = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u00ad\u1680\u180e" + "".join(
    map(chr, [*range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF])
)
_ZEROS = {".": r"^(-?\d+)\.0+$", ",": r"^(-?\d+)[.,]0+$"}
# An id that a spreadsheet shortened: all of its last digits are lost.
SHORTENED = r"^-?\d(?:[.,]\d+)?[eE]\+?\d{1,3}$"
_THOUSANDS = {" ": "\u00a0\u202f\u2009\u2007", "'": "\u2019"}


def clean(ours: str, values: pa.Array, layout: Layout) -> pa.Array:
    """The values of one of our columns as they are judged; null where nothing is left."""
    values = pc.utf8_trim(values, characters=EDGES)
    if ours in NUMBERS or ours.startswith(CASE_NUMBER):
        return _plain_numbers(values, layout)
    if ours in _TIMES:
        return values
    if not pc.all(pc.string_is_ascii(values)).as_py():
        values = _composed(values)
    if ours in IDS and any(_any(pc.match_substring(values, f"{mark}0")) for mark in {".", layout.decimal}):
        values = pc.replace_substring_regex(values, _ZEROS[layout.decimal], r"\1")
    marks = layout.null_values
    if ours == "customer" and isinstance(layout, Source):
        marks += layout.customers.no_customer
    known = _marks(marks)
    if len(known):
        is_mark = pc.is_in(values, value_set=known)
        if _any(is_mark):
            values = pc.if_else(is_mark, pa.scalar(None, pa.string()), values)
    return values


def clean_id(written: str, decimal: str = ".") -> str:
    """One id as it is kept, however it was written."""
    return re.sub(_ZEROS[decimal], r"\1", unicodedata.normalize("NFC", written.strip(EDGES)))


def _composed(values: pa.Array) -> pa.Array:
    """Letters with their accents as one character each; Arrow's own NFC leaves them apart."""
    encoded = values.dictionary_encode()
    known = encoded.dictionary.to_pylist()
    if all(unicodedata.is_normalized("NFC", each) for each in known):
        return values
    composed = pa.array([unicodedata.normalize("NFC", each) for each in known], pa.string())
    return composed.take(encoded.indices)


def _plain_numbers(values: pa.Array, layout: Layout) -> pa.Array:
    if not pc.all(pc.string_is_ascii(values)).as_py():
        values = pc.replace_substring(values, "\u2212", "-")
        for other in _THOUSANDS.get(layout.thousands, ""):
            values = pc.replace_substring(values, other, layout.thousands)
    if _any(pc.ends_with(values, "-")):
        values = pc.replace_substring_regex(values, r"^([^-+()]*[\d.,])\s*-$", r"-\1")
    if _any(pc.starts_with(values, "- ")):
        values = pc.replace_substring_regex(values, r"^-\s+", "-")
    if _any(pc.starts_with(values, "(")):
        values = pc.replace_substring_regex(values, r"^\(\s*([^-+()]*?)\s*\)$", r"-\1")
    return values


def _any(found: pa.Array) -> bool:
    return bool(pc.any(found).as_py())


@lru_cache(maxsize=64)
def _marks(marks: Collection[str]) -> pa.Array:
    """The marks in the spellings in which people and programs write them."""
    spellings = {each for mark in marks for each in (mark, mark.lower(), mark.upper(), mark.title(), mark.capitalize())}
    return pa.array(sorted(spellings), pa.string())
