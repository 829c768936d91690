"""Groups of customers or products that stay the same groups from night to night.

k-means starts from the groups of the night before, so that a group moves only as far as its members do; what comes out
is matched with those groups by common members, and a matched group keeps its number and its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from models.refusal import Refusal

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Common members, as a share of either night's, from which a group is the same group.
SAME_GROUP = 0.5
# Members on average below which there are fewer groups than requested.
_MIN_MEMBERS = 10
_NAMED = 2


@dataclass(frozen=True)
class Segments:
    """Shapes: M members, G groups.

    number:        int [M]; which group, by a number that a group keeps from night to night.
    rand_index:    adjusted Rand index between this night's and the last night's groups, over members of both; None
                   where there was no night before.
    kept:          numbers that were there the night before.
    """

    number: Integers
    rand_index: float | None
    kept: frozenset[int]


def segment(vectors: Array, groups: int, before: Integers | None = None, seed: int = 0) -> Segments:
    """Group the members by their vectors.

    Args:
        vectors: [M, D]; groups: wanted, fewer where members are few.
        before: int [M]; numbers of the night before, -1 for members that were not there; None for the first night.
    Raises: Refusal: where there is no member.
    """
    from sklearn.cluster import KMeans  # seconds to import: a job's --help need not wait for it
    from sklearn.metrics import adjusted_rand_score

    if len(vectors) == 0:
        raise Refusal("nobody to put into segments; lower segments.min_baskets or deliver more sales")
    count = max(1, min(groups, len(vectors) // _MIN_MEMBERS))
    old = np.empty(0, dtype=np.int64) if before is None else np.unique(before[before >= 0])
    if before is None or len(old) != count:
        found = KMeans(count, n_init=4, random_state=seed).fit_predict(vectors)
    else:
        start = np.stack([vectors[before == number].mean(axis=0) for number in old])
        found = KMeans(count, init=start, n_init=1, random_state=seed).fit_predict(vectors)
    found = found.astype(np.int64)
    if before is None or len(old) == 0:
        # The largest group is number 1.
        order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
        return Segments(np.argsort(order)[found] + 1, None, frozenset())
    numbers = _matched(found, before, count, old)
    both = before >= 0
    index = float(adjusted_rand_score(before[both], found[both]))
    return Segments(numbers[found], index, frozenset(old.tolist()) & frozenset(numbers.tolist()))


def plane(vectors: Array) -> Array:
    """Members on the two directions in which they differ most, for a plot, [M, 2]."""
    centred = vectors - vectors.mean(axis=0)
    directions = np.linalg.svd(centred.T @ centred)[0][:, :2]
    # A direction has no sign of its own: its largest part points upwards.
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    found = np.zeros((len(vectors), 2))
    found[:, : directions.shape[1]] = centred @ directions
    return found


def names_of(number: Integers, weights: Array, labels: Sequence[str], known: dict[int, str]) -> dict[int, str]:
    """A name for each group: the categories that it has most above everyone, unless it has a name already.

    Args: weights: [M, K]; how much of each category a member has; labels: [K]; known: names to keep.
    """
    shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    everyone = shares.mean(axis=0)
    names = dict(known)
    taken = set(names.values())
    for group in np.unique(number).tolist():
        if group in names:
            continue
        above = shares[number == group].mean(axis=0) - everyone
        best = [labels[position] for position in np.argsort(-above, kind="stable") if above[position] > 0]
        shown = next(
            (
                name
                for name in (" and ".join(best[:length]) for length in range(_NAMED, len(best) + 1))
                if name not in taken
            ),
            " and ".join(best[:_NAMED]) or "everything",
        )
        names[group] = shown if shown not in taken else f"{shown} ({group})"
        taken.add(names[group])
    return names


def _matched(found: Integers, before: Integers, count: int, old: Integers) -> Integers:
    """The number of each group of this night: an old one where enough members are common, else a new one, [G]."""
    both = before >= 0
    common = np.zeros((count, len(old)))
    np.add.at(common, (found[both], np.searchsorted(old, before[both])), 1.0)
    sizes, old_sizes = common.sum(axis=1, keepdims=True), common.sum(axis=0, keepdims=True)
    overlap = common / np.maximum(np.maximum(sizes, old_sizes), 1.0)
    numbers = np.zeros(count, dtype=np.int64)
    for row, column in zip(*scipy.optimize.linear_sum_assignment(-overlap), strict=True):
        if overlap[row, column] >= SAME_GROUP:
            numbers[row] = old[column]
    fresh = numbers == 0
    numbers[fresh] = int(old.max()) + 1 + np.arange(fresh.sum())
    return numbers
