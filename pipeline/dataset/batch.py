"""Cut examples out of histories: whole batches, padded in numpy.

An example is a prefix of a funnel (the past) and, for training, the basket after it (the target). Real baskets are
packed one after another and padded baskets never made: padded batches are 41 % full, and cuDNN's LSTM refuses rows
without a real step.

`models/fields.py` names every array of a batch, with its dtype, shape and unit.
"""

from dataclasses import dataclass

import numpy as np

from models import fields
from models.ragged import positions_within, ranges
from pipeline.dataset.candidates import FoundCandidates
from pipeline.dataset.histories import Histories
from pipeline.dataset.rhythm import rhythm_of
from pipeline.tables.vocabulary import END_INDEX, FIRST_PRODUCT_INDEX, UNKNOWN_INDEX

Batch = dict[str, np.ndarray]

_LONGEST_GAP_DAYS = 3650.0


@dataclass(frozen=True)
class Cut:
    """What of a past the encoders read: its latest baskets, and of each the lines with most units."""

    max_baskets: int
    max_products: int


def pasts(histories: Histories, ends: np.ndarray, funnels: np.ndarray, cut: Cut, candidates: FoundCandidates) -> Batch:
    """The model's input for the past of each funnel up to, and without, the basket at `ends`.

    Args:    funnels: int64 [B], rows of `histories`; ends: int64 [B], positions among all baskets, each after its
             funnel's first basket; candidates: of the same examples, from `CandidateSource.find`.
    Returns: arrays `models.fields.INPUTS` but customer_ids, which depend on the model's customers.
    """
    starts = np.maximum(histories.basket_offsets[funnels], ends - cut.max_baskets)
    lengths = ends - starts
    baskets = ranges(starts, lengths)
    rows = np.zeros((len(ends), lengths.max()), np.int32)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = np.arange(1, len(baskets) + 1)
    product_ids, quantities = _lines(histories, baskets, cut.max_products)
    product_candidates, candidate_features = candidates
    return {
        fields.PRODUCT_IDS: product_ids,
        fields.QUANTITIES: quantities,
        fields.BASKET_FEATURE_VALUES: _basket_features(histories, baskets),
        fields.BASKET_ROWS: rows,
        fields.ATTRIBUTES: histories.attributes[funnels],
        fields.ELAPSED_DAYS: np.zeros(len(ends), np.float32),
        fields.FOLDS: np.zeros(len(ends), np.int32),
        fields.RHYTHM: rhythm_of(histories, funnels, ends),
        fields.CANDIDATES: product_candidates,
        fields.CANDIDATE_FEATURE_VALUES: candidate_features,
    }


def targets(
    histories: Histories,
    positions: np.ndarray,
    max_products: int,
    shuffle: np.random.Generator | None = None,
    *,
    waited: np.ndarray | None = None,
    candidates: np.ndarray | None = None,
) -> Batch:
    """The true next basket of each example: arrays `models.fields.TARGETS`.

    Args:
        positions: int64 [B]; of the next basket among all baskets.
        max_products: longest decoded basket; of a longer one only so many products are kept, and no end.
        shuffle: puts the products in random order, so that the decoder's first step learns the probability that a
            product is in the basket at all, and what is kept of a long basket is a random part.
        waited: float [B]; days without a basket since the last one of the past, for examples whose next basket is still
            to come, whatever lies at their position; NaN for all others. Default: all others.
        candidates: int32 [B, C]; each is looked for in the whole basket, however much of it is decoded. Default: none,
            and no array says what was bought of them.
    """
    observed = np.ones(len(positions), bool) if waited is None else np.isnan(waited)
    # A basket still to come has no position among all baskets: what is read instead is not used.
    positions = np.where(observed, positions, 0)
    starts = histories.product_offsets[positions]
    lengths = np.diff(histories.product_offsets)[positions] * observed
    gaps = (
        histories.gap_days[positions] if waited is None else np.where(observed, histories.gap_days[positions], waited)
    )
    lines = ranges(starts, lengths)
    example = np.repeat(np.arange(len(positions)), lengths)
    known = histories.product_ids[lines] >= FIRST_PRODUCT_INDEX
    lines, example = lines[known], example[known]
    if shuffle is not None:
        order = np.lexsort((shuffle.random(len(lines)), example))
        lines = lines[order]
    counts = np.bincount(example, minlength=len(positions))
    position = positions_within(counts)
    shown = np.minimum(counts, max_products)
    is_complete = observed & (counts <= max_products)
    complete = np.flatnonzero(is_complete)
    products = np.zeros((len(positions), max(1, int((shown + is_complete).max()))), np.int32)
    quantities = np.zeros(products.shape, np.float32)
    kept = position < max_products
    products[example[kept], position[kept]] = histories.product_ids[lines[kept]]
    quantities[example[kept], position[kept]] = histories.quantities[lines[kept]]
    products[complete, counts[complete]] = END_INDEX
    of_candidates = {}
    if candidates is not None:
        of_candidates[fields.TARGET_CANDIDATES] = _are_bought(candidates, example, histories.product_ids[lines])
    return of_candidates | {
        fields.TARGET_PRODUCTS: products,
        fields.TARGET_POSITIONS: np.flatnonzero(products).astype(np.int32),
        fields.TARGET_QUANTITIES: quantities,
        fields.TARGET_GAP_DAYS: np.clip(gaps, 0, _LONGEST_GAP_DAYS).astype(np.float32),
        fields.TARGET_OBSERVED: observed.astype(np.float32),
        fields.TARGET_SIZES: lengths.astype(np.float32),
    }


def _are_bought(candidates: np.ndarray, example: np.ndarray, product_ids: np.ndarray) -> np.ndarray:
    """Which candidates are among the products of their example, padding never; bool [B, C].

    Args: candidates: int32 [B, C]; example, product_ids: [L], known products and whose they are.
    """
    # A number for each pair of example and product.
    n_products = max(candidates.max(initial=0), product_ids.max(initial=0)) + 1
    pairs = np.arange(len(candidates), dtype=np.int64)[:, None] * n_products + candidates
    found: np.ndarray = np.isin(pairs, example.astype(np.int64) * n_products + product_ids)
    return found & (candidates >= FIRST_PRODUCT_INDEX)


def _lines(histories: Histories, baskets: np.ndarray, max_products: int) -> tuple[np.ndarray, np.ndarray]:
    """Products and units of each basket, padded; a basket that is too long keeps the lines with most units."""
    starts, lengths = histories.product_offsets[baskets], np.diff(histories.product_offsets)[baskets]
    lines = ranges(starts, lengths)
    basket = np.repeat(np.arange(len(baskets)), lengths)
    if lengths.max() > max_products:
        lines = lines[np.lexsort((lines, -histories.quantities[lines], basket))]
    position = positions_within(lengths)
    kept = position < max_products
    shape = (len(baskets), min(int(lengths.max()), max_products))
    product_ids, quantities = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    product_ids[basket[kept], position[kept]] = np.maximum(histories.product_ids[lines[kept]], UNKNOWN_INDEX)
    quantities[basket[kept], position[kept]] = histories.quantities[lines[kept]]
    return product_ids, quantities


def _basket_features(histories: Histories, baskets: np.ndarray) -> np.ndarray:
    """Features of each basket; float32 [N, columns models.fields.BASKET_FEATURES].

    Day and month are left out: over months of data they identify dates, and the model learns what was on offer then
    instead of what the customer buys (docs/decisions/2026-11-21__dates_as_features.md). A first basket has gap 0, as a
    second one of the same day has. Sums run over all lines, also those cut away.
    """
    offsets = histories.product_offsets
    lengths = np.diff(offsets)[baskets]
    amounts = _sums(histories.amounts, offsets)[baskets]
    quantities = _sums(histories.quantities, offsets)[baskets]
    amounts_of = np.stack([np.maximum(histories.gap_days[baskets], 0), amounts, quantities, lengths], axis=1)
    angles = 2 * np.pi * (histories.day_of_week[baskets] - 1) / 7
    cycles = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    return np.concatenate([np.log1p(np.maximum(amounts_of, 0)), cycles], axis=1).astype(np.float32)


def _sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return running[offsets[1:]] - running[offsets[:-1]]
