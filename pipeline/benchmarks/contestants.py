"""Who competes, by name."""

from models.baselines.catalog import BASELINES
from models.baselines.next_basket import NextBasketModel


def contestant(name: str, seed: int) -> NextBasketModel:
    """A new model of that name. Raises ValueError that lists the known ones."""
    from models.catalog import ARCHITECTURES  # slow: it starts TensorFlow

    if name in ARCHITECTURES:
        from pipeline.benchmarks.lens import LensContestant

        return LensContestant(name, seed)
    if name not in BASELINES:
        raise ValueError(f"unknown model {name!r}; known: {', '.join([*ARCHITECTURES, *BASELINES])}")
    return BASELINES[name](seed)
