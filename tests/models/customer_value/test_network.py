"""The network of customer value: padding and later days change nothing, and it loads as it was."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from models.customer_value.network import EVENTS, IS_EVENT, ValueNetwork, network_inputs, network_targets
from tests.models.customer_value.customers import START, simulated

DAY = START + 120
EDGES = np.array([0, 10, 30])


def outputs(model: ValueNetwork, batch: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(each) for each in model(batch)]


def test_padding_and_later_days_change_nothing() -> None:
    purchases = simulated(60)
    customers = purchases.known(DAY)
    model = ValueNetwork(2, seed=1)
    longest = int(np.bincount(purchases.before(DAY).customers).max())
    short, long = (network_inputs(purchases, DAY, customers, scale=10.0, n_events=longest + more) for more in (0, 9))
    assert long[EVENTS].shape[1] == short[EVENTS].shape[1] + 9
    assert long[IS_EVENT].sum() == short[IS_EVENT].sum()
    changed = replace(purchases, spend=np.where(purchases.days >= DAY, 1e6, purchases.spend))
    later = network_inputs(changed, DAY, customers, scale=10.0, n_events=longest)
    for one, padded, other in zip(outputs(model, short), outputs(model, long), outputs(model, later), strict=True):
        np.testing.assert_allclose(padded, one, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(other, one)


def test_it_learns_a_tiny_set_and_loads_as_it_was(tmp_path: Path) -> None:
    purchases = simulated(40)
    customers = purchases.known(DAY)
    batch = network_inputs(purchases, DAY, customers, scale=10.0, n_events=12)
    batch |= network_targets(purchases, DAY, customers, scale=10.0, edges=EDGES)
    assert batch["bucket_baskets"].sum() == purchases.totals(DAY, DAY + 30)[0][customers].sum()
    model = ValueNetwork(2, dropout=0.0)
    before = float(model.losses(batch)["total"])
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    model.fit(batch, batch_size=len(customers), epochs=60, verbose=0)
    assert float(model.losses(batch)["total"]) < before - 0.1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    for one, other in zip(outputs(model, batch), outputs(loaded, batch), strict=True):
        np.testing.assert_array_equal(one, other)
