"""How good predicted rests of cases are, moment by moment and then averaged, every moment counting once.

similarity      1 - Damerau-Levenshtein distance / length of the longer rest, the end not counted
next_accuracy   the next action is the predicted one
exact           the whole rest is the predicted one
padded_accuracy share of positions that are right, of all positions up to the longest rest of the moments: behind
                the end stands nothing, and predicting nothing there is right (as some publications count)
position_accuracy  the same over the positions that the longer of both rests has
win_brier       squared error of the chance to win, of cases whose outcome is known
"""

from collections.abc import Sequence

import numpy as np

from models.actions.action_log import Prefixes, remainders
from models.actions.consensus import Remainder, similarity
from models.baselines.action_remainders import ActionPredictor
from models.keys import keys_of
from models.refusal import Refusal
from pipeline.dataset.action_examples import ActionExamples
from pipeline.dataset.action_planner import ActionPlanner
from pipeline.task import Metrics


def rest_metrics(
    predicted: Sequence[Remainder], observed: Sequence[Remainder], next_probabilities: np.ndarray | None = None
) -> Metrics:
    """The metrics above but `win_brier`.

    Args: next_probabilities: float [B, V]; with them the next action is the most probable one, else the first of the
          predicted rest.
    Raises: Refusal: without any moment.
    """
    if not observed:
        raise Refusal("there is no moment to measure; deliver more days or raise training.holdout_days")
    longest = max(len(rest) for rest in observed)
    first = [rest[0] if rest else -1 for rest in predicted]
    if next_probabilities is not None:
        first = next_probabilities.argmax(axis=1).tolist()
    right = [sum(a == b for a, b in zip(p, o, strict=False)) for p, o in zip(predicted, observed, strict=True)]
    longer = [max(len(p), len(o)) for p, o in zip(predicted, observed, strict=True)]
    beyond = [longest - min(each, longest) for each in longer]
    return {
        "similarity": float(np.mean([similarity(p, o) for p, o in zip(predicted, observed, strict=True)])),
        "next_accuracy": float(np.mean([a == o[0] for a, o in zip(first, observed, strict=True)])),
        "exact": float(np.mean([tuple(p) == tuple(o) for p, o in zip(predicted, observed, strict=True)])),
        "padded_accuracy": float((sum(right) + sum(beyond)) / (longest * len(observed))),
        "position_accuracy": float(sum(right) / sum(longer)),
    }


def measure_planner(planner: ActionPlanner, examples: ActionExamples, limit: int) -> Metrics:
    """Metrics of a model over the first `limit` held-out moments."""
    moments = _first(examples, limit)
    plans = planner.plan(examples.log, moments, identities_of(examples, moments))
    found = rest_metrics(plans.remainders, remainders(examples.log, moments), plans.next_probabilities)
    return found | win_metrics(plans.win_probabilities, examples.log.won[moments.rows])


def win_metrics(probabilities: np.ndarray | None, won: np.ndarray) -> Metrics:
    """`win_brier`, where the model knows outcomes and some moments' are known.

    Args: probabilities: float [B]; won: float [B], not a number where it is not known.
    """
    known = np.isfinite(won)
    if probabilities is None or not known.any():
        return {}
    return {"win_brier": float(np.mean((probabilities[known] - won[known]) ** 2))}


def measure_method(method: ActionPredictor, examples: ActionExamples, limit: int) -> Metrics:
    """Metrics of a baseline, trained on the same cases, over the first `limit` held-out moments."""
    moments = _first(examples, limit)
    method.fit(examples.log, examples.weights)
    predicted, next_probabilities = (
        method.predict(examples.log, moments),
        method.next_probabilities(examples.log, moments),
    )
    return rest_metrics(predicted, remainders(examples.log, moments), next_probabilities)


def identities_of(examples: ActionExamples, moments: Prefixes) -> np.ndarray:
    """A number for each moment that its case and its place in it alone decide; int64 [B]."""
    keys: np.ndarray = keys_of(examples.named.case_ids[moments.rows])
    identities: np.ndarray = (keys + moments.ends) & np.int64(2**63 - 1)
    return identities


def _first(examples: ActionExamples, limit: int) -> Prefixes:
    return examples.held_out.select(np.arange(min(limit, examples.n_held_out)))
