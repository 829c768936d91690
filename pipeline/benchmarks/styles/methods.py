"""Methods that rank what is in store for each customer, by name."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from models.item_vector_config import ItemVectorConfig
from models.names import look_up
from models.style_config import LOSSES, PAPER, StyleConfig
from pipeline.benchmarks.styles.blend import Blend
from pipeline.benchmarks.styles.hybrid import Hybrid
from pipeline.benchmarks.styles.moments import Moments, MomentsConfig
from pipeline.benchmarks.styles.neural import DynamicStyle, StaticStyle, Training, TrainingPlan
from pipeline.benchmarks.styles.simple import Factorisation, OwnFrequency
from pipeline.benchmarks.styles.together import Together
from pipeline.evaluation.style_baselines import Content, Popularity
from pipeline.evaluation.style_problem import Problem


class StyleMethod(Protocol):
    """A method: it reads what is before the cutoff, and scores everything in store."""

    def scores(self, problem: Problem) -> np.ndarray:
        """Higher is better; float [C, S]."""

    def settings(self) -> dict[str, Any]:
        """The configuration, as it is kept beside the scores."""


CHOSEN, ITEMS, PLAN = StyleConfig(), ItemVectorConfig(), TrainingPlan()
# The paper's model has no short way to what is simple: it needs every customer, and learns slowly and for longer.
PAPER_PLAN = replace(PLAN, styles=Training(steps=800, rate=5e-4, batch=128), vectors_share=None)
# The paper's article vectors are made from what is known of articles alone.
PAPER_ITEMS = replace(ITEMS, own_part=False)
# One choice of the paper each, all else as in `dynamic`.
_PAPER_TABLE = {
    **{f"dynamic-{loss}": replace(PAPER, loss=loss) for loss in LOSSES if loss != PAPER.loss},
    **{f"dynamic-{n}-negatives": replace(PAPER, negatives=n) for n in (5, 50)},
    "dynamic-rest-of-order": replace(PAPER, first_of_order=False),
    "dynamic-orders": replace(PAPER, reads="orders", max_steps=60),
}

METHODS: dict[str, Callable[[int], StyleMethod]] = {
    "popularity": lambda seed: Popularity(),
    "own-frequency": lambda seed: OwnFrequency(),
    "content": lambda seed: Content(),
    "als": Factorisation,
    "als-decayed": partial(Factorisation, decay_days=90.0),
    "hybrid": Hybrid,
    "blend-linear": partial(Blend, linear=True),
    "blend-boosted": Blend,
    "moments": Moments,
    "moments-linear": partial(Moments, config=MomentsConfig(kinds=("linear",))),
    # Where nearly all that is bought sold before, a first purchase that counts more costs the others.
    "moments-linear-even": partial(Moments, config=MomentsConfig(kinds=("linear",), new_weight=1.0)),
    "moments-boosted": partial(Moments, config=MomentsConfig(kinds=("boosted",))),
    "static": partial(StaticStyle, PAPER_ITEMS, PLAN),
    "static-own-part": partial(StaticStyle, ITEMS, PLAN),
    "dynamic": partial(DynamicStyle, PAPER, PAPER_ITEMS, PAPER_PLAN),
    **{name: partial(DynamicStyle, config, PAPER_ITEMS, PAPER_PLAN) for name, config in _PAPER_TABLE.items()},
    "styles": partial(DynamicStyle, CHOSEN, ITEMS, PLAN),
    "styles-views": partial(DynamicStyle, CHOSEN, ITEMS, PLAN, views=True),
    "styles-no-signals": partial(DynamicStyle, replace(CHOSEN, signals=False), ITEMS, PLAN),
    "styles-no-profiles": partial(DynamicStyle, replace(CHOSEN, profiles=False), ITEMS, PLAN),
    "styles-static": lambda seed: _together(seed, {"styles": 1.0, "static": 0.5}),
    "styles-moments": lambda seed: _together(seed, {"moments": 1.0, "static": 0.5, "styles": 0.5}),
}
"""`dynamic...` are the paper's, `styles...` ours."""


def _together(seed: int, weights: dict[str, float]) -> Together:
    return Together({name: (METHODS[name](seed), weight) for name, weight in weights.items()})


def style_method(name: str, seed: int) -> StyleMethod:
    """A new method of that name. Raises ValueError for an unknown one, with the known ones."""
    return look_up("model", name, METHODS)(seed)
