"""How much more than others customers and products of the simulated shop return."""

import numpy as np

_CUSTOMERS, _PRODUCTS = 11, 12  # streams of random numbers that no day of the shop uses


class ReturnInclinations:
    """Times the usual share of lines that a customer, or a product, sends back.

    Drawn once for each number, so that who returns more does not depend on the days that are simulated.

    Args: spread: standard deviation of the logarithms; 0: all are alike.
    """

    def __init__(self, spread: float, seed: int) -> None:
        self._spread, self._seed = spread, seed
        self._times: dict[int, np.ndarray] = {}

    def of_customers(self, numbers: np.ndarray) -> np.ndarray:
        """Times of some customers; float64, shaped like `numbers`."""
        return self._of(_CUSTOMERS, numbers)

    def of_products(self, numbers: np.ndarray) -> np.ndarray:
        """Times of some products; float64, shaped like `numbers`."""
        return self._of(_PRODUCTS, numbers)

    def of_lines(self, customers: np.ndarray, products: np.ndarray) -> np.ndarray:
        """Times of lines: of the customer, times of the product."""
        return self.of_customers(customers) * self.of_products(products)

    def _of(self, stream: int, numbers: np.ndarray) -> np.ndarray:
        if not self._spread:
            return np.ones(len(numbers))
        known = self._times.get(stream, np.zeros(0))
        wanted = int(numbers.max(initial=-1)) + 1
        if wanted > len(known):
            # Numbers drawn first stay the same however many follow.
            drawn = np.random.default_rng([self._seed, stream]).standard_normal(max(wanted, 2 * len(known)))
            known = self._times[stream] = np.exp(self._spread * drawn)
        found: np.ndarray = known[numbers]
        return found
