"""The next basket by frequencies alone: the documented fallback where the model does not predict.

Returns what a model's `decode` returns: own products first, then everyone's, with the probability of being in the next
basket, units if it is, and days. As many products as the funnel's mean basket has.
"""

from math import log
from statistics import NormalDist

import numpy as np

from models import fields
from models.baselines.frequency import PersonalThenGlobal
from models.basket_sequences import BasketSequences
from models.special_ids import END, PADDING

_GAP_SPREAD = 1.0  # of log(1 + days); with one or two gaps known, own spread is not
_LARGEST_QUANTILE = 1.0 - 1e-6
_LOG_GAP_DAYS = fields.BASKET_FEATURES.index("log_gap_days")


class FrequencyForecast:
    """Personal-then-global top list.

    Args:
        counts: [V], baskets with each product; at END, all baskets.
        mean_units: [V], units of each product in the baskets that have it.
        median_gap_days: of all funnels of this kind; used where a funnel has no gap of its own.
    """

    def __init__(self, counts: np.ndarray, mean_units: np.ndarray, median_gap_days: float) -> None:
        self._top = PersonalThenGlobal(counts)
        self._n_products = len(counts)
        self._n_known = int((np.asarray(counts)[END + 1 :] > 0).sum())
        self._mean_units, self._median_gap_days = np.asarray(mean_units, np.float64), median_gap_days

    def decode(self, batch: dict[str, np.ndarray], max_products: int) -> dict[str, np.ndarray]:
        """products, probabilities, quantities [B, K]; gap_days and due_days [B]. See `Lens.decode`."""
        histories = BasketSequences.of_batch(batch, self._n_products)
        ranking = self._top.rank(histories, min(max_products, self._n_known))
        products, probabilities = ranking.products, ranking.scores
        quantities = self._mean_units[products]
        gap_days = np.full(len(products), self._median_gap_days)
        for row, baskets in enumerate(batch[fields.BASKET_ROWS]):
            past = baskets[baskets > 0] - 1
            ids, units = batch[fields.PRODUCT_IDS][past], batch[fields.QUANTITIES][past]
            quantities[row] = _own_means(products[row], ids, units, quantities[row])
            size = max(round(float((ids != PADDING).sum(axis=1).mean())), 1)
            products[row, size:], probabilities[row, size:], quantities[row, size:] = 0, 0, 0
            gaps = np.expm1(batch[fields.BASKET_FEATURE_VALUES][past, _LOG_GAP_DAYS])
            if (gaps > 0.5).any():
                gap_days[row] = np.median(gaps[gaps > 0.5])
        return {
            "products": products,
            "probabilities": probabilities,
            "quantities": quantities,
            "gap_days": gap_days,
            "due_days": _due(gap_days, batch[fields.ELAPSED_DAYS]),
        }


def _own_means(products: np.ndarray, ids: np.ndarray, units: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean units of each product in the funnel's own baskets, everyone's where it never bought the product."""
    bought = ids[None] == products[:, None, None]
    times = bought.sum(axis=(1, 2))
    return np.where(times > 0, (bought * units[None]).sum(axis=(1, 2)) / np.maximum(times, 1), others)


def _due(gap_days: np.ndarray, elapsed_days: np.ndarray) -> np.ndarray:
    """Median days from the last basket, given that `elapsed_days` have passed: log-normal about the usual gap."""
    normal = NormalDist()
    due = np.empty(len(gap_days))
    for row, (gap, elapsed) in enumerate(zip(gap_days, elapsed_days, strict=True)):
        centre = log(1.0 + gap)
        passed = normal.cdf((log(1.0 + elapsed) - centre) / _GAP_SPREAD) if elapsed > 0 else 0.0
        quantile = min(0.5 * (1.0 + passed), _LARGEST_QUANTILE)
        due[row] = max(np.expm1(centre + _GAP_SPREAD * normal.inv_cdf(quantile)), elapsed)
    return due
