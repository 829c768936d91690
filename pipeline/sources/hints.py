"""What a trial of a description shows besides refused lines, and which key would mend it, in one sentence each."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.sources.source import Source

SHOWN = 5
# Below this share of lines a reason proposes nothing.
_WORTH_A_HINT = 0.001


class Trial(NamedTuple):
    """What was found: lines tried, refused lines by reason and column, and what is worth a word."""

    tried: int
    refused: Mapping[tuple[str, str | None], int]
    without_customer: int = 0
    shortened: Mapping[str, str] = {}
    guests: Sequence[str] = ()
    unusable: Sequence[str] = ()
    missing_days: Sequence[str] = ()
    skipped: Sequence[str] = ()


def hints(source: Source, trial: Trial) -> list[str]:
    """The sentences, the most serious first."""
    said = [f"the night would stop: {each}" for each in trial.unusable[:SHOWN]]
    said += _of_reasons(source, trial)
    said += [
        f"column {source.sales_columns[column]!r}: an id like {example} was shortened by a spreadsheet, so that many "
        "are one; deliver it as text"
        for column, example in trial.shortened.items()
    ]
    said += [f"customer {guest} has so many lines that it counts as sales without a customer" for guest in trial.guests]
    if trial.without_customer:
        share = trial.without_customer / max(1, trial.tried)
        said.append(f"{share:.1%} of the lines have no customer; they count for stores and products only")
    said += [f"did not come: {each}" for each in trial.missing_days[:SHOWN]]
    said += [f"skipped, since it is no delivery: {each}" for each in trial.skipped[:SHOWN]]
    return said


def _of_reasons(source: Source, trial: Trial) -> list[str]:
    counts: dict[str, int] = {}
    for (reason, _), lines in trial.refused.items():
        counts[reason] = counts.get(reason, 0) + lines
    has_times = re.search("%[HI]", source.time_format) is not None
    other = "," if source.decimal == "." else "."
    what = {
        "duplicate_line": (
            "equal lines are refused as delivered twice"
            + (
                "; if each is a scan of its own"
                if has_times
                else "; without a time of day they may well be scans; if so"
            )
            + ', set `duplicates = "keep"`'
        ),
        "negative_amount": 'amounts below 0 are refused; if they are coupons, set `negative_amounts = "discount"`',
        "unparseable_number": (
            f'numbers are not written as described; if they are like 2{other}00, set `decimal = "{other}"`, '
            "and `thousands` if digits are grouped"
        ),
        "unparseable_date": f"dates are not written like {source.time_format!r}; correct `time_format`",
        "bad_encoding": f'bytes are not {source.encoding}; try `encoding = "cp1252"` or what your export says',
        "column_count": "lines have another number of columns than the header; see `quote`, `escape` and `delimiter`",
    }
    worth = max(1.0, _WORTH_A_HINT * trial.tried)
    return [
        f"{counts[reason]:,} lines: {sentence}" for reason, sentence in what.items() if counts.get(reason, 0) >= worth
    ]
