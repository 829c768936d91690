"""What everyone did with each product before a day: sales, returns, usual units and prices.

The same by words of names, and by attributes of orders (store, country, channel).
"""

import numpy as np

from models.ragged import ranges
from pipeline.dataset.order_lines import ItemWords, OrderLines
from pipeline.dataset.running_sums import RunningSums

_START_RATE, _START_LINES = 0.02, 50.0
_WORD_WEIGHT = _ATTRIBUTE_WEIGHT = 100.0
_ATTRIBUTE_KEYS = 4096
"""Attributes share these keys by their hashes, so that an attribute with a value per order costs no more."""


class ItemHistory:
    """What everyone did with each product, with products of each word, and with orders of each attribute, before a day.

    Small enough to travel: it grows with products and days, not with customers.

    Args: lines: of all customers; described: words of each product (`read_item_words`).
    """

    def __init__(self, lines: OrderLines, described: dict[str, list[str]]) -> None:
        self.products = lines.products
        # One more item stands for products that the history does not have.
        self.words = ItemWords.of([*lines.products, ""], described)
        cents = np.maximum(lines.cents, 1.0)
        sold_days, back = lines.days[lines.orders], np.flatnonzero(lines.first_returns[1] >= 0)
        sold = _daily(lines.items, sold_days, log_units=np.log(lines.units), log_price=np.log(cents / lines.units))
        returned = _daily(lines.items[back], lines.first_returns[1][back])
        self.sold, self.returned = _sums(sold), _sums(returned)
        self.everyone_sold, self.everyone_returned = (
            _sums(each | {"keys": 0 * each["keys"]}) for each in (sold, returned)
        )
        self.word_sold, self.word_returned = (_sums(self._by_word(each)) for each in (sold, returned))
        line_attributes = _attribute_keys(lines)[lines.orders]
        self.attribute_sold = _sums(_daily_by_attribute(line_attributes, sold_days))
        self.attribute_returned = _sums(_daily_by_attribute(line_attributes[back], lines.first_returns[1][back]))

    def items_of(self, products: np.ndarray) -> np.ndarray:
        """Row of each product; the last row for one without a history."""
        if not len(self.products):
            return np.zeros(len(products), np.int64)
        found = np.minimum(np.searchsorted(self.products, products), len(self.products) - 1)
        return np.where(self.products[found] == products, found, len(self.products)).astype(np.int64)

    def base_rate(self, days: np.ndarray) -> np.ndarray:
        """Share of everyone's lines before each day of which something had come back by then."""
        nobody = np.zeros_like(days)
        back = self.everyone_returned.before("lines", nobody, days)
        sold = self.everyone_sold.before("lines", nobody, days)
        found: np.ndarray = (back + _START_RATE * _START_LINES) / (sold + _START_LINES)
        return found

    def word_rates(self, items: np.ndarray, days: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Largest and mean rate of each item's words; 0 for one without a word."""
        lengths = np.diff(self.words.offsets)[items]
        line = np.repeat(np.arange(len(items)), lengths)
        words = self.words.rows[ranges(self.words.offsets[items], lengths)]
        back, sold = (each.before("lines", words, days[line]) for each in (self.word_returned, self.word_sold))
        return _largest_and_mean(log_rate(back, sold, base[line], _WORD_WEIGHT), line, len(items))

    def attribute_rates(self, lines: OrderLines, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Largest and mean rate of the attributes of each of some orders; 0 for one without an attribute.

        Args: base: float64 [O], everyone's rate before the day of each order.
        """
        keys = _attribute_keys(lines)
        order, column = np.nonzero(keys)
        key, days = keys[order, column], lines.days[order]
        back, sold = (each.before("lines", key, days) for each in (self.attribute_returned, self.attribute_sold))
        return _largest_and_mean(log_rate(back, sold, base[order], _ATTRIBUTE_WEIGHT), order, len(keys))

    def _by_word(self, daily: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        lengths = np.diff(self.words.offsets)[daily["keys"]]
        words = self.words.rows[ranges(self.words.offsets[daily["keys"]], lengths)]
        return {"keys": words} | {name: np.repeat(each, lengths) for name, each in daily.items() if name != "keys"}


def log_rate(back: np.ndarray, sold: np.ndarray, base: np.ndarray, weight: float) -> np.ndarray:
    """Logarithm of a rate against the base rate, which counts as `weight` lines."""
    found: np.ndarray = np.log((back + weight * base) / (sold + weight) / base)
    return found


def _attribute_keys(lines: OrderLines) -> np.ndarray:
    """Keys of each order's attributes; int64 [O, most of one order], 0 padded."""
    hashes = lines.attribute_hashes.astype(np.int64)
    return np.where(hashes > 0, 1 + hashes % (_ATTRIBUTE_KEYS - 1), 0)


def _daily_by_attribute(keys: np.ndarray, days: np.ndarray) -> dict[str, np.ndarray]:
    """Lines by attribute and day; keys: int64 [n, most of one line], 0 padded."""
    line, column = np.nonzero(keys)
    return _daily(keys[line, column], days[line])


def _largest_and_mean(values: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the values of each of n rows; 0 for a row without one."""
    largest, counts = np.full(n, -np.inf), np.bincount(rows, minlength=n)
    np.maximum.at(largest, rows, values)
    return np.where(counts > 0, largest, 0.0), np.bincount(rows, values, n) / np.maximum(counts, 1)


def _daily(items: np.ndarray, days: np.ndarray, **values: np.ndarray) -> dict[str, np.ndarray]:
    """Lines and sums of values by item and day."""
    span = int(days.max(initial=0)) + 1
    cells, row = np.unique(items * span + days, return_inverse=True)
    sums = {name: np.bincount(row, each, len(cells)) for name, each in values.items()}
    counts = {"lines": np.bincount(row, minlength=len(cells)).astype(float)}
    return {"keys": cells // span, "times": cells % span} | counts | sums


def _sums(daily: dict[str, np.ndarray]) -> RunningSums:
    values = {name: each for name, each in daily.items() if name not in ("keys", "times")}
    return RunningSums(daily["keys"], daily["times"], **values)
