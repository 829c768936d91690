"""Encoders by the names that configurations use."""

from models.encoders.encoder import Encoder
from models.encoders.mean_encoder import MeanEncoder
from models.encoders.recurrent_encoder import RecurrentEncoder
from models.encoders.transformer_encoder import TransformerEncoder

ENCODERS: dict[str, type[Encoder]] = {"lstm": RecurrentEncoder, "transformer": TransformerEncoder, "mean": MeanEncoder}
