"""Batches for tests of models: small, and cut from nothing but a random number generator."""

import numpy as np

from models.fields import FIELDS, INPUTS, N_BASKET_FEATURES, N_CANDIDATE_FEATURES, N_RHYTHM_FEATURES, TARGETS
from models.folds import N_FOLDS
from models.special_ids import END, FIRST_PRODUCT

N_PRODUCTS, N_CUSTOMERS = 40, 9


def random_batch(seed: int = 0, examples: int = 4, baskets: int = 3, products: int = 5) -> dict[str, np.ndarray]:
    """A batch of the shapes that `models/fields.py` documents; lengths vary."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, baskets + 1, examples)
    lengths[0] = baskets
    sizes = random.integers(1, products + 1, lengths.sum())
    sizes[0] = products
    rows = np.zeros((examples, baskets), np.int32)
    rows[np.arange(baskets) < lengths[:, None]] = np.arange(1, lengths.sum() + 1)
    filled = np.arange(products) < sizes[:, None]
    target_sizes = random.integers(1, products + 1, examples)
    position = np.arange(products + 1)
    drawn = np.stack([random.permutation(np.arange(FIRST_PRODUCT, N_PRODUCTS))[: products + 1] for _ in lengths])
    targets = np.where(position < target_sizes[:, None], drawn, 0)
    targets[np.arange(examples), target_sizes] = END
    product_ids = np.where(filled, random.integers(1, N_PRODUCTS, filled.shape), 0).astype(np.int32)
    own = _own_products(product_ids, rows)
    own[0, 0] = targets[0, 0]  # at least one comes back
    return {
        "product_ids": product_ids,
        "quantities": np.where(filled, random.integers(1, 4, filled.shape), 0).astype(np.float32),
        "basket_features": random.normal(size=(len(sizes), N_BASKET_FEATURES)).astype(np.float32),
        "basket_rows": rows,
        "customer_ids": np.r_[0, random.integers(1, N_CUSTOMERS, examples - 1)].astype(np.int32),
        "elapsed_days": random.integers(0, 30, examples).astype(np.float32),
        "candidates": own,
        "candidate_features": (random.random((*own.shape, N_CANDIDATE_FEATURES)) * (own > 0)[..., None]).astype(
            np.float32
        ),
        "target_products": targets.astype(np.int32),
        "target_positions": np.flatnonzero(targets).astype(np.int32),
        "target_quantities": np.where(targets >= FIRST_PRODUCT, 2.0, 0.0).astype(np.float32),
        "target_gap_days": random.integers(0, 30, examples).astype(np.float32),
        "target_observed": np.ones(examples, np.float32),
        "target_sizes": target_sizes.astype(np.float32),
        "target_candidates": (own[:, :, None] == targets[:, None, :]).any(axis=2) & (own > 0),
        "attributes": random.integers(0, 100, (examples, 2)).astype(np.int32),
        "folds": random.integers(0, 1 + N_FOLDS, examples).astype(np.int32),
        "rhythm": random.random((examples, N_RHYTHM_FEATURES)).astype(np.float32),
    }


def assert_as_described(batch: dict[str, np.ndarray]) -> None:
    """Every array has the dtype and the dimensions that `models/fields.py` states, and no array is missing."""
    assert set(batch) == {field.name for field in (*INPUTS, *TARGETS)}
    sizes: dict[str, int] = {}
    for name, array in batch.items():
        field = FIELDS[name]
        assert array.dtype == np.dtype(field.dtype), name
        assert array.ndim == len(field.shape), name
        for dimension, length in zip(field.shape, array.shape, strict=True):
            if isinstance(dimension, int):
                assert length == dimension, name
            else:
                assert sizes.setdefault(dimension, length) == length, f"{name}: {dimension} has two lengths"


def still_waiting(batch: dict[str, np.ndarray], waiting: list[int]) -> dict[str, np.ndarray]:
    """The same examples, of which some have no next basket yet."""
    empty = {name: batch[name].copy() for name in batch if name.startswith("target_")}
    for name in ("target_products", "target_quantities", "target_sizes", "target_observed", "target_candidates"):
        empty[name][waiting] = 0
    empty["target_positions"] = np.flatnonzero(empty["target_products"]).astype(np.int32)
    return batch | empty


def padded(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same examples with more padding wherever a batch has any."""
    wider = dict(batch)
    by_place = ("product_ids", "quantities", "basket_rows", "candidates", "target_products", "target_quantities")
    for name in (*by_place, "target_candidates", "attributes"):
        wider[name] = np.pad(batch[name], [(0, 0), (0, 3)])
    wider["candidate_features"] = np.pad(batch["candidate_features"], [(0, 0), (0, 3), (0, 0)])
    return wider | {"target_positions": np.flatnonzero(wider["target_products"]).astype(np.int32)}


def rows(batch: dict[str, np.ndarray], chosen: list[int]) -> dict[str, np.ndarray]:
    """Some examples of a batch on their own, their baskets packed anew."""
    kept = batch["basket_rows"][chosen]
    baskets = kept[kept > 0] - 1
    renumbered = np.zeros_like(kept)
    renumbered[kept > 0] = np.arange(1, len(baskets) + 1)
    by_basket = ("product_ids", "quantities", "basket_features")
    by_example = {name: array for name, array in batch.items() if name != "target_positions"}
    cut = {name: array[baskets] if name in by_basket else array[chosen] for name, array in by_example.items()}
    positions = np.flatnonzero(cut["target_products"]).astype(np.int32)
    return cut | {"basket_rows": renumbered, "target_positions": positions}


def _own_products(product_ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Known products of each example's baskets, each once."""
    baskets = np.vstack([np.zeros_like(product_ids[:1]), product_ids])
    own = [np.unique(baskets[of_example]) for of_example in rows]
    own = [products[products >= FIRST_PRODUCT] for products in own]
    filled = np.zeros((len(rows), max(len(products) for products in own)), np.int32)
    for row, products in enumerate(own):
        filled[row, : len(products)] = products
    return filled
