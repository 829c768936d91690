"""Shapes of return models by name, and the names of what they read; nothing here starts Keras."""

from dataclasses import dataclass
from typing import Final

from models.catalog import ARCHITECTURES
from models.names import look_up

USUAL = "returns"
PAST_ORDER: Final = 3
THIS_ORDER: Final = 4
N_EVENT_KINDS: Final = 5
"""Kinds of events from the first one that is no special index."""


@dataclass(frozen=True)
class ReturnConfig:
    """Shape of a return model.

    Args:
        encoder: a name in models/backbones/events.py.
        units: of each layer of the encoder, in one direction.
        longest_past: orders that are read, the line's own one included.
        attribute_buckets, static_units: vectors that attributes share by their hashes, and how long they are.
        head_units: of the head's hidden layer.
        reads_trees: whether log odds are the mean of the network's and of boosted trees over the line's numbers.
    """

    encoder: str = "lstm"
    units: tuple[int, ...] = (16,)
    longest_past: int = 10
    event_units: int = 4
    static_units: int = 16
    attribute_buckets: int = 4096
    head_units: int = 16
    dropout: float = 0.3
    reads_trees: bool = True
    seed: int = 0


RETURN_ARCHITECTURES: dict[str, ReturnConfig] = {
    "returns": ReturnConfig(),
    "returns-transformer": ReturnConfig(encoder="transformer", units=(32, 32)),
}


def architecture_name(name: str) -> str:
    """The name of a return architecture; one of the next basket, the shared default, stands for the usual one.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    if name in ARCHITECTURES:
        return USUAL
    look_up("architecture", name, RETURN_ARCHITECTURES)
    return name
