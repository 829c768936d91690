"""Policy gradient for LENS: the behaviour encoder alone learns from the baskets that the model itself decodes.

Supervised training teaches each product given those before it in the true basket. Here a basket is sampled whole from
the model, its reward is how well it matches the true one in products and length, and the sampled basket becomes more
probable by how much its reward exceeds that of the basket the model decodes greedily.

Source: LENS, further work; Williams, "Simple statistical gradient-following algorithms", 1992; the baseline is that of
Rennie et al., "Self-critical sequence training", CVPR 2017. The reward is F1, which weighs length and correct items
without a weight of our own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from models.special_ids import FIRST_PRODUCT
from pipeline.settings import TrainingSettings

if TYPE_CHECKING:
    from models.lens import Lens

REWARD = "reward"


class PolicyGradient:
    """The objective of one worker."""

    def __init__(self, settings: TrainingSettings, worker: int) -> None:
        self._most = settings.max_products
        self._first_number = (settings.seed * settings.workers + worker) * settings.max_products

    def variables(self, model: "Lens") -> list[Any]:
        """Those of the behaviour encoder."""
        variables: list[Any] = model.backbone.behaviour_encoder.trainable_variables
        return variables

    def losses(self, model: "Lens", batch: Mapping[str, Any], step: Any, training: bool) -> dict[str, Any]:
        """The surrogate loss of REINFORCE; in validation, the negative reward of the greedily decoded basket."""
        truth, inputs = batch["target_products"], dict(batch)
        greedy = reward(tf.stop_gradient(model.decode(inputs, self._most)["products"]), truth)
        if not training:
            return {"total": -tf.reduce_mean(greedy), REWARD: tf.reduce_mean(greedy)}

        def sampler(log_probabilities: Any, position: int) -> Any:
            # From the step's number, which a checkpoint keeps: a resumed run samples what an undisturbed one did.
            seed = tf.stack([step, self._first_number + position])
            return tf.random.stateless_categorical(log_probabilities, 1, seed, dtype=tf.int32)[:, 0]

        sampled = tf.stop_gradient(model.sample(inputs, self._most, sampler))
        advantage = reward(sampled, truth) - greedy
        surrogate = -tf.reduce_mean(advantage * model.log_likelihood(inputs, sampled, training=True))
        return {"total": surrogate, REWARD: tf.reduce_mean(greedy)}


def reward(decoded: Any, truth: Any) -> Any:
    """F1 of the products of a decoded and the true basket, 0 if one is empty; int32 [B, K], [B, S] -> float32 [B]."""
    decoded_products, true_products = decoded >= FIRST_PRODUCT, truth >= FIRST_PRODUCT
    same = (decoded[:, :, None] == truth[:, None]) & decoded_products[:, :, None]
    correct = tf.reduce_sum(tf.cast(tf.reduce_any(same, axis=2), tf.float32), axis=1)
    lengths = (tf.reduce_sum(tf.cast(each, tf.float32), axis=1) for each in (decoded_products, true_products))
    return tf.math.divide_no_nan(2.0 * correct, tf.add_n(list(lengths)))
