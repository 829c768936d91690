"""Sequences read in groups of about equal length.

A recurrent layer takes as many steps as the longest row of a batch, and half of the baskets hold fewer than a quarter
of the products of the longest. Sorted into four groups that each end with their own longest row, a batch takes about
half of the steps, with the same outputs.
"""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from models.tensors import Tensor

_GROUPS = 4

Reader = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, ...]]
"""From a group's sequences [b, t, I] and its rows of other arrays to outputs [b, t, D] and further arrays [b, ...]."""


def read_by_length(read: Reader, sequences: Tensor, lengths: Tensor, others: Sequence[Tensor] = ()) -> list[Tensor]:
    """What `read` makes of all rows, in their order; outputs after a row's group has ended are 0.

    On a GPU, whose recurrent kernels read all rows at once, there is one group.

    Shapes: B sequences, T steps, I inputs.
    Args:   sequences: float32 [B, T, I]; lengths: int32 [B], real steps, which come first; others: [B, ...] each.
    """
    if keras.distribution.list_devices("gpu"):
        return list(read(sequences, others))
    order = ops.argsort(lengths)
    back = _GROUPS - 1 + ops.argsort(order)
    # The shortest row once more for each other group: none is empty, however few rows there are.
    order = ops.concatenate([ops.repeat(order[:1], _GROUPS - 1), order])
    n, steps = ops.shape(order)[0], ops.shape(sequences)[1]
    sequences, lengths, *others = (ops.take(each, order, axis=0) for each in (sequences, lengths, *others))
    groups = []
    for number in range(_GROUPS):
        rows = slice(number * n // _GROUPS, (number + 1) * n // _GROUPS)
        longest = ops.maximum(ops.max(lengths[rows]), 1)
        outputs, *further = read(sequences[rows, :longest], [each[rows] for each in others])
        groups.append([ops.pad(outputs, [[0, 0], [0, steps - longest], [0, 0]]), *further])
    return [ops.take(ops.concatenate(each, axis=0), back, axis=0) for each in zip(*groups, strict=True)]
