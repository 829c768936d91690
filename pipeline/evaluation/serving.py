"""The champion that may be used tonight: found, fetched and checked whole, or a reason why there is none.

A champion may be missing its files, hold NaN, be another class, name other products than its keys, not load, or not be
the file that was registered; the store that has it may not answer. A night never fails for that: it predicts without
the model, trains from nothing, and says why.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.evaluation.gate import Verdict
from pipeline.evaluation.scorecard import read_scorecard
from pipeline.tracking.former import adopt_former_champion
from pipeline.tracking.reachable import TrackingStoreError
from pipeline.tracking.registry import (
    Champion,
    RegisteredVersion,
    Registry,
    failing_plainly,
    file_digest,
    load_error,
    store_errors,
)


@dataclass(frozen=True)
class FoundChampion:
    """The champion, and what there is to say about it.

    Args: champion: None before the first, and where it may not be used; notes: for the record of the stage.
    """

    champion: Champion | None
    notes: list[str]

    @property
    def details(self) -> dict[str, str]:
        """The notes as details of a stage; nothing where there are none."""
        return {"champion": "; ".join(self.notes)} if self.notes else {}


def usable_champion(registry: Registry, task_folder: Path) -> FoundChampion:
    """The task's champion, if it is whole.

    A champion of the name that the task's models had before is adopted first, once. A file is loaded here only if the
    run did not load it already, to measure it.

    Args: task_folder: of the run (`Workspace.task_folder`).
    """
    try:
        with failing_plainly(registry.settings):
            notes = adopt_former_champion(registry)
            number = registry.champion_number()
    except TrackingStoreError as error:
        return FoundChampion(None, [f"no champion is used: {error}"])
    if number is None:
        return FoundChampion(None, notes)
    try:
        champion = registry.fetch(number)
    except store_errors() as error:
        return FoundChampion(None, [*notes, f"{registry.name}/{number} is not used: its files are missing: {error}"])
    problems = problems_of(registry, champion)
    if not problems and champion.version not in _loaded_by_run(task_folder):
        error_text = load_error(registry.task, champion.model_path)
        problems = [f"it does not load: {error_text}"] if error_text else []
    if problems:
        return FoundChampion(None, [*notes, f"{champion.version} is not used: " + "; ".join(problems)])
    return FoundChampion(champion, notes)


def problems_of(registry: Registry, version: RegisteredVersion) -> list[str]:
    """Why a fetched version must not be used; no code of its file is run, and no other file than ours is unpacked."""
    if version.digest and file_digest(version.model_path) != version.digest:
        return ["its file is not the one that was registered"]
    return registry.task.problems(version.model_path, version.served(registry.task).tables)


def _loaded_by_run(task_folder: Path) -> list[str | None]:
    """Versions that the run's training measured with the code at hand: the champion before it, and its candidate."""
    scorecard, verdict = read_scorecard(task_folder), Verdict.read(task_folder)
    return [scorecard.champion_version if scorecard else None, verdict.candidate_version if verdict else None]
