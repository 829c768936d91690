"""What makes one architecture. Nothing here starts TensorFlow: jobs ask for it that build no model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LensConfig:
    """What makes one architecture; `catalog.py` names the known ones."""

    session_units: tuple[int, ...]
    behaviour_units: tuple[int, ...]
    decoder_units: tuple[int, ...]
    session_encoder: str = "lstm"  # or "transformer"; "mean" of the products, which has no units
    behaviour_encoder: str = "lstm"  # or "transformer"
    decoder: str = "lstm"  # or "transformer"
    product_units: int = 128
    product_start: str = "random"  # or "co_occurrence": vectors learned beforehand, see models/product_vectors.py
    products_frozen: bool = False  # whether product vectors stay as they start
    customer_units: int = 32  # 0: customers are told apart by their baskets alone
    attribute_buckets: int = 0  # vectors that customers' attributes share by their hashes; 0: attributes are not read
    content_weight: float = 1.0  # 0: the days until the next basket alone, as in the paper's twin models
    quantity_weight: float = 0.1
    time_head: str = "mse"  # or "mae", as in the paper; "hazard"
    gap_weight: float = 1.0
    size_weight: float = 0.5
    pointer_units: int = 0  # width of the pointer head; 0: none
    pointer_memory: bool = True  # whether it points to what other customers name as well
    presence_weight: float = 1.0
    seed: int = 0

    @property
    def remembers(self) -> bool:
        """Whether its candidates come from a memory of other customers."""
        return self.pointer_units > 0 and self.pointer_memory
