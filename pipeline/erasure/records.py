"""A customer named in what runs said: stage records, gates' reports and logs, which quote rows that broke a rule.

Rows are quoted as `customer_id=C17` or `funnel_id=C17` (`pipeline.expectations.profile.examples`), and alerts call a
customer `customer C17`; those quotations are blanked. A bare id is not looked for: 17 is also a number of rows.
"""

import html
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.files import replace_text
from pipeline.workspace import Workspace

BLANK = "(erased)"
READ = (".jsonl", ".json", ".log", ".html", ".txt")


def quoted(ids: Sequence[str]) -> re.Pattern[str]:
    """What names one of these customers in a text, JSON or HTML; the id is its last group."""
    as_json = (json.dumps(each, ensure_ascii=ascii_alone)[1:-1] for each in ids for ascii_alone in (True, False))
    spelled = {*ids, *as_json, *map(html.escape, ids)}
    alternatives = "|".join(re.escape(each) for each in sorted(spelled, key=len, reverse=True))
    return re.compile(rf"(\b(?:customer_id=|funnel_id=|customer ))(?:{alternatives})(?![\w-])")


def blank_records(workspace: Workspace, ids: Sequence[str]) -> int:
    """Blank the customer's id in the records of all runs; returns how many files were changed.

    Called while no night of the source runs: a file is replaced whole, so that a killed call leaves the old or the new.
    """
    pattern, changed = quoted(ids), 0
    for path in _texts(workspace):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        blanked, found = pattern.subn(rf"\g<1>{BLANK}", text)
        if found:
            _replace(path, blanked)
            changed += 1
    return changed


def _texts(workspace: Workspace) -> Iterator[Path]:
    """Records and logs of the source's runs, and the logs of Airflow, which has one folder for all sources."""
    for folder in (workspace.runs, workspace.root / "data_docs", workspace.root.parent / "airflow"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in READ and path.is_file() and not path.is_symlink():
                yield path


def _replace(path: Path, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # what a tool wrote in another encoding stays as it is
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        return
    replace_text(path, text)
