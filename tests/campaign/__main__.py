"""`make campaign`: every probe with a seed and a bound in time; the table goes into docs/results/campaign.md."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pipeline.files import replace_text
from pipeline.settings import REPOSITORY
from tests.campaign import kills, nights

Probe = Callable[[Path, int, float], Counter[str]]
PROBES: dict[str, Probe] = {
    "two attempts of one run, killed": kills.lake_attempts,
    "a night published again, killed": kills.alert_store,
    "nights of one source at once": nights.two_at_once,
}
FAULTS = ("half versions", "orphans", "half nights", "nights beside another")


def run(seeds: list[int], seconds: float) -> dict[str, Counter[str]]:
    """What each probe counted over all the seeds."""
    found: dict[str, Counter[str]] = {}
    for name, probe in PROBES.items():
        found[name] = Counter()
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="larder-campaign-") as folder:
                counted = probe(Path(folder), seed, seconds)
            for what, number in counted.items():
                found[name][what] += number
    return found


def faults(found: dict[str, Counter[str]]) -> int:
    """How many faults there were; any is one to mend."""
    return sum(counted[name] for counted in found.values() for name in FAULTS)


def table(found: dict[str, Counter[str]], seeds: list[int], seconds: float) -> str:
    """The page for docs/results."""
    lines = [
        "# Campaign: kills and contention",
        "",
        f"`make campaign`: {len(seeds)} seeds, {seconds:g} seconds a probe and seed. Every fault must be 0.",
        "",
        "| probe | tried | faults |",
        "|---|---|---|",
    ]
    for name, counted in found.items():
        tried = ", ".join(f"{number:,} {what}" for what, number in counted.items() if what not in FAULTS)
        bad = ", ".join(f"{number} {what}" for what, number in counted.items() if what in FAULTS)
        lines.append(f"| {name} | {tried} | {bad} |")
    return "\n".join([*lines, ""])


def main(argv: list[str] | None = None) -> None:
    """Run all probes and write the table; status 1 with a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "results" / "campaign.md")
    arguments = parser.parse_args(argv)
    found = run(arguments.seeds, arguments.seconds)
    text = table(found, arguments.seeds, arguments.seconds)
    replace_text(arguments.out, text)
    print(text)
    if faults(found):
        sys.exit("the campaign found faults")


if __name__ == "__main__":
    main()
