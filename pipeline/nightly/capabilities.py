"""Capabilities by hand: behind the night of `larder nightly`, or one alone, for a night that was published before."""

from collections.abc import Callable
from datetime import date

from pipeline.capabilities import CAPABILITIES
from pipeline.nightly.night import Night, StartedNight
from pipeline.nightly.running import NightFailed
from pipeline.settings import Settings
from pipeline.sources.source import Source
from pipeline.stages import Stage
from pipeline.workspace import Workspace


def published_night(
    settings: Settings, source: Source, described_in: str, capability: str, business_date: date | None
) -> Night:
    """The latest night that published what the capability reads, of that business date where one is given.

    Raises: NightFailed: there is none.
    """
    workspace = Workspace.of(settings, source.name)
    lake, reads = workspace.lake, CAPABILITIES[capability].reads
    nights = {
        version: lake.manifest(reads[0], version).business_date
        for version in lake.versions(reads[0])
        if all(lake.is_published(table, version) for table in reads)
    }
    found = [name for name, day in nights.items() if business_date in (None, day)]
    if not found:
        which = f" as of {business_date}" if business_date else ""
        known = ", ".join(sorted({str(day) for day in nights.values()})) or "none yet"
        raise NightFailed(
            f"no night of {source.name}{which} has published {', '.join(reads)}, which {capability} reads; "
            f"nights that have: {known}"
        )
    name = max(found, key=lambda each: (nights[each], found.index(each)))
    return Night(described_in, nights[name], name, workspace.runs / name)


def dags_of(capability: str) -> tuple[str, ...]:
    """What is run for a capability: its intake first, where it has one."""
    intake = CAPABILITIES[capability].intake if capability in CAPABILITIES else None
    return (intake, capability) if intake else (capability,)


def run_capabilities(
    started: StartedNight, names: tuple[str, ...], on_stage: Callable[[Stage], None]
) -> dict[str, str]:
    """Run the DAGs of capabilities one after another; why each failed one did, by its name."""
    failed = {}
    for name in names:
        try:
            for dag in dags_of(name):
                started.run(dag, on_stage)
        except NightFailed as error:
            failed[name] = str(error)
    return failed
