"""Who competes, by name."""

from models.baselines.catalog import BASELINES
from models.baselines.next_basket import NextBasketModel


def contestant(name: str, seed: int) -> NextBasketModel:
    """A new model of that name. Raises ValueError that lists the known ones."""
    if name not in BASELINES:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(BASELINES)}")
    return BASELINES[name](seed)
