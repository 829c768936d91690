"""The closed form: it finds the rates that customers were simulated with, and behaves as the papers say."""

import numpy as np
import pytest

from models.customer_value.bg_nbd import BgNbd, Counts
from models.customer_value.gamma_gamma import GammaGamma
from models.customer_value.methods import numbers_of
from tests.models.customer_value.customers import START, simulated

NUMBERS = (np.array([0.0, 1.0, 8.0]), np.array([0.0, 20.0, 90.0]), np.array([60.0, 60.0, 100.0]))


def test_rates_of_simulated_customers_are_found_again() -> None:
    purchases, day = simulated(3000, seed=1), START + 180
    own = numbers_of(purchases, day, purchases.known(day))
    counts = BgNbd.fitted(Counts.of(own["repeats"], own["latest"], own["age"]), leaves_after_first=True)
    assert counts.r / counts.alpha == pytest.approx(1.0 / 15.0, rel=0.25)
    assert counts.a / (counts.a + counts.b) == pytest.approx(0.4 / 4.4, rel=0.35)
    baskets, _ = purchases.totals(day, day + 60)
    expected = counts.expected(own["repeats"], own["latest"], own["age"], 60)
    assert expected.sum() == pytest.approx(baskets[purchases.known(day)].sum(), rel=0.1)


def test_customers_alike_counted_once_give_the_same_likelihood() -> None:
    repeats, latest, age = (np.repeat(each, [3, 2, 4]) for each in NUMBERS)
    model = BgNbd(0.7, 20.0, 0.3, 3.0)
    counts = Counts.of(repeats, latest, age)
    grouped = counts.customers * model.log_likelihood(counts.repeats, counts.latest, counts.age)
    assert grouped.sum() == pytest.approx(model.log_likelihood(repeats, latest, age).sum())


@pytest.mark.parametrize("leaves_after_first", [False, True])
def test_expected_baskets_grow_with_the_days_and_never_fall(leaves_after_first: bool) -> None:
    model = BgNbd(0.7, 20.0, 0.3, 3.0, leaves_after_first)
    curve = np.stack([model.expected(*NUMBERS, days) for days in (0.0, 1.0, 30.0, 365.0, 3650.0)])
    np.testing.assert_allclose(curve[0], 0.0, atol=1e-9)
    assert (np.diff(curve, axis=0) > 0).all()


def test_who_stays_away_longer_is_less_probably_a_customer() -> None:
    model, age = BgNbd(0.7, 20.0, 0.3, 3.0, leaves_after_first=True), np.array([61.0, 90.0, 180.0, 360.0])
    still = model.still_customer(np.full(4, 3.0), np.full(4, 60.0), age)
    assert (np.diff(still) < 0).all()
    once = np.zeros(1), np.zeros(1), np.array([300.0])
    assert model.still_customer(*once) < 0.9
    assert BgNbd(0.7, 20.0, 0.3, 3.0).still_customer(*once) == 1.0, "as BG/NBD has it"


def test_half_of_the_customers_come_within_the_median_wait() -> None:
    model, age = BgNbd(2.0, 30.0, 0.1, 9.0), np.array([100.0])
    wait = model.median_wait(np.array([5.0]), age)
    assert ((model.alpha + age) / (model.alpha + age + wait)) ** (model.r + 5.0) == pytest.approx(0.5)


def test_a_mean_of_more_days_is_shrunk_less() -> None:
    random = np.random.default_rng(0)
    typical = random.lognormal(3.0, 0.7, 2000)
    days = random.integers(1, 9, 2000).astype(float)
    means = np.array([random.gamma(3.0 * n, each / 3.0) / n for n, each in zip(days, typical, strict=True)])
    model = GammaGamma.fitted(days, means)
    everyone = float(means.mean())
    few, many = (model.expected(np.array([n]), np.array([4 * everyone]))[0] for n in (1.0, 20.0))
    assert everyone < few < many < 4 * everyone
    assert model.expected(days, means).mean() == pytest.approx(typical.mean(), rel=0.1)
