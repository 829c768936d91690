"""Cut examples out of histories: whole batches, padded in numpy.

An example is a prefix of a funnel (the past) and, for training, the basket after it (the target). Real baskets are
packed one after another and padded baskets never made: padded batches are 41 % full, and cuDNN's LSTM refuses rows
without a real step.

    product_ids       int32   [N, P]  products of each basket, most units first where a basket is cut; 0 padded
    quantities        float32 [N, P]  units
    basket_features   float32 [N, 6]  see `_features`
    basket_rows       int32   [B, T]  1 + row of each basket, oldest first, 0 padded on the right
    customer_ids      int32   [B]     row of the customer's vector; 0 is a customer not seen in training
    attributes        int32   [B, A]  of the customer, hashed; 0 padded
    elapsed_days      float32 [B]     days since the last basket that passed without another
    candidates        int32   [B, C]  products to point to, and candidate_features float32 [B, C, 31]: see candidates.py
    target_products   int32   [B, S]  known products of the next basket, END, then 0
    target_places     int32   [M]     where target_products, flattened, is not 0
    target_quantities float32 [B, S]  units; 0 at END and padding
    target_gap_days   float32 [B]     days from the last basket of the past to the next one, or so far without one
    target_observed   float32 [B]     1; 0 where the next basket is still to come, and the other targets are empty
    target_sizes      float32 [B]     lines of the next basket, unknown products included
"""

from dataclasses import dataclass

import numpy as np

from models.ragged import places, ranges
from pipeline.dataset.candidates import Memory
from pipeline.dataset.histories import Histories
from pipeline.tables.vocabulary import END_INDEX, FIRST_PRODUCT_INDEX, UNKNOWN_INDEX

Batch = dict[str, np.ndarray]

_LONGEST_GAP_DAYS = 3650.0


@dataclass(frozen=True)
class Cut:
    """What of a past the encoders read: its latest baskets, and of each the lines with most units."""

    max_baskets: int
    max_products: int


def pasts(histories: Histories, ends: np.ndarray, funnels: np.ndarray, cut: Cut, memory: Memory) -> Batch:
    """The model's input for the past of each funnel up to, and without, the basket at `ends`.

    Args: funnels: int64 [B], rows of `histories`; ends: int64 [B], positions among all baskets, each after its
          funnel's first basket.
    """
    starts = np.maximum(histories.basket_offsets[funnels], ends - cut.max_baskets)
    lengths = ends - starts
    baskets = ranges(starts, lengths)
    rows = np.zeros((len(ends), lengths.max()), np.int32)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = np.arange(1, len(baskets) + 1)
    product_ids, quantities = _lines(histories, baskets, cut.max_products)
    candidates, candidate_features = memory.of(histories, funnels, ends)
    return {
        "product_ids": product_ids,
        "quantities": quantities,
        "basket_features": _features(histories, baskets),
        "basket_rows": rows,
        "attributes": histories.attributes[funnels],
        "elapsed_days": np.zeros(len(ends), np.float32),
        "candidates": candidates,
        "candidate_features": candidate_features,
    }


def targets(
    histories: Histories,
    positions: np.ndarray,
    max_products: int,
    shuffle: np.random.Generator | None = None,
    waited: np.ndarray | None = None,
) -> Batch:
    """The true next basket of each example, at `positions` among all baskets.

    Args: waited: float [B]; days without a basket since the last one of the past, for examples whose next basket is
          still to come, whatever lies at their position; NaN for all others. Default: all others.

    With `shuffle`, products come in random order, so that the decoder's first step learns the chance that a product is
    in the basket at all; a basket of more than `max_products` then shows a random part of itself, and no end.
    """
    observed = np.ones(len(positions), bool) if waited is None else np.isnan(waited)
    # A basket still to come has no place among all baskets: what is read in its stead is not used.
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
    place = places(counts)
    shown = np.minimum(counts, max_products)
    is_complete = observed & (counts <= max_products)
    complete = np.flatnonzero(is_complete)
    products = np.zeros((len(positions), max(1, int((shown + is_complete).max()))), np.int32)
    quantities = np.zeros(products.shape, np.float32)
    kept = place < max_products
    products[example[kept], place[kept]] = histories.product_ids[lines[kept]]
    quantities[example[kept], place[kept]] = histories.quantities[lines[kept]]
    products[complete, counts[complete]] = END_INDEX
    return {
        "target_products": products,
        "target_places": np.flatnonzero(products).astype(np.int32),
        "target_quantities": quantities,
        "target_gap_days": np.clip(gaps, 0, _LONGEST_GAP_DAYS).astype(np.float32),
        "target_observed": observed.astype(np.float32),
        "target_sizes": lengths.astype(np.float32),
    }


def _lines(histories: Histories, baskets: np.ndarray, max_products: int) -> tuple[np.ndarray, np.ndarray]:
    """Products and units of each basket, padded; a basket that is too long keeps the lines with most units."""
    starts, lengths = histories.product_offsets[baskets], np.diff(histories.product_offsets)[baskets]
    lines = ranges(starts, lengths)
    basket = np.repeat(np.arange(len(baskets)), lengths)
    if lengths.max() > max_products:
        lines = lines[np.lexsort((lines, -histories.quantities[lines], basket))]
    place = places(lengths)
    kept = place < max_products
    shape = (len(baskets), min(int(lengths.max()), max_products))
    product_ids, quantities = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    product_ids[basket[kept], place[kept]] = np.maximum(histories.product_ids[lines[kept]], UNKNOWN_INDEX)
    quantities[basket[kept], place[kept]] = histories.quantities[lines[kept]]
    return product_ids, quantities


def _features(histories: Histories, baskets: np.ndarray) -> np.ndarray:
    """log(1 + days since the previous basket, money, units, lines), then sine and cosine of the weekday.

    Day and month are left out: over months of data they identify dates, and the model learns what was on offer then
    instead of what the customer buys (docs/decisions: dates_as_features).
    A first basket has gap 0, as a second one of the same day has. Sums run over all lines, also those cut away.
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
