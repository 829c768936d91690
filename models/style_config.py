"""Shapes of the models of style, by name; nothing here starts Keras."""

from dataclasses import dataclass

from models.catalog import ARCHITECTURES
from models.names import look_up

USUAL = "styles"
LOSSES = ("sigmoid", "softmax", "sigmoid_rank")
PURCHASES, ORDERS = "purchases", "orders"
PROFILE_DECAYS = (7.0, 30.0, 180.0)
"""Days after which a purchase counts 1/e in a profile."""
VIEW_DECAYS = (2.0, 14.0)
"""Days after which a view counts 1/e in the mean of what was viewed."""


@dataclass(frozen=True)
class StyleConfig:
    """Shape and training of a model of style. The defaults are chosen by measurement, `styles-paper` is the paper's.

    Args:
        units: of the LSTM; vector_units: of an article's vector and of a style.
        loss: of LOSSES.
        negatives: articles in store that each purchase is compared with.
        reads: `purchases`, one step each, those of one order shuffled; or `orders`, one step each, the mean of its
            articles.
        first_of_order: whether only the first purchase of an order is learned (where purchases are read).
        profiles: whether means of the vectors bought so far, by age, are added to the style, each component weighted.
        signals: whether sales of the articles and own earlier purchases are read.
        unsold_negatives: whether a purchase is also compared with articles that nobody has bought. Vectors that learned
            of all purchases show which those are, and new articles then rank lower than they should.
        new_weight: how many times a purchase counts of an article that nobody bought before; above 1 such articles are
            ranked higher than their sales so far let expect.
        max_steps: latest steps of a customer that are read.
    """

    units: int = 32
    vector_units: int = 128
    loss: str = "sigmoid_rank"
    negatives: int = 20
    reads: str = ORDERS
    first_of_order: bool = True
    profiles: bool = True
    signals: bool = True
    signal_units: int = 32
    taste_units: int = 8
    dropout: float = 0.5
    unsold_negatives: bool = True
    new_weight: float = 2.5
    max_steps: int = 60
    seed: int = 0


PAPER = StyleConfig(
    units=256,
    loss="sigmoid",
    reads=PURCHASES,
    profiles=False,
    signals=False,
    dropout=0.5,
    unsold_negatives=False,
    new_weight=1.0,
    max_steps=100,
)

STYLE_ARCHITECTURES: dict[str, StyleConfig] = {USUAL: StyleConfig(), "styles-paper": PAPER}


def architecture_name(name: str) -> str:
    """The name of an architecture of style; one of the next basket, the shared default, stands for the usual one.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    if name in ARCHITECTURES:
        return USUAL
    look_up("architecture", name, STYLE_ARCHITECTURES)
    return name
