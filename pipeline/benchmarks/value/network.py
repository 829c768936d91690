"""The network of customer value as a method of the benchmark: the same learner with and without the sequence."""

from typing import Any

import numpy as np

from models.customer_value.methods import Expected, training_cutoffs
from models.customer_value.purchase_days import PurchaseDays

_EVENTS, _BUCKETS, _BATCH, _STEPS, _RATE = 20, 4, 256, 2500, 2e-3
_AT_ONCE = 4096


class NetworkValue:
    """An encoder over purchase days with an intensity of baskets and a spend; see `ValueNetwork`.

    Args: reads_events: False reads recency, frequency and monetary value alone.
    """

    def __init__(self, seed: int, *, reads_events: bool = True) -> None:
        self._seed, self._reads_events = seed, reads_events

    def fit(self, purchases: PurchaseDays, end: int, horizon: int) -> None:
        """A fixed number of steps over the same cutoffs as the trees'."""
        import keras

        from models.customer_value.network import ValueNetwork, network_inputs, network_targets

        keras.utils.set_random_seed(self._seed)
        edges = np.linspace(0, horizon, _BUCKETS + 1).round().astype(int)
        cutoffs = training_cutoffs(purchases, end, horizon)
        self._scale = float(np.median(purchases.before(cutoffs[-1]).spend))
        parts = [
            network_inputs(purchases, day, purchases.known(day), scale=self._scale, n_events=_EVENTS)
            | network_targets(purchases, day, purchases.known(day), scale=self._scale, edges=edges)
            for day in cutoffs
        ]
        data = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        n = len(next(iter(data.values())))
        per_epoch = -(-n // _BATCH)
        epochs = max(_STEPS // per_epoch, 1)
        self._model = ValueNetwork(_BUCKETS, reads_events=self._reads_events, seed=self._seed)
        rate = keras.optimizers.schedules.CosineDecay(_RATE, epochs * per_epoch)
        self._model.compile(optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0))
        self._model.fit(data, batch_size=_BATCH, epochs=epochs, verbose=0)

    def predict(self, purchases: PurchaseDays, day: int, customers: np.ndarray) -> Expected:
        """Intensities summed over the horizon, and times the spend of a basket."""
        from models.customer_value.network import network_inputs

        inputs = network_inputs(purchases, day, customers, scale=self._scale, n_events=_EVENTS)
        found = [
            self._model({name: values[first : first + _AT_ONCE] for name, values in inputs.items()})
            for first in range(0, len(customers), _AT_ONCE)
        ]
        baskets = np.concatenate([np.asarray(part[0]).sum(axis=1) for part in found]).astype(float)
        price = np.concatenate([np.asarray(part[1]) for part in found]).astype(float)
        return baskets, baskets * price * self._scale

    def state(self) -> dict[str, Any]:
        """Not kept: it is no part of the nightly model."""
        raise NotImplementedError

    def restore(self, state: dict[str, Any]) -> None:
        """Not kept."""
        raise NotImplementedError
