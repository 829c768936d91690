"""Shape of the model of article vectors; nothing here starts Keras."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ItemVectorConfig:
    """Shape of the model.

    Args: units: of the hidden layer; vector_units: of the bottleneck f; tag_units: of the sum over tags;
          own_part: whether an article that many bought has a free part beside what is known of it (0 for a new one),
          which is left out of a share `id_dropout` of the training examples, and a popularity of its own.
    """

    units: int = 256
    vector_units: int = 128
    tag_units: int = 128
    image_units: int = 128
    own_part: bool = True
    id_dropout: float = 0.3
    dropout: float = 0.2
    seed: int = 0
