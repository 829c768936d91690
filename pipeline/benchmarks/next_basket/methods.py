"""Next-basket methods by name: the baselines, the architectures of models/catalog.py, and the ranker beside them."""

from models.baselines.catalog import BASELINES
from models.baselines.next_basket import NextBasketModel
from models.catalog import ARCHITECTURES
from models.names import unknown_name

FINE_TUNED = "+policy-gradient"
SAME_FEATURES = "lambdamart-same-features"


def method_named(name: str, seed: int) -> NextBasketModel:
    """A new method of that name.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    architecture = name.removesuffix(FINE_TUNED)
    if architecture in ARCHITECTURES:
        from pipeline.benchmarks.next_basket.lens import LensMethod

        return LensMethod(architecture, seed, finetune="none" if name == architecture else "policy-gradient")
    if name == SAME_FEATURES:
        from pipeline.benchmarks.next_basket.ranker import SameFeaturesRanker

        return SameFeaturesRanker(seed)
    if name not in BASELINES:
        unknown = unknown_name("model", name, [*ARCHITECTURES, *BASELINES, SAME_FEATURES])
        raise ValueError(f"{unknown}; an architecture with {FINE_TUNED} is fine-tuned")
    return BASELINES[name](seed)
