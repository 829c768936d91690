"""The next basket of the largest expected F1, instead of the most probable one."""

from keras import ops

from models.special_ids import PADDING
from models.tensors import Tensor


def best_f1_basket(products: Tensor, probabilities: Tensor, size: Tensor) -> Tensor:
    """The first products of a ranking, as many as give the largest expected F1, at least one.

    The most probable basket is short, because each further product is more probably not in it. F1, which weighs missed
    products against wrong ones, is largest at the length k where 2 * (sum of the first k probabilities) / (k + size)
    is.

    Args:    products: int32 [B, K], best first; probabilities: float32 [B, K] of being in the next basket; size:
             float32 [B], expected products of the next basket.
    Returns: int32 [B, K], 0 after the last one taken.
    Source:  Lewis, "Evaluating and optimizing autonomous text classification systems", SIGIR 1995; the expectation of
             the ratio is taken as the ratio of expectations.
    """
    positions = ops.arange(1, products.shape[1] + 1, dtype=probabilities.dtype)[None]
    expected = 2.0 * ops.cumsum(probabilities, axis=1) / (positions + size[:, None])
    length = 1.0 + ops.cast(ops.argmax(expected, axis=1), probabilities.dtype)
    return ops.where(positions <= length[:, None], products, PADDING)
