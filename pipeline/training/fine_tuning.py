"""Fine-tuning by policy gradient: the behaviour encoder alone learns from the baskets that the model itself writes.

Supervised training teaches each product given those before it in the true basket. Here a basket is drawn whole from
the model, its reward is how well it matches the true one in products and length, and what was drawn becomes likelier
by how much it beats the basket that the model would have written greedily.

Source: LENS, further work; Williams, "Simple statistical gradient-following algorithms", 1992; the baseline is that of
Rennie et al., "Self-critical sequence training", CVPR 2017. The reward is F1, which weighs length and correct items
without a weight of our own.
"""

import shutil
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models.special_ids import FIRST_PRODUCT
from pipeline.dataset.tensors import TrainingData
from pipeline.training.history import VALIDATION, best_epoch, read_history
from pipeline.training.loop import TOTAL, Training
from pipeline.training.spec import TrainingFolder

REWARD = "reward"


class FineTuning(Training):
    """One worker's part of a fine-tuning; it starts from the folder's initial model, and may end with just that."""

    def __init__(
        self, folder: TrainingFolder, data: TrainingData, strategy: tf.distribute.Strategy, worker: int
    ) -> None:
        if folder.initial_model is None:
            raise ValueError("fine-tuning starts from a trained model; the folder names none")
        # Before the first step is traced, which draws.
        self._first_number = (folder.settings.seed * folder.settings.workers + worker) * folder.settings.max_products
        super().__init__(folder, data, strategy, worker)

    def run(self) -> None:
        """Train; where the validation baskets were predicted no better afterwards, keep the model as it was."""
        before = self._validated()[VALIDATION + TOTAL]
        super().run()
        if self.chief:
            history = read_history(self.spec.history_path)
            if history[best_epoch(history)][VALIDATION + TOTAL] >= before:
                aside = self.spec.best_path
                shutil.copyfile(str(self.spec.initial_model), aside)
                aside.replace(self.spec.model_path)

    def _trained(self) -> list[Any]:
        variables: list[Any] = self.model.behaviour_encoder.trainable_variables
        return variables

    def _objective(self, batch: Mapping[str, Any], training: bool) -> dict[str, Any]:
        most = self.settings.max_products
        truth = batch["target_products"]
        greedy = reward(tf.stop_gradient(self.model.decode(batch, most)["products"]), truth)
        if not training:
            return {TOTAL: -tf.reduce_mean(greedy), REWARD: tf.reduce_mean(greedy)}

        step = tf.cast(self.optimizer.iterations, tf.int64)

        def choose(log_shares: Any, position: int) -> Any:
            # From the step's number, which a checkpoint keeps: a resumed run draws what an undisturbed one drew.
            seed = tf.stack([step, self._first_number + position])
            return tf.random.stateless_categorical(log_shares, 1, seed, dtype=tf.int32)[:, 0]

        drawn = tf.stop_gradient(self.model.draw(batch, most, choose))
        advantage = reward(drawn, truth) - greedy
        surrogate = -tf.reduce_mean(advantage * self.model.log_likelihood(batch, drawn, training=True))
        return {TOTAL: surrogate, REWARD: tf.reduce_mean(greedy)}


def reward(written: Any, truth: Any) -> Any:
    """F1 of the products of a written and the true basket, 0 if one is empty; int32 [B, K], [B, S] -> float32 [B]."""
    written_products, true_products = written >= FIRST_PRODUCT, truth >= FIRST_PRODUCT
    same = (written[:, :, None] == truth[:, None]) & written_products[:, :, None]
    correct = tf.reduce_sum(tf.cast(tf.reduce_any(same, axis=2), tf.float32), axis=1)
    lengths = (tf.reduce_sum(tf.cast(each, tf.float32), axis=1) for each in (written_products, true_products))
    return tf.math.divide_no_nan(2.0 * correct, tf.add_n(list(lengths)))
