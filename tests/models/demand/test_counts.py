import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from models.demand.counts import exceed_probability, expected_excess, quantile

MEANS = st.floats(0.05, 200.0)
RATIOS = st.floats(1.01, 20.0)


@given(mean=MEANS, ratio=RATIOS, supply=st.floats(0.0, 300.0))
def test_expected_excess_is_the_sum_over_counts(mean: float, ratio: float, supply: float) -> None:
    counts = np.arange(0, 8000)
    weights = nbinom.pmf(counts, mean / (ratio - 1), 1 / ratio)
    by_sum = (np.maximum(counts - supply, 0) * weights).sum()
    assert float(expected_excess(mean, mean * ratio, supply)) == pytest.approx(by_sum, rel=1e-4, abs=1e-6)


@given(mean=MEANS, ratio=RATIOS, supply=st.floats(0.0, 300.0), more=st.floats(0.0, 50.0))
def test_more_supply_never_makes_a_shortage_likelier(mean: float, ratio: float, supply: float, more: float) -> None:
    less_safe = exceed_probability(mean, mean * ratio, supply)
    assert exceed_probability(mean, mean * ratio, supply + more) <= less_safe


@given(mean=MEANS, ratio=RATIOS)
def test_quantiles_are_in_order(mean: float, ratio: float) -> None:
    low, middle, high = (float(quantile(mean, mean * ratio, share)) for share in (0.1, 0.5, 0.9))
    assert low <= middle <= high


def test_variance_no_larger_than_the_mean_is_poisson() -> None:
    assert float(exceed_probability(4.0, 1.0, 6)) == pytest.approx(poisson.sf(6, 4.0), rel=1e-4)


def test_what_nobody_asks_for_is_never_short() -> None:
    assert float(exceed_probability(0.0, 0.0, 0.0)) == 0.0
    assert float(expected_excess(0.0, 0.0, 0.0)) == 0.0
    assert float(quantile(0.0, 0.0, 0.9)) == 0.0


def test_next_to_no_demand_is_none() -> None:
    assert float(exceed_probability(1e-200, 1e-200, 0.0)) == 0.0
    assert float(expected_excess(1e-200, 1e-200, 0.0)) == 0.0
    assert float(quantile(1e-200, 1e-200, 0.9)) == 0.0
