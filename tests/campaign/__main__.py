"""`make campaign`: parts with a seed and a bound in time; their rows go into docs/results/campaign.md.

With a bound, a part that is not done in time keeps what it did and goes on at the next call; until then its row says so
and holds what was counted so far. Status 1 with a fault, 3 where a part is not done yet.
"""

import argparse
import json
import shutil
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from pipeline.files import replace_text
from pipeline.settings import REPOSITORY
from tests.campaign.bench import Bench, add
from tests.campaign.parts import PARTS, Part

UNFINISHED = "unfinished"
STATUS_FAULT, STATUS_UNFINISHED = 1, 3


@dataclass(frozen=True)
class Row:
    """What a part counted over its seeds, as docs/results keeps it.

    Args: seconds: the bound of a probe that has no end of its own; is_done: else cut off by time, and what is counted
          at the end alone is not there.
    """

    what: str
    seeds: list[int]
    tried: dict[str, int]
    faults: dict[str, int]
    seconds: float | None
    is_done: bool
    measured_on: str


def run(part: Part, folder: Path, seeds: list[int], seconds: float | None) -> Row:
    """A part with each seed, to its end or, with a bound, one step of it."""
    counted, is_done = Counter[str](), True
    for seed in seeds:
        own, found = folder / part.name / str(seed), Counter({UNFINISHED: 1})
        while found[UNFINISHED]:
            own.mkdir(parents=True, exist_ok=True)
            found = part.run(Bench(own, folder / "shared", seed, part.seconds if seconds is None else seconds))
            if seconds is not None:
                break
        is_done = is_done and not found.pop(UNFINISHED, 0)
        counted = add(counted, dict(found))
        if is_done and not _faults(part, found):
            shutil.rmtree(own)
    return Row(
        part.what,
        seeds,
        tried={name: number for name, number in counted.items() if name not in part.faults},
        # What is looked for at the end alone is no 0 before it.
        faults={name: counted[name] for name in part.faults if is_done or name in counted},
        seconds=part.bound(seconds),
        is_done=is_done,
        measured_on=date.today().isoformat(),
    )


def _faults(part: Part, counted: Counter[str]) -> dict[str, int]:
    """The faults that were found."""
    return {name: counted[name] for name in part.faults if counted[name]}


def table(rows: dict[str, Row]) -> str:
    """The page for docs/results."""
    lines = [
        "# Campaign: kills, contention, losses and attacks",
        "",
        "`make campaign`, two cores; a seed draws the moments. With a fault it ends with status 1.",
        "What each part is: [operating](../operating.md#the-campaign). Where a part was cut off by time",
        "the row says so: it goes on with the next call, and what is looked for at its end is not in the row yet.",
        "",
        "| part (`make campaign PARTS=...`) | what; as what | seeds | tried | faults | measured on |",
        "|---|---|---|---|---|---|",
    ]
    for name, part in PARTS.items():
        if name not in rows:
            lines.append(f"| {name} | {part.what} | | **not run yet** | | |")
            continue
        row = rows[name]
        tried = ", ".join(f"{number:,} {what}" for what, number in row.tried.items())
        tried += "" if row.is_done else " (**cut off by time**)"
        bad = ", ".join(f"{number} {what}" for what, number in row.faults.items())
        seeds = ", ".join(map(str, row.seeds)) + (f"; {row.seconds:g} s each" if row.seconds is not None else "")
        lines.append(f"| {name} | {row.what} | {seeds} | {tried} | {bad} | {row.measured_on} |")
    return "\n".join([*lines, ""])


def main(argv: list[str] | None = None) -> None:
    """Run parts and write their rows beside those of the others."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of: " + ", ".join(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--seconds", type=float, help="end a part's step after so long; default: none does")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "var" / "campaign", help="kept from step to step")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "results", help="folder of the table")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    given = parser.parse_args(argv)
    if given.list:
        for part in PARTS.values():
            print(f"{part.name:<10} {part.minutes:>3} min  {part.what}")
        return
    if unknown := [name for name in given.parts if name not in PARTS]:
        parser.error(f"unknown part {unknown[0]!r}; known: {', '.join(PARTS)}")
    kept = given.out / "campaign" / "rows.json"
    rows = {name: Row(**row) for name, row in json.loads(kept.read_text()).items()} if kept.is_file() else {}
    status = 0
    for name in given.parts or PARTS:
        rows[name] = row = run(PARTS[name], given.folder.resolve(), given.seeds, given.seconds)
        print(f"{name}: tried {row.tried}, faults {row.faults}", flush=True)
        if not row.is_done:
            print(f"{name}: not done in time; call it again, it goes on")
            status = status or STATUS_UNFINISHED
        status = STATUS_FAULT if any(row.faults.values()) else status
        kept.parent.mkdir(parents=True, exist_ok=True)
        replace_text(kept, json.dumps({each: asdict(rows[each]) for each in rows}, indent=1) + "\n")
        replace_text(given.out / "campaign.md", table(rows))
    if status == STATUS_FAULT:
        print(f"the campaign found faults; what they left is under {given.folder}")
    sys.exit(status)


if __name__ == "__main__":
    main()
