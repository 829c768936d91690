"""A list whose entries are less alike: each next one trades its score against its likeness to those before it.

Maximal marginal relevance (Carbonell and Goldstein 1998, The use of MMR, diversity-based reranking).
"""

import numpy as np

POOL = 5
"""Candidates per place of a list: what is not among the best `POOL * k` is not shown for the sake of diversity."""
_NO_SPREAD = 1e-6


def diverse_order(scores: np.ndarray, vectors: np.ndarray, k: int, diversity: float) -> np.ndarray:
    """Positions of k candidates of each row, in the order of the list.

    A place goes to the largest (1 - diversity) * score - diversity * (largest cosine to a place before), scores in
    standard deviations over the row's candidates. With diversity 0 that is the order of the scores; ties: the earlier
    candidate.

    Shapes: scores float32 [R, P], -inf for no candidate; vectors float32 [R, P, D] -> int64 [R, k], -1 where a row has
            fewer than k candidates.
    """
    there = np.isfinite(scores)
    relevance = _standard(scores, there)
    lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
    unit = (vectors / np.maximum(lengths, _NO_SPREAD)).astype(np.float32)
    every, left = np.arange(len(scores)), there.copy()
    found = np.full((len(scores), k), -1, np.int64)
    nearest = np.zeros(scores.shape, np.float32)
    for place in range(min(k, scores.shape[1])):
        value = (1.0 - diversity) * relevance - diversity * nearest
        chosen = np.argmax(np.where(left, value, -np.inf), axis=1)
        taken = left[every, chosen]
        found[taken, place] = chosen[taken]
        left[every, chosen] = False
        likeness = np.matmul(unit, unit[every, chosen][:, :, None])[:, :, 0]
        nearest = likeness if place == 0 else np.maximum(nearest, likeness)
    return found


def _standard(scores: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Scores around their row's mean, in its standard deviations; 0 where there is no candidate."""
    count = np.maximum(there.sum(axis=1, keepdims=True), 1)
    known = np.where(there, scores, 0.0).astype(np.float64)
    around = np.where(there, known - known.sum(axis=1, keepdims=True) / count, 0.0)
    spread = np.sqrt((around**2).sum(axis=1, keepdims=True) / count)
    return np.asarray(around / np.maximum(spread, _NO_SPREAD))
