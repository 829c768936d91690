"""The three losses of bought articles against articles that were in store and were not bought."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from keras import ops

from models.tensors import Tensor

_IMPOSSIBLE = -1e9


def sigmoid_loss(bought: Tensor, others: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of each purchase, and the mean over the others of theirs, of independent probabilities.

    Shapes: bought float32 [R, P], others [R, n] and weights [R, n], 0 for one that does not count -> float32 [R, P].
    """
    count = ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)
    of_others = ops.sum(ops.softplus(others) * weights, axis=1, keepdims=True) / count
    return ops.softplus(-bought) + of_others


def softmax_loss(bought: Tensor, others: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of each purchase among itself and the others; shapes as in `sigmoid_loss`."""
    masked = ops.where(weights > 0, others, _IMPOSSIBLE)
    of_others = ops.logsumexp(masked, axis=1, keepdims=True)
    return ops.logaddexp(bought, of_others) - bought


def sigmoid_rank_loss(bought: Tensor, others: Tensor, weights: Tensor) -> Tensor:
    """Mean over the others of the cross entropy that the purchase ranks above; shapes as in `sigmoid_loss`."""
    count = ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)
    pairs = ops.softplus(others[:, None, :] - bought[:, :, None])
    return ops.sum(pairs * weights[:, None, :], axis=2) / count


STYLE_LOSSES: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = MappingProxyType(
    {"sigmoid": sigmoid_loss, "softmax": softmax_loss, "sigmoid_rank": sigmoid_rank_loss}
)
