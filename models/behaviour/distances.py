"""d_A of LENS Algorithm 1: how far what was bought lies from what was expected, for each basket.

Every distance takes the expectation and the purchase as sparse matrices over products and returns one number per
basket, 0 or more, larger for stranger. `DISTANCES` names them for the settings.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from models.behaviour.affinities import surprise
from models.behaviour.funnel_baskets import Array, FunnelBaskets

Distance = Callable[[FunnelBaskets, csr_array], Array]

# Weights of a funnel's own products and own categories against what everybody buys.
_OWN_PRODUCTS = 0.5
_OWN_CATEGORIES = 0.3


def cosine(histories: FunnelBaskets, expected: csr_array) -> Array:
    """1 - cosine between the products bought and their expected probabilities."""
    return _cosine(histories.bought, expected)


def category_cosine(histories: FunnelBaskets, expected: csr_array) -> Array:
    """1 - cosine between the categories bought and those expected; a new product of a usual category is near."""
    categories = histories.category_matrix
    return _cosine(csr_array(histories.bought @ categories), csr_array(expected @ categories))


def jaccard(histories: FunnelBaskets, expected: csr_array) -> Array:
    """1 - weighted Jaccard similarity between the products bought and their expected probabilities."""
    bought = histories.bought
    shared = _row_sums(bought.minimum(expected))
    return 1.0 - _ratio(shared, _row_sums(bought) + _row_sums(expected) - shared)


def likelihood_ratio(histories: FunnelBaskets, expected: csr_array) -> Array:
    """Mean over the products bought of -log(own mixture / everybody's share), moved so that 0 is the nearest.

    The own mixture joins the funnel's products, its categories (each category's products as everybody buys them) and
    everybody's shares. A rare product that the funnel never bought, of a category new to it, is the farthest.
    """
    background, category = histories.background, histories.category
    by_category = np.bincount(category, weights=background)
    lines = histories.bought.tocoo()
    own = _per_line(expected, lines.row, lines.col) / np.maximum(_row_sums(expected), 1e-12)[lines.row]
    in_category = csr_array(expected @ histories.category_matrix)
    own_category = (
        _per_line(in_category, lines.row, category[lines.col]) / np.maximum(_row_sums(in_category), 1e-12)[lines.row]
    )
    everybody = background[lines.col]
    ratio = (
        _OWN_PRODUCTS * own / everybody
        + _OWN_CATEGORIES * own_category / by_category[category[lines.col]]
        + (1.0 - _OWN_PRODUCTS - _OWN_CATEGORIES)
    )
    total = np.bincount(lines.row, weights=-np.log(ratio), minlength=expected.shape[0]).astype(np.float64)
    mean = _ratio(total, _row_sums(histories.bought))
    values: Array = mean + np.log(_OWN_PRODUCTS / background.min() + _OWN_CATEGORIES / by_category.min() + 1.0)
    return values


def affinity(histories: FunnelBaskets, expected: csr_array) -> Array:
    """-log likelihood of the products by own products, own categories and those that go with them, against everyone's.

    See models/behaviour/affinities.py; softplus makes the ratio a distance and keeps its order.
    """
    return np.logaddexp(0.0, surprise(histories, expected))


DISTANCES: dict[str, Distance] = {
    "affinity": affinity,
    "cosine": cosine,
    "category_cosine": category_cosine,
    "jaccard": jaccard,
    "likelihood_ratio": likelihood_ratio,
}


def _cosine(bought: csr_array, expected: csr_array) -> Array:
    norms = np.sqrt(_row_sums(bought.multiply(bought)) * _row_sums(expected.multiply(expected)))
    return np.maximum(1.0 - _ratio(_row_sums(bought.multiply(expected)), norms), 0.0)


def _per_line(matrix: csr_array, rows: np.ndarray, columns: np.ndarray) -> Array:
    return np.asarray(matrix[rows, columns]).ravel()


def _row_sums(matrix: csr_array) -> Array:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
