"""Boosted trees by LightGBM: what all of ours are set by, and grown alike on every machine."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trees:
    """How each tree grows; how many there are is for each use to say."""

    learning_rate: float = 0.1
    n_leaves: int = 31
    min_rows_in_leaf: int = 100
    feature_share: float = 1.0
    seed: int = 0

    def parameters(self, objective: str, **further: Any) -> dict[str, Any]:
        """LightGBM's parameters for an objective, `further` ones by LightGBM's names."""
        return {
            "objective": objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.n_leaves,
            "min_data_in_leaf": self.min_rows_in_leaf,
            "feature_fraction": self.feature_share,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        } | further
