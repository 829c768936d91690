"""Candidate features scaled for a network: numbers of about equal size, whatever the shop and its size."""

import numpy as np

from models.candidates.features import FEATURES, OF_CUSTOMER, OF_OTHERS, Candidates

_SHARES, _RATES = ("share", "latest_share"), ("repeat_rate", "repeat_share")
_COUNTS = tuple(name for name in OF_CUSTOMER if name not in _RATES)
_SMALL_VOICE, _SMALL_SHARE = 1e-4, 1e-5
N_OF_OTHERS = 2 * len(OF_OTHERS) + len(_SHARES) + len(_RATES) + len(_COUNTS)


def scaled_features_of_others(candidates: Candidates) -> np.ndarray:
    """What others' histories say of each candidate; float32 [B, C, N_OF_OTHERS], none of it about own purchases.

    Each of OF_OTHERS twice, log(1 + value / small) and its part of the customer's largest, because how loud a voice is
    at all differs by customer; shares as such logarithms, counts as log(1 + count), rates as they are.
    """
    columns = []
    for name in OF_OTHERS:
        voice = _column(candidates, name)
        loudest = voice.max(axis=1, keepdims=True, initial=0.0)
        columns += [_log(voice, _SMALL_VOICE), voice / np.maximum(loudest, 1e-9)]
    columns += [_log(_column(candidates, name), _SMALL_SHARE) for name in _SHARES]
    columns += [_column(candidates, name) for name in _RATES]
    columns += [np.log1p(_column(candidates, name)) for name in _COUNTS]
    return np.stack(columns, axis=2).astype(np.float32)


def _column(candidates: Candidates, name: str) -> np.ndarray:
    return np.maximum(candidates.features[..., FEATURES.index(name)], 0.0)


def _log(values: np.ndarray, small: float) -> np.ndarray:
    """From 0 up, about one a decade and a half."""
    return np.log1p(values / small) / 4.0
