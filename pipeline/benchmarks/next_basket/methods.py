"""Next-basket methods by name: the baselines, the architectures of models/catalog.py, and the ranker beside them."""

from models.baselines.catalog import BASELINES
from models.baselines.next_basket import NextBasketModel
from models.catalog import ARCHITECTURES
from models.names import unknown_name
from pipeline.benchmarks.trained_lens import PASSES, passes_of

FINE_TUNED = "+policy-gradient"
SAME_FEATURES = "lambdamart-same-features"


def method_named(name: str, seed: int) -> NextBasketModel:
    """A new method of that name.

    An architecture may be followed by how it is trained, and by the passes over the examples of a whole schedule:
    `lens+policy-gradient`, `lens1000+prefixes+customers@5`.

    Raises: ValueError: for an unknown name, with the known ones, or passes that are no number.
    """
    trained, passes = passes_of(name)
    architecture, _, how = trained.partition("+")
    if architecture in ARCHITECTURES:
        from pipeline.benchmarks.next_basket.lens import EXAMPLES, LensMethod

        if f"+{how}" == FINE_TUNED:
            return LensMethod(architecture, seed, passes, finetune="policy-gradient")
        for examples in EXAMPLES:
            if examples == (how or "last"):
                return LensMethod(architecture, seed, passes, examples=examples)
    if name == SAME_FEATURES:
        from pipeline.benchmarks.next_basket.ranker import SameFeaturesRanker

        return SameFeaturesRanker(seed)
    if name not in BASELINES:
        unknown = unknown_name("model", name, [*ARCHITECTURES, *BASELINES, SAME_FEATURES])
        how_trained = f"{FINE_TUNED}, +prefixes or +prefixes+customers, and by {PASSES}N"
        raise ValueError(f"{unknown}; an architecture may be followed by {how_trained}")
    return BASELINES[name](seed)
