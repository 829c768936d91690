"""The fold of each customer: for every part of the customers, scores that were learned without it.

A model that reads what another one scored must not read scores of what that one was trained on: they are better than
they will be for anyone new.
"""

import numpy as np

N_FOLDS = 3
# Samples of customers are drawn by the remainder of their keys; folds must not depend on it.
_ABOVE_REMAINDERS = 2**20


def folds_of(keys: np.ndarray) -> np.ndarray:
    """Fold of each customer, 1 to N_FOLDS, by its key; int64 [B] -> int32 [B]."""
    folds: np.ndarray = 1 + keys // _ABOVE_REMAINDERS % N_FOLDS
    return folds.astype(np.int32)
