"""Expected demand by the model: what its customers are expected to buy, and the store's forecast for everyone else.

The model knows customers who came before and came back. What others buy (new customers, sales without a customer) is a
share of the store's forecast, as large as theirs was of the product's units in the last weeks. How much of the mean is
the model's is weighed by class of product (`models.demand.choice.product_classes`): as much as it earned on past weeks,
of each of which it has the sums that were made on its first morning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.demand.choice import CLASS_SHARES
from models.demand.earned_weights import earned_weights

Array = NDArray[np.float64]

CLASSES = len(CLASS_SHARES) + 1
# Units of a product at which its own share of others counts half, and that of its store the other half.
PRIOR_UNITS = 20.0
# Past weeks whose buyers say how much others buy, and which say what weight the model earns.
WINDOWS, WINDOW_DAYS = 4, 7


@dataclass(frozen=True)
class ModelWeek:
    """A past week of one store as it was expected on its first morning, and what was sold.

    store_mean, model_mean, sold: [N, 7]; units on days on which the product was on the shelf.
    classes: [N]; see `models.demand.choice.product_classes`.
    """

    store_mean: Array
    model_mean: Array
    sold: Array
    classes: NDArray[np.int64]


def earned_by_class(weeks: Sequence[ModelWeek]) -> Array:
    """The model's weight in each class of product, [C]; none anywhere without all `WINDOWS` past weeks."""
    weights = np.zeros(CLASSES)
    if len(weeks) == WINDOWS:
        columns = [[getattr(week, name) for week in weeks] for name in ("store_mean", "model_mean", "sold", "classes")]
        for label, earned in earned_weights(*columns).items():
            weights[label] = earned.weight
    return weights


def share_of_others(others: Any, units: Any, store_share: Any) -> Any:
    """Share of units that others buy, drawn towards that of the store; of arrays [N] or of Spark's columns.

    Args: others, units: bought by others and by anyone; store_share: of all products of the store.
    """
    return (others + PRIOR_UNITS * store_share) / (units + PRIOR_UNITS)


def model_demand(store_mean: Array, customer_units: Array, other_share: Array) -> Array:
    """Units by the model, [N, H]; a product that the model does not know has the store's forecast.

    Args: store_mean, customer_units: [N, H]; other_share: [N], NaN where the model does not know the product.
    """
    others = np.nan_to_num(other_share, nan=1.0)[:, None]
    return np.where(np.isnan(other_share)[:, None], 0.0, customer_units) + others * store_mean


def with_store_days(
    store_mean: Array,
    customer_units: Array,
    other_share: Array,
    stores: NDArray[np.int64] | None = None,
    *,
    own_level: bool = False,
) -> Array:
    """Customers' units brought, day by day, to what the store expects of them in all; the mix is theirs.

    Days since the last basket say little of weekdays, and nothing of days on which the store is shut. The model's level
    is too low where baskets are larger than those that it reads (`training.max_products`).

    Args:
        store_mean, customer_units: [N, H]; other_share: [N], NaN where the model does not know the product.
        stores: [N], by default one. own_level: the days are the store's, their sum stays the model's.
    """
    stores = np.zeros(len(store_mean), np.int64) if stores is None else stores
    wanted = np.where(np.isnan(other_share), 0.0, 1.0 - other_share)[:, None] * store_mean
    found = np.where(np.isnan(other_share)[:, None], 0.0, customer_units)
    for store in np.unique(stores):
        of = stores == store
        total, own = wanted[of].sum(axis=0), found[of].sum(axis=0)
        if total.sum() > 0 and (own > 0).all():
            brought = found[of] * (total / own)
            found[of] = brought * (own.sum() / total.sum()) if own_level else brought
    return found


def blend_with_model(
    store_mean: Array, customer_units: Array, other_share: Array, weight: Array
) -> tuple[Array, Array]:
    """The mean of which `weight` [N] is the model's, and the part of it that comes from its customers, [N, H] each."""
    known = ~np.isnan(other_share)
    weight = (weight * known)[:, None]
    mean = (1.0 - weight) * store_mean + weight * model_demand(store_mean, customer_units, other_share)
    return mean, weight * customer_units
