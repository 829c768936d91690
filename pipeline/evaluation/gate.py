"""The promotion gate: what a candidate of any task must show before it becomes champion.

MLflow stores and serves an all-NaN model without complaint, so the gate is ours. Every condition is checked and every
failed one is reported, so that an operator sees all that is wrong at once.
"""

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel

from models.refusal import Refusal
from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard
from pipeline.files import replace_text
from pipeline.settings import PromotionSettings
from pipeline.task import Task

FILE_NAME = "promotion.json"
BEST = "best"


class Verdict(BaseModel):
    """What the gate decided about one candidate."""

    candidate_version: str
    champion_before: str | None
    promoted: bool
    reasons: list[str]
    """Why it was refused; empty when it was promoted."""

    def write(self, folder: Path) -> None:
        """Put it into the task's folder of the run, whole or not at all."""
        replace_text(folder / FILE_NAME, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: Path) -> "Verdict | None":
        """What was decided in that run; None while nothing was."""
        path = folder / FILE_NAME
        return cls.model_validate_json(path.read_text()) if path.is_file() else None


@dataclass(frozen=True)
class Rule:
    """What a task's candidates are compared by."""

    metric: str
    settings: PromotionSettings
    smaller_is_better: frozenset[str] = frozenset()

    @classmethod
    def of(cls, task: Task, settings: PromotionSettings) -> "Rule":
        """The metric that the settings name, else the task's own."""
        metric = settings.metric or task.gate_metric
        return cls(metric, settings, task.smaller_is_better)

    def sign(self, metric: str) -> int:
        """1 where larger values of a metric are better, -1 where smaller ones are."""
        return -1 if metric in self.smaller_is_better else 1

    def best(self, measured: dict[str, float], metric: str) -> str:
        """Name of the best of some models' values of a metric."""
        sign = self.sign(metric)
        return max(measured, key=lambda name: sign * measured[name])

    def baseline(self, scorecard: Scorecard) -> str:
        """The baseline that a candidate must beat: the one that is named, or the best of the scorecard's.

        Raises: Refusal: where it was not measured by the metric.
        """
        named = self.settings.baseline
        measured = _measured(scorecard, self.metric, without=(CANDIDATE, CHAMPION))
        if named == BEST and measured:
            return self.best(measured, self.metric)
        if named not in measured:
            known = ", ".join(sorted(scorecard.models))
            raise Refusal(f"the scorecard has no {self.metric} of promotion.baseline {named!r}; models: {known}")
        return named


def refusals(
    scorecard: Scorecard,
    *,
    problems: list[str],
    vocabulary_hash: str,
    champion_version: str | None,
    champion_business_date: date | None,
    rule: Rule,
) -> list[str]:
    """The conditions that the candidate fails, in words; empty when it may become champion.

    Args:    scorecard: candidate, champion and baselines on tonight's window;
             problems: why the candidate's file must not be used (`Task.problems`);
             vocabulary_hash: of the tables that tonight's predictions read;
             champion_version, champion_business_date: the champion right now.
    """
    reasons = list(problems)
    if scorecard.vocabulary_hash != vocabulary_hash:
        reasons.append(f"trained with vocabulary {scorecard.vocabulary_hash}, the sequences use {vocabulary_hash}")
    reasons += _weak_scores(scorecard, rule) + _weak_guards(scorecard, rule)
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


def _weak_scores(scorecard: Scorecard, rule: Rule) -> list[str]:
    """Score conditions, written so that a NaN fails them."""
    metric, settings, sign = rule.metric, rule.settings, rule.sign(rule.metric)
    name = rule.baseline(scorecard)
    baseline, candidate = scorecard.models[name][metric], scorecard.models[CANDIDATE].get(metric, math.nan)
    needed = baseline + sign * settings.min_gain_over_baseline
    reasons = []
    if not sign * candidate > sign * needed:
        verb = "exceed" if sign > 0 else "fall below"
        reasons.append(f"{metric} {candidate:.4f} does not {verb} {needed:.4f} ({name} and minimum gain)")
    champion = scorecard.models.get(CHAMPION, {}).get(metric)
    if champion is not None and not sign * candidate >= sign * champion - settings.max_loss_to_champion:
        reasons.append(
            f"{metric} {candidate:.4f} falls behind the champion's {champion:.4f} by more than "
            f"{settings.max_loss_to_champion}"
        )
    return reasons


def _weak_guards(scorecard: Scorecard, rule: Rule) -> list[str]:
    """Losses beyond `promotion.guards`, of the metrics that the candidate was measured by; a NaN loses."""
    reasons = []
    for metric, allowed in rule.settings.guards.items():
        candidate = scorecard.models[CANDIDATE].get(metric)
        others = _measured(scorecard, metric, without=(CANDIDATE,))
        if candidate is None or not others:
            continue
        best = rule.best(others, metric)
        sign = rule.sign(metric)
        if not sign * candidate >= sign * others[best] - allowed:
            reasons.append(f"{metric} {candidate:.4f} is worse than {best}'s {others[best]:.4f} by more than {allowed}")
    return reasons


def _measured(scorecard: Scorecard, metric: str, *, without: tuple[str, ...]) -> dict[str, float]:
    """Finite values of a metric by model."""
    return {
        name: values[metric]
        for name, values in scorecard.models.items()
        if name not in without and math.isfinite(values.get(metric, math.nan))
    }
