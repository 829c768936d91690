"""What backbones over events share: the vectors of events, what is known of an example, and how both are made."""

from typing import Any

import keras

from models.backbones.backbone import Backbone
from models.layers.event_features import EventFeatures, StaticFeatures


class EventInputs(Backbone):
    """Event features, static features and dropout; a kind adds how it encodes them.

    Args:   n_events: vocabulary size, special indices included; units: of each layer; attribute_buckets: vectors that
            attributes share by their hashes; n_numbers: numeric attributes; n_event_numbers: numbers of an event;
            passes_on: see StaticFeatures; own: further arguments of the kind, kept in the model file.
    """

    def __init__(
        self,
        n_events: int,
        units: tuple[int, ...],
        *,
        own: dict[str, Any],
        event_units: int = 32,
        static_units: int = 32,
        attribute_buckets: int = 256,
        n_numbers: int = 0,
        n_event_numbers: int = 0,
        passes_on: bool = False,
        dropout: float = 0.2,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = own | {
            "n_events": n_events,
            "units": list(units),
            "event_units": event_units,
            "static_units": static_units,
            "attribute_buckets": attribute_buckets,
            "n_numbers": n_numbers,
            "n_event_numbers": n_event_numbers,
            "passes_on": passes_on,
            "dropout": dropout,
            "seed": seed,
        }
        self.seed = seed
        self.events = EventFeatures(n_events, event_units, n_event_numbers, seed=seed, name="events")
        self.static = StaticFeatures(
            attribute_buckets, n_numbers, static_units, passes_on=passes_on, seed=seed + 1, name="static"
        )
        self.dropout = keras.layers.Dropout(dropout, seed=seed + 3000, name="dropout")

    def adapt(self, batch: Any) -> None:
        """Fit the standardisation of moments and numbers to the arrays of training examples; before any training."""
        self.events.adapt(batch)
        self.static.adapt(batch)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | self._arguments
        return config
