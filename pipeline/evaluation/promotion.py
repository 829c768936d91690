"""Promote a run's candidate, or refuse it and say why; either way the night goes on.

The verdict is written onto the model's version in MLflow and into the run's folder, and repeating a promotion changes
nothing.
"""

from pipeline.evaluation.gate import Rule, Verdict, refusals
from pipeline.evaluation.scorecard import Scorecard
from pipeline.evaluation.serving import problems_of, usable_champion
from pipeline.settings import Settings
from pipeline.task import Task
from pipeline.tracking.registry import Registry
from pipeline.tracking.runs import record_verdict
from pipeline.workspace import Run, Workspace


def promote(task: Task, settings: Settings, workspace: Workspace, run: Run) -> Verdict:
    """Apply the gate to the version that this run registered, and move the alias `champion` if it passes.

    A champion that may not be used stands in no candidate's way.

    Args:   settings: of the task.
    Raises: FileNotFoundError: if the run has not trained.
    """
    registry = Registry(settings, workspace.root.name, task)
    folder = workspace.task_folder(run.run_id, task.name)
    scorecard = Scorecard.read(folder)
    number = registry.version_of_run(run.run_id)
    if number is None:
        raise FileNotFoundError(f"run {run.run_id} has registered no model; run the job train_model of this run first")
    candidate = registry.fetch(number)
    reasons: list[str] = []
    if registry.champion_number() != number:
        incumbent = usable_champion(registry, folder).champion
        lake, needed = workspace.lake, task.tables_beside_model
        tables = {name: lake.path(name, lake.resolve(name, run.run_id)) for name in needed}
        reasons = refusals(
            scorecard,
            problems=problems_of(registry, candidate),
            vocabulary_hash=task.vocabulary_hash(tables),
            champion_version=incumbent.version if incumbent else None,
            champion_business_date=incumbent.business_date if incumbent else None,
            rule=Rule.of(task, settings.promotion),
        )
        record_verdict(registry, number, not reasons, reasons)
        if not reasons:
            registry.make_champion(number)
    verdict = Verdict(
        candidate_version=candidate.version,
        champion_before=scorecard.champion_version,
        promoted=not reasons,
        reasons=reasons,
    )
    verdict.write(folder)
    return verdict
