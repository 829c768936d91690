"""The files of the simulated sales team: what its system would export, a description of them, and the truth apart."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from pathlib import Path

from pipeline.files import replace_text
from pipeline.simulator.sales_cases import SalesCase, SalesSettings, right_remainder, simulate_cases
from pipeline.sources.source import SHIPPED


def write_sales(settings: SalesSettings, folder: Path) -> Path:
    """Write raw/actions.csv and raw/cases.csv up to the business date, sales.toml, and truth/; returns raw/."""
    cases = simulate_cases(settings)
    end = datetime.combine(settings.business_date, time())
    known = [case for case in cases if case.times[0] < end]
    raw, truth = folder / "raw", folder / "truth"
    for each in (raw, truth):
        each.mkdir(parents=True, exist_ok=True)
    lines = sorted(
        (moment, case.case, action, case.agent)
        for case in known
        for action, moment in zip(case.actions, case.times, strict=True)
        if moment < end
    )
    replace_text(raw / "actions.csv", _csv(["acted_at", "case_id", "action", "agent"], lines))
    said = [
        (case.case, case.segment, case.channel, case.region, f"{case.employees:.0f}", _outcome(case, end))
        for case in known
    ]
    replace_text(raw / "cases.csv", _csv(["case_id", "segment", "channel", "region", "employees", "outcome"], said))
    true = [(case.case, json.dumps(case.actions), json.dumps(_right(case, ())), int(case.won)) for case in known]
    replace_text(truth / "cases.csv", _csv(["case_id", "actions", "right_actions", "won"], true))
    replace_text(truth / "settings.json", settings.model_dump_json(indent=1) + "\n")
    described = (SHIPPED / "sales.toml").read_text(encoding="utf-8")
    replace_text(folder / "sales.toml", described.replace('files = "', 'files = "raw/'))
    return raw


def ceiling(cases: Iterable[SalesCase]) -> float:
    """How often a perfect knower of the generator is right about the next action, at every moment of every case."""
    right = moments = 0
    for case in cases:
        for done in range(1, len(case.actions)):
            right += _right(case, case.actions[:done])[:1] == case.actions[done : done + 1]
            moments += 1
    return right / moments if moments else 0.0


def _right(case: SalesCase, done: tuple[str, ...]) -> tuple[str, ...]:
    return right_remainder(case.segment, case.channel, case.employees, done)


def _outcome(case: SalesCase, end: datetime) -> str:
    """What the team's system says on the business date: nothing while the case is open."""
    if case.times[-1] >= end:
        return ""
    return "won" if case.won else "lost"


def _csv(header: list[str], rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
