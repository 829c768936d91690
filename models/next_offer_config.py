"""Shapes of next-offer models, by name; nothing here starts Keras."""

from dataclasses import dataclass

from models.catalog import ARCHITECTURES
from models.names import look_up

USUAL = "offers"


@dataclass(frozen=True)
class NextOfferConfig:
    """Shape of a next-offer model.

    Args:
        encoder: a name in models/encoders/kinds.py.
        units: of each layer of the encoder.
        reads_sets: whether events are sets of offers; else their dearest offer alone.
        reads_features: whether offers are scored by own counts, times and popularity as well.
    """

    encoder: str = "lstm"
    units: tuple[int, ...] = (64,)
    offer_units: int = 48
    head_units: int = 48
    reads_sets: bool = True
    reads_features: bool = True
    dropout: float = 0.3
    seed: int = 0


OFFER_ARCHITECTURES: dict[str, NextOfferConfig] = {
    "offers": NextOfferConfig(),
    "offers-transformer": NextOfferConfig(encoder="transformer", units=(96, 96)),
    # The plain use case: the sequence of products with the days between them, and nothing else.
    "offers-lstm": NextOfferConfig(reads_sets=False, reads_features=False),
}


def architecture_name(name: str) -> str:
    """The name of a next-offer architecture; one of the next basket, the shared default, stands for the usual one.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    if name in ARCHITECTURES:
        return USUAL
    look_up("architecture", name, OFFER_ARCHITECTURES)
    return name
