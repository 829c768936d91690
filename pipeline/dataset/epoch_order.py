"""In which order a pass goes through the training examples: a pure function of seed and pass, drawn once for each.

Drawn anew for every batch, it would cost each batch of a pass as much as there are examples: four times the customers
would take sixteen times as long.
"""

from functools import lru_cache

import numpy as np

_KEPT = 2
"""Orders in memory: of a pass, and of the one after it, which is prepared before its first step."""


def batch_rows(n: int, seed: int, step: int, batch_size: int, *, worker: int = 0, workers: int = 1) -> np.ndarray:
    """One worker's examples of the batch of a step; the last batch of a pass is filled up from its beginning.

    Args:    n: examples, at least one.
    Returns: int64 [batch_size / workers], of 0 .. n - 1.
    """
    epoch, within = divmod(step, -(-n // batch_size))
    positions = np.arange(within * batch_size, (within + 1) * batch_size) % n
    found: np.ndarray = epoch_order(n, seed, epoch)[positions][worker::workers]
    return found


@lru_cache(maxsize=_KEPT)
def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """0 .. n - 1 in the order of a pass; int64 [n], which nobody may write into."""
    order = np.random.default_rng([seed, epoch]).permutation(n)
    order.setflags(write=False)
    return order
