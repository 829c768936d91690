"""What makes one architecture. It imports no TensorFlow, since jobs that build no model read it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

# Names of settings in model files written before 2026-11-28.
_RENAMED = {"presence_weight": "inclusion_weight", "pointer_memory": "neighbour_candidates"}


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
    customer_units: int = 32  # 0: no customer vector; the baskets alone distinguish customers
    attribute_buckets: int = 0  # vectors that customers' attributes share by their hashes; 0: attributes are not read
    content_weight: float = 1.0  # 0: the days until the next basket alone, as in the paper's twin models
    quantity_weight: float = 0.1
    time_head: str = "mse"  # or "mae", as in the paper; "hazard"
    rhythm_units: int = 0  # width of the layers of a hazard head that read the rhythm of the baskets; 0: none
    gap_weight: float = 1.0
    size_weight: float = 0.5
    pointer_units: int = 0  # width of the pointer head; 0: none
    pointer_trees: int = 0  # boosted trees whose score is averaged with the network's; 0: none
    pointer_tree_levels: int = 6
    neighbour_candidates: bool = True  # whether products of similar customers are candidates too
    inclusion_weight: float = 1.0
    seed: int = 0

    @property
    def uses_neighbours(self) -> bool:
        """Whether its candidates come from other customers' histories as well."""
        return self.pointer_units > 0 and self.neighbour_candidates

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "LensConfig":
        """The configuration in a model file, of today or with the names of before.

        Raises: ValueError: for a setting that this version does not know.
        """
        renamed = {_RENAMED.get(name, name): value for name, value in stored.items()}
        unknown = sorted(set(renamed) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown setting of a model: {', '.join(unknown)}; a later version may have written it")
        # JSON has no tuples.
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in renamed.items()
        }
        return cls(**values)
