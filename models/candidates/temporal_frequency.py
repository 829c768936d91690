"""Temporal item frequencies: how often a customer bought each product, recent baskets weighing most.

Source: Hu, He, Gao, Zhang, "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR
2020. Where paper and its authors' program differ we follow the program, as the reproductions do: the decay within a
group runs over the whole history, and a customer with fewer baskets than groups gets a group for each basket.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models.basket_sequences import BasketSequences


@dataclass(frozen=True)
class TemporalFrequency:
    """How fast old baskets lose weight; the values found best for neighbours on Ta-Feng."""

    within_decay: float = 0.9
    group_decay: float = 0.9
    n_groups: int = 11


def basket_weights(sequences: BasketSequences, config: TemporalFrequency) -> np.ndarray:
    """Weight of each basket in its customer's frequency vector; float64 [m].

    Baskets are parted into groups of equal length, the later groups longer by one where that does not come out even.
    """
    n_baskets, groups = sequences.n_baskets, config.n_groups
    n = np.repeat(n_baskets, n_baskets)
    age = sequences.age_of_basket
    position = n - 1 - age
    length, longer = n // groups, n % groups
    in_short = np.maximum((groups - longer) * length, 0)
    short_group = position // np.maximum(length, 1)
    long_group = groups - longer + (position - in_short) // (length + 1)
    few, is_short = n < groups, position < in_short
    group = np.where(few, position, np.where(is_short, short_group, long_group))
    size = np.where(few, 1, np.where(is_short, length, length + 1))
    used = np.minimum(n, groups)
    decay = config.within_decay**age * config.group_decay ** (groups - 1 - group)
    weights: np.ndarray = decay / (size * used)
    return weights


def temporal_frequencies(sequences: BasketSequences, config: TemporalFrequency) -> sparse.csr_array:
    """Each customer's item frequencies, recent baskets weighing most; float32 [n, V]."""
    return sequences.matrix(basket_weights(sequences, config))
