"""Next-basket methods by name: the baselines, and the architectures of models/catalog.py."""

from models.baselines.catalog import BASELINES
from models.baselines.next_basket import NextBasketModel
from models.catalog import ARCHITECTURES
from models.names import unknown_name

FINE_TUNED = "+policy-gradient"


def method_named(name: str, seed: int) -> NextBasketModel:
    """A new method of that name.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    architecture = name.removesuffix(FINE_TUNED)
    if architecture in ARCHITECTURES:
        from pipeline.benchmarks.next_basket.lens import LensMethod

        return LensMethod(architecture, seed, finetune="none" if name == architecture else "policy-gradient")
    if name not in BASELINES:
        unknown = unknown_name("model", name, [*ARCHITECTURES, *BASELINES])
        raise ValueError(f"{unknown}; an architecture with {FINE_TUNED} is fine-tuned")
    return BASELINES[name](seed)
