import numpy as np
import pytest

from models.baselines.customer_demand import CustomerConfig, Purchases, customer_demand, expected_by_customer

TODAY, HORIZON = 60, 7
# Own shares count from the first unit on.
OWN = CustomerConfig(prior_units=1.0, memory_days=10_000.0)


def purchases(*lines: tuple[int, int, int, float]) -> Purchases:
    """From lines of customer, product, day, units."""
    customers, products, days, units = (np.array(column) for column in zip(*lines, strict=True))
    return Purchases(customers, products, days, units.astype(float))


def weekly(customer: int, product: int, *, until: int = TODAY, units: float = 1.0) -> list[tuple[int, int, int, float]]:
    return [(customer, product, day, units) for day in range(until - 7, 0, -7)]


def even_store(products: int = 3) -> np.ndarray:
    return np.full((products, HORIZON), 4.0)


def test_each_day_keeps_the_store_s_units() -> None:
    store = np.random.default_rng(0).gamma(2.0, 2.0, (3, HORIZON))
    bought = purchases(*weekly(0, 0), *weekly(1, 1))
    for average in (False, True):
        assert customer_demand(bought, TODAY, store, OWN, average=average).sum(axis=0) == pytest.approx(
            store.sum(axis=0)
        )


def test_what_a_due_customer_buys_is_expected_more_than_what_a_lost_one_did() -> None:
    bought = purchases(*weekly(0, 0), *weekly(1, 1, until=21))
    found = customer_demand(bought, TODAY, even_store(), OWN)
    assert found[0].sum() > 1.5 * found[1].sum()


def test_to_the_placebo_customers_are_the_same() -> None:
    # Who bought what does not matter to it; to the route it does.
    lines = [*weekly(0, 0), *weekly(1, 1), (1, 2, 10, 1.0)]
    swapped = [(customer, {0: 1, 1: 0}.get(product, 2), day, units) for customer, product, day, units in lines]
    one, other = (
        customer_demand(purchases(*each), TODAY, even_store(), OWN, average=True) for each in (lines, swapped)
    )
    assert one[[1, 0, 2]] == pytest.approx(other)
    lines = [*weekly(0, 0, until=120)[:8], *weekly(1, 1, until=67)[:8]]
    real, placebo = (customer_demand(purchases(*lines), 120, even_store(), OWN, average=flag) for flag in (False, True))
    assert placebo[0] == pytest.approx(placebo[1], rel=0.01)
    assert real[0].sum() > 1.5 * real[1].sum()


def test_without_customers_worth_knowing_the_store_s_forecast_stays() -> None:
    store = np.random.default_rng(0).gamma(2.0, 2.0, (3, 1)) * np.ones((1, HORIZON))
    found = customer_demand(purchases(*weekly(0, 0)), TODAY, store, CustomerConfig(prior_units=1e9))
    assert found == pytest.approx(store, rel=1e-3)


def test_expected_units_follow_frequency_and_basket() -> None:
    bought = purchases(*weekly(0, 0), *weekly(1, 0, units=5.0), *weekly(3, 0)[::3])
    expected = expected_by_customer(bought, TODAY, HORIZON, CustomerConfig()).sum(axis=1)
    assert expected[1] > expected[0] > expected[3] > 0
    assert expected[2] == 0


def test_one_line_is_enough() -> None:
    found = customer_demand(purchases((0, 1, TODAY - 1, 2.0)), TODAY, even_store())
    assert np.isfinite(found).all()
    assert (found > 0).all()
