"""Date formats of delivered files: written the way Python's `strptime` reads them, translated for Spark.

Only directives with one meaning in both are allowed. Spark is stricter than C's strptime (30 February is no date), so
it decides which rows are accepted.
"""

import re

# Spark's pattern letters; where the second form is used, one or two digits are read ("3/7/2001").
_FIXED = {
    "%Y": "yyyy", "%y": "yy", "%m": "MM", "%d": "dd", "%b": "MMM", "%B": "MMMM",
    "%H": "HH", "%I": "hh", "%p": "a", "%M": "mm", "%S": "ss", "%f": "SSSSSS", "%z": "XX", "%%": "'%'",
}  # fmt: skip
_LOOSE = _FIXED | {"%m": "M", "%d": "d", "%H": "H", "%I": "h", "%M": "m", "%S": "s", "%f": "[SSSSSS][SSS][SS][S]"}
_UTC = re.compile(r"(?<!%)(?:Z|UTC|GMT)$")
# Years of two digits, as strptime and POSIX read them: 69 to 99 are of the last century.
FIRST_OF_LAST_CENTURY = 69
_TOKEN = re.compile(r"%.|[^%]+")


def java_pattern(time_format: str) -> str:
    """The Spark pattern of a strptime format; where nothing adjoins a number, one digit will do for two.

    >>> java_pattern("%d.%m.%Y %H:%M")
    "d'.'M'.'yyyy' 'H':'m"
    >>> java_pattern("%Y%m%d")
    'yyyyMMdd'

    Raises: ValueError: for an unknown directive or a format without year, month and day.
    """
    tokens = _TOKEN.findall(time_format)
    unknown = [token for token in tokens if token.startswith("%") and token not in _FIXED]
    if unknown or "".join(tokens) != time_format:
        raise ValueError(f"unknown directive {(unknown or ['%'])[0]!r}; known: {' '.join(_FIXED)}")
    for part, directives in {"year": "%Y %y", "month": "%m %b %B", "day": "%d"}.items():
        if not set(directives.split()) & set(tokens):
            raise ValueError(f"no {part} ({directives.replace(' ', ' or ')}) in it")
    pattern = ""
    for index, token in enumerate(tokens):
        if not token.startswith("%"):
            pattern += "'" + token.replace("'", "''") + "'"
            continue
        neighbours = tokens[max(index - 1, 0) : index] + tokens[index + 1 : index + 2]
        adjacent = any(neighbour.startswith("%") for neighbour in neighbours)
        pattern += (_FIXED if adjacent else _LOOSE)[token]
    return pattern


def checked_format(time_format: str) -> str:
    """The format itself, once it is known to be readable."""
    java_pattern(time_format)
    return time_format


def has_offset(time_format: str) -> bool:
    """Whether times carry their own offset from UTC: written as one, or as a letter Z or UTC at the end."""
    return "%z" in time_format or _UTC.search(time_format) is not None


def date_part(time_format: str) -> tuple[str, str | None]:
    """The format up to the time of day, and the character that ends it (None where there is no time of day).

    >>> date_part("%Y-%m-%dT%H:%M")
    ('%Y-%m-%d', 'T')
    >>> date_part("%d %b %Y")
    ('%d %b %Y', None)
    """
    for separator in (" ", "T"):
        head, found, tail = time_format.partition(separator)
        if found and not re.search(r"%[YymdbB]", tail):
            return head, separator
    return time_format, None
