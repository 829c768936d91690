"""Thresholds proposed from people's verdicts, one per category; the operator decides whether to apply them.

The verdict `right` counts for an alert, `wrong` against it; `known` says nothing of either, for the condition was there
and was no news. An incident would have been raised under a threshold that its greatest probability (stock-outs) or
score (behaviour) reaches. The proposal is the lowest threshold whose incidents reach the target precision; alerts
below the present threshold have no verdicts, so a proposal can keep or raise it, but never lower it. The interval is
Wilson's at 95 % (Wilson 1927), of the incidents that the proposal keeps.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from sqlalchemy import select

from pipeline.alerts.incident_models import PRODUCT, Incident
from pipeline.alerts.queries import reading
from pipeline.alerts.store import opened
from pipeline.settings import Settings

# Below this many verdicts an interval at 80 % is wider than 30 points.
MIN_VERDICTS = 20
# A threshold that keeps fewer has no precision worth the name.
MIN_KEPT = 10
TARGET_PRECISION = 0.8
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Proposal:
    """One category's verdicts and the threshold they propose; `threshold` is None where none reaches the target."""

    category: str
    right: int
    wrong: int
    threshold: float | None
    kept_right: int
    kept: int

    @property
    def has_enough(self) -> bool:
        """Whether there are verdicts enough to propose from."""
        return self.right + self.wrong >= MIN_VERDICTS

    @property
    def interval(self) -> tuple[float, float]:
        """Of the precision of what is kept."""
        return wilson(self.kept_right, self.kept)


def propose(settings: Settings, *, kind: str, source: str, target: float = TARGET_PRECISION) -> list[Proposal]:
    """One proposal per category (stock-outs) or kind of funnel (behaviour), by name."""
    query = select(Incident).filter_by(source=source, kind=kind).where(Incident.verdict.in_(("right", "wrong")))
    verdicts: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    with opened(settings) as engine, reading(engine) as session:
        for incident in session.scalars(query):
            is_product = incident.subject_kind == PRODUCT
            group = (incident.category or "no category") if is_product else incident.subject_kind
            verdicts[group].append((incident.peak_score, incident.verdict == "right"))
    return [proposal(category, verdicts[category], target) for category in sorted(verdicts)]


def proposal(category: str, verdicts: Sequence[tuple[float, bool]], target: float = TARGET_PRECISION) -> Proposal:
    """The lowest threshold that reaches the target.

    Args: verdicts: of each incident its greatest score, and whether it was right.
    """
    right = sum(is_right for _score, is_right in verdicts)
    wrong = len(verdicts) - right
    best: tuple[float | None, int, int] = (None, 0, 0)
    if len(verdicts) >= MIN_VERDICTS:
        for threshold in sorted({score for score, _is_right in verdicts}):
            kept = [is_right for score, is_right in verdicts if score >= threshold]
            if len(kept) >= MIN_KEPT and sum(kept) >= target * len(kept):
                best = threshold, sum(kept), len(kept)
                break
    return Proposal(category, right, wrong, *best)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, spread = successes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
