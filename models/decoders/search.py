"""Write a basket: the likeliest one found by beams, or one drawn at random.

Shapes: B funnels, W beams of each, R = B x W rows, a funnel's beams one after another; V vocabulary, K products.
`advance` writes the next symbol: (products int32 [R] written last, states, allowed float32 [R, V]) -> (the shares of
every next symbol float32 [R, V], the next states), where `allowed` is 0 for products that are written already.
`choose` draws a symbol int32 [B] from log shares float32 [B, V] at a position of the basket, counted from 0.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from models.special_ids import END, FIRST_PRODUCT, PADDING

Advance = Callable[[Any, list[Any], Any], tuple[Any, list[Any]]]
Choose = Callable[[Any, int], Any]

_NEVER = -1e9
_TINY = 1e-30


def likeliest_basket(first: Any, states: list[Any], advance: Advance, max_products: int, beams: int = 1) -> Any:
    """The basket whose products have the largest mean log probability among those that `beams` baskets at once reach.

    A basket ends where, by the decoder's own probabilities of the end, more than half of all such baskets have ended
    (the most probable next symbol alone would end nearly all after one product, because the end's probability lies on
    one symbol and the products' on thousands); its first product is always written.

    Args:    first: float32 [B, V], shares of the first symbol; states: the decoder's after it, [B, ...] each;
             beams: W; 1 writes greedily.
    Returns: int32 [B, K], each product once, 0 after the end.
    """
    n_products = first.shape[-1]
    gained, following = _best_products(first[:, FIRST_PRODUCT:], beams)
    written = [_flat(following) + FIRST_PRODUCT]
    score, length = _flat(gained), ops.ones_like(_flat(gained))
    alive, running = ops.ones_like(score), ops.ones_like(score, dtype="bool")
    allowed = _without(ops.repeat(ops.ones_like(first), beams, axis=0), written[-1], n_products)
    states = [ops.repeat(state, beams, axis=0) for state in states]
    for _ in range(1, max_products):
        shares, states = advance(written[-1], states, allowed)
        alive = alive * (1.0 - shares[:, END])
        running = ops.logical_and(running, alive >= 0.5)
        gained, following = _best_products(shares[:, FIRST_PRODUCT:] * allowed[:, FIRST_PRODUCT:], beams)
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
            score, length, alive, running, allowed = (
                ops.take(each, parents, axis=0) for each in (score, length, alive, running, allowed)
            )
            states = [ops.take(state, parents, axis=0) for state in states]
            written = [ops.take(column, parents, axis=0) for column in written]
        score = score + ops.where(running, _flat(gained), 0.0)
        length = length + ops.cast(running, length.dtype)
        written.append(_flat(following))
        allowed = _without(allowed, written[-1], n_products)
    return ops.reshape(ops.stack(written, axis=1), (-1, beams, max_products))[:, 0]


def drawn_basket(first: Any, states: list[Any], advance: Advance, max_products: int, choose: Choose) -> Any:
    """A basket drawn by the decoder's probabilities, its first symbol a product.

    Returns: int32 [B, K], each product once, END where it ends before K products, 0 after that.
    """
    n_products = first.shape[-1]
    is_end = ops.one_hot(END, n_products, dtype=first.dtype)
    shares, allowed = first * (1.0 - is_end), ops.ones_like(first)
    running = ops.ones_like(first[:, 0], dtype="bool")
    written: list[Any] = []
    for position in range(max_products):
        if position > 0:
            shares, states = advance(written[-1], states, allowed)
        drawn = choose(ops.log(shares * ops.maximum(allowed, is_end) + _TINY), position)
        drawn = ops.where(running, drawn, PADDING)
        running = ops.logical_and(running, drawn != END)
        allowed = _without(allowed, drawn, n_products)
        written.append(drawn)
    return ops.stack(written, axis=1)


def _best_products(shares: Any, n: int) -> tuple[Any, Any]:
    """Log probabilities, given that the basket goes on, and columns of the n largest shares; [R, n] each."""
    largest, columns = ops.top_k(shares, n)
    return ops.log(largest + _TINY) - ops.log(ops.sum(shares, axis=-1, keepdims=True) + _TINY), columns


def _without(allowed: Any, products: Any, n_products: int) -> Any:
    return allowed * (1.0 - ops.one_hot(products, n_products, dtype=allowed.dtype))


def _flat(values: Any) -> Any:
    return ops.reshape(values, (-1,))
