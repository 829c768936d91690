"""Decode a basket from a decoder's distributions: the most probable one found by beam search, or a random sample.

Shapes: B funnels, W beams of each, R = B x W rows, a funnel's beams one after another; V vocabulary, K products.

DecodeStep: one more symbol. (products int32 [R] decoded last, states, allowed float32 [R, V]) -> (probabilities of the
            next symbol float32 [R, V], the next states); `allowed` is 0 for products that the basket holds already.
Sampler:    draws a symbol, int32 [B], from log probabilities float32 [B, V] at a position of the basket, from 0.
"""

from collections.abc import Callable

from keras import ops

from models.special_ids import END, FIRST_PRODUCT, PADDING
from models.tensors import Tensor

DecodeStep = Callable[[Tensor, list[Tensor], Tensor], tuple[Tensor, list[Tensor]]]
Sampler = Callable[[Tensor, int], Tensor]

_NEVER = -1e9
_TINY = 1e-30


def beam_search(
    first: Tensor, states: list[Tensor], decode_step: DecodeStep, max_products: int, beams: int = 1
) -> Tensor:
    """The basket whose products have the largest mean log probability among those that W beams reach.

    A basket ends where, by the decoder's own probabilities of the end, more than half of all such baskets have ended
    (the most probable next symbol alone would end nearly all after one product, because the end's probability lies on
    one symbol and the products' on thousands); it always holds a first product.

    Args:    first: float32 [B, V], probabilities of the first symbol; states: the decoder's after it, [B, ...] each;
             beams: W; 1 is greedy.
    Returns: int32 [B, K], each product once, 0 after the end.
    """
    n_products = first.shape[-1]
    gained, following = _best_products(first[:, FIRST_PRODUCT:], beams)
    decoded = [_flat(following) + FIRST_PRODUCT]
    score, length = _flat(gained), ops.ones_like(_flat(gained))
    survival, running = ops.ones_like(score), ops.ones_like(score, dtype="bool")
    allowed = _without(ops.repeat(ops.ones_like(first), beams, axis=0), decoded[-1], n_products)
    states = [ops.repeat(state, beams, axis=0) for state in states]
    for _ in range(1, max_products):
        probabilities, states = decode_step(decoded[-1], states, allowed)
        survival = survival * (1.0 - probabilities[:, END])
        running = ops.logical_and(running, survival >= 0.5)
        gained, following = _best_products(probabilities[:, FIRST_PRODUCT:] * allowed[:, FIRST_PRODUCT:], beams)
        following = ops.where(running[:, None], following + FIRST_PRODUCT, PADDING)
        if beams > 1:
            # A basket that ended goes on as itself alone.
            ended = ops.concatenate([(score / length)[:, None], ops.full_like(gained[:, 1:], _NEVER)], axis=1)
            means = ops.where(running[:, None], (score[:, None] + gained) / (length[:, None] + 1.0), ended)
            _, best = ops.top_k(ops.reshape(means, (-1, beams * beams)), beams)
            gained, following = (
                ops.take_along_axis(ops.reshape(each, (-1, beams * beams)), best, axis=1)
                for each in (gained, following)
            )
            parents = _flat(best // beams + beams * ops.arange(ops.shape(best)[0])[:, None])
            score, length, survival, running, allowed = (
                ops.take(each, parents, axis=0) for each in (score, length, survival, running, allowed)
            )
            states = [ops.take(state, parents, axis=0) for state in states]
            decoded = [ops.take(column, parents, axis=0) for column in decoded]
        score = score + ops.where(running, _flat(gained), 0.0)
        length = length + ops.cast(running, length.dtype)
        decoded.append(_flat(following))
        allowed = _without(allowed, decoded[-1], n_products)
    return ops.reshape(ops.stack(decoded, axis=1), (-1, beams, max_products))[:, 0]


def sample(first: Tensor, states: list[Tensor], decode_step: DecodeStep, max_products: int, sampler: Sampler) -> Tensor:
    """A basket sampled from the decoder's distributions, its first symbol a product.

    Args:    as for `beam_search`; sampler: draws each symbol.
    Returns: int32 [B, K], each product once, END where it ends before K products, 0 after that.
    """
    n_products = first.shape[-1]
    is_end = ops.one_hot(END, n_products, dtype=first.dtype)
    probabilities, allowed = first * (1.0 - is_end), ops.ones_like(first)
    running = ops.ones_like(first[:, 0], dtype="bool")
    decoded: list[Tensor] = []
    for position in range(max_products):
        if position > 0:
            probabilities, states = decode_step(decoded[-1], states, allowed)
        symbol = sampler(ops.log(probabilities * ops.maximum(allowed, is_end) + _TINY), position)
        symbol = ops.where(running, symbol, PADDING)
        running = ops.logical_and(running, symbol != END)
        allowed = _without(allowed, symbol, n_products)
        decoded.append(symbol)
    return ops.stack(decoded, axis=1)


def _best_products(probabilities: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Log probabilities, given that the basket goes on, and columns of the n largest probabilities; [R, n] each."""
    largest, columns = ops.top_k(probabilities, n)
    return ops.log(largest + _TINY) - ops.log(ops.sum(probabilities, axis=-1, keepdims=True) + _TINY), columns


def _without(allowed: Tensor, products: Tensor, n_products: int) -> Tensor:
    return allowed * (1.0 - ops.one_hot(products, n_products, dtype=allowed.dtype))


def _flat(values: Tensor) -> Tensor:
    return ops.reshape(values, (-1,))
