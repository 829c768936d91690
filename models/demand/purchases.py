"""How many units one purchase of a product usually holds, how many the next one, and which lines are unlike any other.

A barcode typed into the quantity, or a wholesaler who takes the whole shelf, says nothing about the weeks to come. Each
line is held against the product's own lines: it stays in the transactions and is flagged, but the forecast learns from
it as from one usual purchase. And where a product has few lines, none of them speaks for weeks: one order counts as few
purchases, and says less than comparable products what the next one will hold.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A line is odd beyond so many times the product's median, and ...
TIMES_MEDIAN = 100.0
# ... so many times the quantity below which 19 of 20 of its lines lie; of few lines that is the odd one itself, ...
TIMES_LARGE = 20.0
# ... so beyond this many times the median it is odd whatever the others are like.
TIMES_MEDIAN_ALWAYS = 400.0
# With fewer lines a product has no history of its own: its lines are held against those of other products.
MIN_LINES = 3
# A line counts as at most so many purchases of a product of up to KNOWN_LINES lines; of more, by their square more.
LARGEST_LINE, KNOWN_LINES = 3.0, 10
# The square of a product's lines at which they say as much of its next purchase as comparable products do. All three
# were chosen on the weeks before those that docs/results report, of half of UCI Online Retail.
PRIOR_SQUARE = 2.0


def quantity_limit(median: Array, large: Array, lines: NDArray[np.int64], usual: Array) -> Array:
    """Units of a line above which it is not learned from, by product, [N].

    Args:
        median, large: [N]; median and 95 % quantile of the quantities of the product's lines.
        lines: [N]; how many lines that are.
        usual: [N]; median quantity of lines of comparable products.
    """
    known = lines >= MIN_LINES
    centre = np.where(known, median, usual)
    own = np.maximum(TIMES_MEDIAN * median, np.minimum(TIMES_LARGE * large, TIMES_MEDIAN_ALWAYS * median))
    return np.where(known, own, TIMES_MEDIAN_ALWAYS * centre)


def purchase_size(median: Array, lines: NDArray[np.int64], usual: Array, limit: Array) -> Array:
    """Units that one purchase usually holds, above 0, [N]; what a product's few lines say, if they are not odd."""
    sensible = np.where((lines >= MIN_LINES) | (median <= limit), median, usual)
    return np.maximum(sensible, 1e-6)


def largest_line(size: Array, lines: NDArray[np.int64]) -> Array:
    """Units of a line beyond which it counts no more, [N]: one order of many does not make a week of purchases.

    Args: size: [N]; `purchase_size`.
    """
    values: Array = size * LARGEST_LINE * np.maximum(lines / KNOWN_LINES, 1.0) ** 2
    return values


def expected_size(size: Array, lines: NDArray[np.int64], usual: Array) -> Array:
    """Units that the next purchase is expected to hold, [N]: the product's own, drawn to comparable products' by ratio.

    One order of 144 does not say that the next one holds as much. The draw fades with the square of the lines, so that
    a product with some of its own is in any unit of measure what its lines say.

    Args: size: [N]; `purchase_size`.
    """
    own = lines**2 / (lines**2 + PRIOR_SQUARE)
    values: Array = size**own * np.maximum(usual, 1e-6) ** (1.0 - own)
    return values
