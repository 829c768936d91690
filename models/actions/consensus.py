"""Which remainder of a case to predict, given several possible ones: the one nearest to all of them.

The most probable remainder is often a short one that is seldom nearly right: a long case that repeats itself has many
slightly different remainders, each of small probability. The measure is the similarity to what happens, so the
remainder of the largest expected similarity is predicted (minimum Bayes risk).

Source: Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine Translation", HLT-NAACL 2004.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.process import cdist

Remainder = tuple[int, ...]


def similarity(predicted: Sequence[int], observed: Sequence[int]) -> float:
    """1 - Damerau-Levenshtein distance / length of the longer one; 1 where both are empty.

    Source: Camargo et al., "Learning Accurate LSTM Models of Business Processes", BPM 2019, who score suffixes so.
    """
    return float(DamerauLevenshtein.normalized_similarity(predicted, observed))


def consensus(possible: Mapping[Remainder, float], candidates: Iterable[Remainder] | None = None) -> Remainder:
    """Of the candidates, the remainder of the largest expected similarity; of equal ones the first in order.

    Costs candidates x possible distances.

    Args:
        possible: weight of each possible remainder, above 0.
        candidates: those that may be chosen; default: the possible ones.
    Raises: ValueError: where there is none to choose from.
    """
    # Sorted, so that the order in which samples came changes nothing.
    among = sorted(possible if candidates is None else set(candidates))
    if not among or not possible:
        raise ValueError("there is no remainder to choose from")
    others = sorted(possible)
    similarities = cdist(
        [_text(each) for each in among],
        [_text(each) for each in others],
        scorer=DamerauLevenshtein.normalized_similarity,
        dtype=np.float64,
    )
    expected = similarities @ np.array([possible[each] for each in others])
    # Sums differ in their last bits with the machine: what is equal up to these is a tie.
    return among[int(np.argmax(np.round(expected / sum(possible.values()), 9)))]


def counted(samples: Iterable[Remainder]) -> Counter[Remainder]:
    """How often each remainder was drawn."""
    return Counter(samples)


def _text(remainder: Remainder) -> str:
    """A remainder as text, an action per character: what the library compares fastest."""
    return "".join(map(chr, remainder))
