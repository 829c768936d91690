"""Decoders by the names that configurations use."""

from models.decoders.decoder import Decoder
from models.decoders.recurrent_decoder import RecurrentDecoder
from models.decoders.transformer_decoder import TransformerDecoder

DECODERS: dict[str, type[Decoder]] = {"lstm": RecurrentDecoder, "transformer": TransformerDecoder}
