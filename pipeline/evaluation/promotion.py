"""Promote tonight's candidate, or refuse it and say why; either way the night goes on.

The verdict is written onto the model's version in MLflow and into the run's folder, and repeating a promotion changes
nothing.
"""

from pipeline.evaluation.gate import Verdict, refusals
from pipeline.evaluation.scorecard import Scorecard
from pipeline.evaluation.stored_model import non_finite_weights, vocabulary_hash
from pipeline.settings import Settings
from pipeline.tracking.registry import champion_number, fetch, make_champion, version_of_run
from pipeline.tracking.runs import record_verdict
from pipeline.workspace import Run, Workspace


def promote(settings: Settings, workspace: Workspace, run: Run) -> Verdict:
    """Apply the gate to the version that this run registered, and move the alias `champion` if it passes.

    Raises: FileNotFoundError: if the run has not trained.
    """
    source_name = workspace.root.name
    scorecard = Scorecard.read(workspace.run_folder(run.run_id))
    number = version_of_run(settings, source_name, run.run_id)
    if number is None:
        raise FileNotFoundError(f"run {run.run_id} has registered no model; run the job train_model of this run first")
    candidate = fetch(settings, source_name, number)
    current = champion_number(settings, source_name)
    incumbent = fetch(settings, source_name, current) if current else None
    reasons: list[str] = []
    if current != number:
        vocabulary = workspace.lake.path("vocabulary", workspace.lake.resolve("vocabulary", run.run_id))
        reasons = refusals(
            scorecard,
            non_finite=non_finite_weights(candidate.model_path),
            sequences_vocabulary_hash=vocabulary_hash(vocabulary),
            champion_version=incumbent.version if incumbent else None,
            champion_business_date=incumbent.business_date if incumbent else None,
            settings=settings.promotion,
        )
        record_verdict(settings, source_name, number, not reasons, reasons)
        if not reasons:
            make_champion(settings, source_name, number)
    verdict = Verdict(
        candidate_version=candidate.version,
        champion_before=scorecard.champion_version,
        promoted=not reasons,
        reasons=reasons,
    )
    verdict.write(workspace.run_folder(run.run_id))
    return verdict
