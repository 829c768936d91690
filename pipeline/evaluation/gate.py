"""The promotion gate: what a candidate must show before it becomes champion.

MLflow stores and serves an all-NaN model without complaint, so the gate is ours. Every condition is checked and every
failed one is reported, so that an operator sees all that is wrong at once.
"""

from datetime import date
from pathlib import Path

from pydantic import BaseModel

from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard
from pipeline.files import replace_text
from pipeline.settings import PromotionSettings

FILE_NAME = "promotion.json"


class Verdict(BaseModel):
    """What the gate decided about one candidate."""

    candidate_version: str
    champion_before: str | None
    promoted: bool
    reasons: list[str]
    """Why it was refused; empty when it was promoted."""

    def write(self, run_folder: Path) -> None:
        """Put it into the run's folder, whole or not at all."""
        replace_text(run_folder / FILE_NAME, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, run_folder: Path) -> "Verdict | None":
        """What was decided in that run; None while nothing was."""
        path = run_folder / FILE_NAME
        return cls.model_validate_json(path.read_text()) if path.is_file() else None


def refusals(
    scorecard: Scorecard,
    *,
    non_finite: list[str],
    sequences_vocabulary_hash: str,
    champion_version: str | None,
    champion_business_date: date | None,
    settings: PromotionSettings,
) -> list[str]:
    """The conditions that the candidate fails, in words; empty when it may become champion.

    Args:    scorecard: candidate, champion and baselines on tonight's window;
             non_finite: weights of the candidate that hold NaN or infinity;
             sequences_vocabulary_hash: of the sequences that tonight's predictions read;
             champion_version, champion_business_date: the champion right now.
    """
    reasons = []
    if non_finite:
        reasons.append(f"weights are not finite: {len(non_finite)} arrays, first {non_finite[0]}")
    if scorecard.vocabulary_hash != sequences_vocabulary_hash:
        reasons.append(
            f"trained with vocabulary {scorecard.vocabulary_hash}, the sequences use {sequences_vocabulary_hash}"
        )
    reasons += _weak_scores(scorecard, settings)
    if champion_version is None:
        return reasons
    if scorecard.champion_version != champion_version:
        reasons.append(
            f"measured against {scorecard.champion_version or 'no champion'}, the champion is now {champion_version}"
        )
    if champion_business_date is not None and scorecard.business_date < champion_business_date:
        reasons.append(
            f"business date {scorecard.business_date} is before the champion's {champion_business_date}: a backfill "
            "does not replace a newer champion"
        )
    return reasons


def _weak_scores(scorecard: Scorecard, settings: PromotionSettings) -> list[str]:
    """Score conditions, written so that a NaN fails them."""
    metric = settings.metric
    baseline = scorecard.models.get(settings.baseline, {}).get(metric)
    if baseline is None:
        known = ", ".join(sorted(scorecard.models))
        raise ValueError(f"the scorecard has no {metric} of promotion.baseline {settings.baseline!r}; models: {known}")
    candidate = scorecard.models[CANDIDATE][metric]
    reasons = []
    needed = baseline + settings.min_gain_over_baseline
    if not candidate > needed:
        reasons.append(f"{metric} {candidate:.4f} does not exceed {needed:.4f} ({settings.baseline} and minimum gain)")
    champion = scorecard.models.get(CHAMPION, {}).get(metric)
    if champion is not None and not candidate >= champion - settings.max_loss_to_champion:
        reasons.append(
            f"{metric} {candidate:.4f} falls behind the champion's {champion:.4f} by more than "
            f"{settings.max_loss_to_champion}"
        )
    return reasons
