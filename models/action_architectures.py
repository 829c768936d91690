"""Architectures for the next actions of a case, by name. Nothing here starts TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ActionConfig:
    """What makes one architecture."""

    kind: str = "attention"  # or "flat": dense layers over the flattened actions
    encoder: str = "lstm"  # or "transformer"
    decoder: str = "lstm"  # or "transformer"
    encoder_units: tuple[int, ...] = (32,)
    decoder_units: tuple[int, ...] = (64,)
    event_units: int = 32
    static_units: int = 32
    attribute_buckets: int = 256  # vectors that attributes share by their hashes
    dropout: float = 0.2
    days_weight: float = 0.1
    win_weight: float = 0.1
    longest_past: int = 30  # latest actions that are read
    longest_rest: int = 30  # actions that are predicted at most
    seed: int = 0

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "ActionConfig":
        """The configuration in a model file; JSON has no tuples."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        return cls(**values)


ACTION_ARCHITECTURES: dict[str, ActionConfig] = {
    "actions_lstm": ActionConfig(),
    "actions_transformer": ActionConfig(
        encoder="transformer", decoder="transformer", encoder_units=(64, 64), decoder_units=(64, 64)
    ),
    # Five dense layers with batch normalisation.
    "actions_mlp": ActionConfig(kind="flat", encoder_units=(256, 256, 128, 128, 128), longest_past=12, longest_rest=16),
}
