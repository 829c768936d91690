"""A tiny LENS for tests."""

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest

from models.config import LensConfig
from models.lens import Lens
from tests.models.batches import N_CUSTOMERS, N_PRODUCTS

TINY = LensConfig(session_units=(8,), behaviour_units=(12,), decoder_units=(16,), product_units=8, customer_units=4)

POINTING = replace(TINY, pointer_units=6, time_head="hazard", attribute_buckets=5)

READING_TREES = replace(POINTING, pointer_trees=3, pointer_tree_levels=2)

TRANSFORMING = replace(
    POINTING,
    behaviour_units=(12, 12),
    session_encoder="transformer",
    behaviour_encoder="transformer",
    decoder="transformer",
)

AVERAGING = replace(TINY, session_units=(), session_encoder="mean", customer_units=0)


def tiny(config: LensConfig = TINY, n_products: int = N_PRODUCTS, n_customers: int = N_CUSTOMERS) -> Lens:
    """An untrained small model that knows products 3, 4 ... and customers 1, 2 ... by those numbers as keys."""
    lens = Lens(asdict(config), n_products, n_customers)
    product_keys = np.arange(n_products, dtype=np.int64) * (np.arange(n_products) > 2)
    lens.keys.assign(product_keys, np.arange(n_customers, dtype=np.int64))
    return lens


@pytest.fixture
def make_lens() -> Callable[..., Lens]:
    """Makes tiny models."""
    return tiny


@pytest.fixture(
    params=[TINY, POINTING, READING_TREES, TRANSFORMING, AVERAGING],
    ids=["as_published", "pointing", "reading trees", "transforming", "averaging"],
)
def lens(request: pytest.FixtureRequest) -> Lens:
    """A tiny model: as published, with pointer head, trees in it, Transformers, or with less of each."""
    return tiny(request.param)
