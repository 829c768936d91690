"""Fine-tuning by policy gradient: the behaviour encoder alone learns from the baskets that the model itself writes.

Supervised training teaches each product given those before it in the true basket. Here a basket is drawn whole from
the model, its reward is how well it matches the true one in products and length, and what was drawn becomes likelier
by how much it beats the basket that the model would have written greedily.

Source: LENS, further work; Williams, "Simple statistical gradient-following algorithms", 1992; the baseline is that of
Rennie et al., "Self-critical sequence training", CVPR 2017. The reward is F1, which weighs length and correct items
without a weight of our own.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.basket_sequences import BasketSequences
from models.special_ids import FIRST_PRODUCT
from pipeline.dataset.batch import Batch
from pipeline.dataset.tensors import TrainingData
from pipeline.training.history import VALIDATION, best_epoch, read_history
from pipeline.training.loop import TOTAL, Training
from pipeline.training.spec import TrainingFolder

REWARD = "reward"
DRAW_SEED = "draw_seed"


class FineTuning(Training):
    """One worker's part of a fine-tuning; it starts from the folder's initial model, and may end with just that."""

    def __init__(
        self, folder: TrainingFolder, data: TrainingData, strategy: tf.distribute.Strategy, worker: int
    ) -> None:
        if folder.initial_model is None:
            raise ValueError("fine-tuning starts from a trained model; the folder names none")
        self._initial: Path = folder.initial_model
        super().__init__(folder, Seeded(data, folder.settings.seed), strategy, worker)

    def run(self) -> None:
        """Train; where the validation baskets were foretold no better afterwards, keep the model as it was."""
        before = self._validated()[VALIDATION + TOTAL]
        super().run()
        if self.chief:
            history = read_history(self.spec.history_path)
            if history[best_epoch(history)][VALIDATION + TOTAL] >= before:
                aside = self.spec.best_path
                shutil.copyfile(self._initial, aside)
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

        def choose(log_shares: Any, position: int) -> Any:
            # Stateless: what a step draws does not depend on the steps before it, so a resumed run draws the same.
            seed = batch[DRAW_SEED] + [0, position]
            return tf.random.stateless_categorical(log_shares, 1, seed, dtype=tf.int32)[:, 0]

        drawn = tf.stop_gradient(self.model.draw(batch, most, choose))
        advantage = reward(drawn, truth) - greedy
        surrogate = -tf.reduce_mean(advantage * self.model.log_likelihood(batch, drawn, training=True))
        return {TOTAL: surrogate, REWARD: tf.reduce_mean(greedy)}


class Seeded:
    """Training data whose batches carry a seed for what is drawn in their step."""

    def __init__(self, data: TrainingData, seed: int) -> None:
        self._data, self._seed = data, seed
        self.product_keys, self.customer_keys = data.product_keys, data.customer_keys
        self.product_counts = data.product_counts

    def known(self) -> BasketSequences:
        """Those of the data."""
        return self._data.known()

    def steps_per_epoch(self, batch_size: int) -> int:
        """Those of the data."""
        return self._data.steps_per_epoch(batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """The data's batch; the seed is the step's and the worker's."""
        return self._with(self._data.batch(step, batch_size, worker, workers), step * workers + worker)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The data's; nothing is drawn for them."""
        for batch in self._data.validation(batch_size, worker, workers):
            yield self._with(batch, 0)

    def _with(self, batch: Batch, number: int) -> Batch:
        seed = np.random.default_rng([self._seed, number]).integers(2**31 - 1, size=2)
        return batch | {DRAW_SEED: seed.astype(np.int32) // 2}


def reward(written: Any, truth: Any) -> Any:
    """F1 of the products of a written and the true basket, 0 if one is empty; int32 [B, K], [B, S] -> float32 [B]."""
    written_products, true_products = written >= FIRST_PRODUCT, truth >= FIRST_PRODUCT
    same = (written[:, :, None] == truth[:, None]) & written_products[:, :, None]
    correct = tf.reduce_sum(tf.cast(tf.reduce_any(same, axis=2), tf.float32), axis=1)
    lengths = (tf.reduce_sum(tf.cast(each, tf.float32), axis=1) for each in (written_products, true_products))
    return tf.math.divide_no_nan(2.0 * correct, tf.add_n(list(lengths)))
