"""Known architectures by name; Table 1 is that of the LENS paper."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np

from models.config import LensConfig
from models.names import look_up

if TYPE_CHECKING:
    from models.lens import Lens

# The layers of lens1000; a product may also be copied from what this and similar customers bought.
_LENS = LensConfig(
    session_units=(64,),
    behaviour_units=(256,),
    decoder_units=(512,),
    pointer_units=64,
    time_head="hazard",
    rhythm_units=32,
)
# Table 1: session encoder 1 bidirectional layer of 64, behaviour encoder 1 of 256, decoder 1 layer of 512.
_LENS1000 = LensConfig(session_units=(64,), behaviour_units=(256,), decoder_units=(512,))

ARCHITECTURES: dict[str, LensConfig] = {
    "lens": _LENS,
    "lens1000": _LENS1000,
    # Table 1: session encoder 1 bidirectional layer of 256, behaviour encoder 2 of 256, decoder layers of 512 and 128.
    "lens2000": LensConfig(session_units=(256,), behaviour_units=(256, 256), decoder_units=(512, 128)),
    # The days until the next basket alone: the paper's twin of a model of the content.
    "lens_time": replace(_LENS, pointer_units=0, content_weight=0.0),
    # The pointer head averages its network with boosted trees.
    "lens_trees": replace(_LENS, pointer_trees=100),
    # The paper's further work: each module a Transformer.
    "lens_transformer": replace(
        _LENS,
        session_units=(128,),
        behaviour_units=(256, 256),
        decoder_units=(256, 256),
        session_encoder="transformer",
        behaviour_encoder="transformer",
        decoder="transformer",
    ),
    # The paper's product vectors learned beforehand.
    "lens1000_warm": replace(_LENS1000, product_start="co_occurrence"),
    # Product vectors learned beforehand: fine-tuned, and as they are.
    "lens_warm": replace(_LENS, product_start="co_occurrence"),
    "lens_warm_frozen": replace(_LENS, product_start="co_occurrence", products_frozen=True),
    # Knows what a customer is like: age group, area, whatever the source describes.
    "lens_attributes": replace(_LENS, attribute_buckets=1024),
    # Less, to see what each part gives.
    "lens_own_products": replace(_LENS, neighbour_candidates=False),
    "lens_no_pointer": replace(_LENS, pointer_units=0),
    "lens_no_presence": replace(_LENS, inclusion_weight=0.0),
    "lens_no_rhythm": replace(_LENS, rhythm_units=0),
    "lens_content": replace(_LENS, gap_weight=0.0, size_weight=0.0, quantity_weight=0.0),
    "lens_mean": replace(_LENS, session_encoder="mean", session_units=()),
    "lens1000_mean": replace(_LENS1000, session_encoder="mean", session_units=()),
}


def build(
    architecture: str,
    *,
    product_keys: np.ndarray,
    customer_keys: np.ndarray,
    product_counts: np.ndarray,
    seed: int = 0,
) -> "Lens":
    """A new model of a named architecture.

    Args:
        product_keys:   int64 [V], the key of each product index, 0 for special ones (see models/keys.py).
        customer_keys:  int64 [C], the key of each customer index, 0 first.
        product_counts: [V], training baskets with each product; at END, training baskets.
    Raises: ValueError: for an unknown name.
    """
    from models.lens import Lens  # starts TensorFlow

    config = asdict(replace(look_up("architecture", architecture, ARCHITECTURES), seed=seed))
    model = Lens(config, n_products=len(product_keys), n_customers=len(customer_keys))
    model.keys.assign(product_keys, customer_keys)
    model.backbone.products.start_from_popularity(product_counts)
    return model
