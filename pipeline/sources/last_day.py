"""The last day of delivered sales, which the default business date follows.

A mistyped year must not move the night into the future, so a day counts only if it looks like a day of business: it
has at least 1 % of the lines of a middling day, and the four weeks that it ends hold at least 3 % of the lines of
middling four weeks.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

from pipeline.sources.layout import Layout
from pipeline.sources.opened import Delivered
from pipeline.sources.reader import read_file
from pipeline.sources.source import Source, SourceError, file_day
from pipeline.sources.time_format import date_part
from pipeline.workspace import Workspace

WINDOW_DAYS = 28
# A shop may rest for a season.
LONGEST_PAUSE_DAYS = 366
_FIRST = date.min + timedelta(days=WINDOW_DAYS)


def last_business_day(lines: dict[date, int]) -> date | None:
    """The last day that looks like a day of business, by lines per day; None without any line."""
    if not lines:
        return None
    windows = {
        day: sum(lines.get(day - timedelta(days=ago), 0) for ago in range(WINDOW_DAYS)) if day >= _FIRST else 0
        for day in lines
    }
    usual_day, usual_window = median(lines.values()), median(windows.values())
    plausible = [day for day in lines if lines[day] >= 0.01 * usual_day and windows[day] >= 0.03 * usual_window]
    return max(plausible)


def last_connected_day(days: Iterable[date], business_date: date) -> date | None:
    """How far a source goes on from the days before a business date, without a pause of more than a year.

    None where it has no day before it. What lies further off was stamped by a wrong clock.
    """
    ordered = sorted(days)
    reached = max((day for day in ordered if day < business_date), default=None)
    for day in ordered:
        if reached is not None and reached < day <= reached + timedelta(days=LONGEST_PAUSE_DAYS):
            reached = day
    return reached


def last_day(source: Source, workspace: Workspace) -> date:
    """The last day of the delivered files: from their names where these hold it, else from their lines.

    A few mistyped dates far in the future do not count.

    Raises: SourceError: when there are no files or none holds a readable date.
    """
    files = source.delivered_files(workspace)
    named = [day for day in (file_day(source.files, path) for path in files) if day is not None]
    if named:
        return max(named)
    columns = {"sold_at": source.sales_columns["sold_at"]}
    return _last_of(source, source, files, columns, source.time_format)


def last_action_day(source: Source, workspace: Workspace) -> date:
    """The last day of the delivered actions, likewise.

    Raises: SourceError: when there are no files or none holds a readable date.
    """
    layout = source.actions
    if layout is None:
        raise SourceError(f"source {source.name} describes no [actions]")
    files = source.files_of("actions", layout.files, workspace)
    return _last_of(source, layout, files, {"acted_at": layout.read_columns["acted_at"]}, layout.time_format)


def _last_of(source: Source, layout: Layout, files: list[Path], columns: dict[str, str], time_format: str) -> date:
    lines: Counter[date] = Counter()
    for path in files:
        lines += _lines_by_day(Delivered(path, path.name), layout, columns, time_format, source.timezone)
    found = last_business_day(lines)
    if found is None:
        (column,) = columns.values()
        raise SourceError(f"source {source.name}: no file has a date like {time_format!r} in column {column!r}")
    return found


def _lines_by_day(
    delivered: Delivered, layout: Layout, columns: dict[str, str], time_format: str, timezone: str
) -> Counter[date]:
    """Lines per day; only the distinct texts are parsed, the time of day left off, so that this is quick."""
    day_format, separator = date_part(time_format)
    (name,) = columns
    texts: Counter[str] = Counter()
    for batch in read_file(delivered, layout, columns, time_format=time_format, timezone=timezone):
        values = batch.column(name).drop_null().to_pylist()
        texts.update(value.strip().partition(separator)[0] if separator else value.strip() for value in values)
    lines: Counter[date] = Counter()
    for text, count in texts.items():
        try:
            lines[datetime.strptime(text, day_format).date()] += count
        except ValueError:
            continue
    return lines
