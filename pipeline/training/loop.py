"""The distributed training loop: one process of a MultiWorkerMirroredStrategy.

`model.fit` cannot run under this strategy with Keras 3, so the loop is written out. What makes a resumed training end
with the same bits as an undisturbed one: batches are a pure function of seed and step, TensorFlow's operations are
deterministic, sums are reduced in a fixed order, and decisions follow from the checkpoint and the history alone.
"""

import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.catalog import build
from models.product_vectors import co_occurrence_vectors
from pipeline.dataset.tensors import TrainingData, signature, stream
from pipeline.evaluation.stored_model import load_model
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.history import VALIDATION, Epoch, best_epoch, is_over, read_history, write_history
from pipeline.training.spec import TrainingFolder

TOTAL = "total"
EXAMPLES = "examples"


class Training:
    """One worker's part of a training.

    Every worker must ask for the same collectives in the same order. So each compiled function is traced once, with
    no dimension fixed: a second trace on one worker only, for a batch of another shape, would wait for its peers for
    ever. For the same reason a worker sums over its own validation batches and the sums are reduced once.
    """

    def __init__(self, spec: TrainingFolder, data: TrainingData, strategy: tf.distribute.Strategy, worker: int) -> None:
        self.spec, self.settings, self.strategy = spec, spec.settings, strategy
        self.chief = worker == 0
        self.share = {"worker": worker, "workers": self.settings.workers}
        self.data = data
        self.steps_per_epoch = self.data.steps_per_epoch(self.settings.batch_size)
        self.epochs = min(self.settings.epochs, -(-self.settings.max_steps // self.steps_per_epoch))
        with strategy.scope():
            self.model = self._model()
            self.optimizer = keras.optimizers.RMSprop(self._learning_rate())
            self.optimizer.build(self._trained())
        inputs = [signature(self.data.batch(0, self.settings.batch_size, **self.share))]
        self.step_function = tf.function(self._step, input_signature=inputs)
        self.loss_function = tf.function(self._losses, input_signature=inputs)
        self.sum_function = tf.function(self._sum, input_signature=[tf.TensorSpec([None], tf.float64)])
        self.sums = sorted(self.loss_function.get_concrete_function().structured_outputs)
        self.checkpoints = Checkpoints(spec.checkpoints, self.model, self.optimizer, len(self.sums), chief=self.chief)

    def run(self) -> None:
        """Train from the latest checkpoint to the end."""
        self.checkpoints.restore()
        print(f"{self.share}, {self.steps_per_epoch} steps an epoch, from step {self.checkpoints.step}", flush=True)
        history = read_history(self.spec.history_path, self.checkpoints.step // self.steps_per_epoch)
        while not is_over(history, self.epochs, self.settings.patience):
            started = time.monotonic()
            self._train_epoch()
            history.append(self._epoch(started))
            if self.chief:
                self._keep(history)
            self.checkpoints.save()
        if self.chief:
            self.spec.best_path.replace(self.spec.model_path)
        self.checkpoints.close()
        # Whoever goes on may read the model: all wait until it is there.
        self._over_workers(np.zeros(len(self.sums)))

    def _model(self) -> keras.Model:
        """A new model, on the initial model's weights where there is one."""
        model = build(
            self.settings.architecture,
            product_keys=self.data.product_keys,
            customer_keys=self.data.customer_keys,
            product_counts=self.data.product_counts,
            seed=self.settings.seed,
        )
        if self.spec.initial_model is not None:
            model.adopt(load_model(self.spec.initial_model))
        else:
            model.adapt(self.data.batch(0, self.settings.batch_size))
            if model.config.product_start == "co_occurrence":
                vectors = co_occurrence_vectors(self.data.known(), model.config.product_units, self.settings.seed)
                model.products.start_from_vectors(vectors)
        return model

    def _learning_rate(self) -> keras.optimizers.schedules.LearningRateSchedule:
        """The paper's rate at first, falling to zero along a cosine.

        At a constant rate every batch moves the scores of all popular products together: the held-out loss still
        falls while the ranking swings by half from one step to the next.
        """
        return keras.optimizers.schedules.CosineDecay(self.settings.learning_rate, self.epochs * self.steps_per_epoch)

    def _train_epoch(self) -> None:
        """The steps that are left of the current epoch."""
        step = self.checkpoints.step
        end = (step // self.steps_per_epoch + 1) * self.steps_per_epoch
        mine = np.zeros(len(self.sums))
        for batch in stream(self.data, range(step, end), self.settings.batch_size, **self.share):
            mine += self._vector(self.step_function(batch))
            self.checkpoints.step += 1
            at_checkpoint = self.checkpoints.step % self.settings.checkpoint_steps == 0
            if at_checkpoint or self.checkpoints.step == end:
                self.checkpoints.sums = self.checkpoints.sums + self._over_workers(mine)
                mine[:] = 0.0
            if at_checkpoint and self.checkpoints.step < end:
                self.checkpoints.save()

    def _epoch(self, started: float) -> Epoch:
        """Mean losses per example over the epoch's steps and over the validation examples, of all workers."""
        trained, self.checkpoints.sums = self.checkpoints.sums, np.zeros(len(self.sums))
        # A data set too small to spare validation examples is judged by the loss it trains on.
        judged = self._validated() or self._means(trained, VALIDATION)
        seconds = {"seconds": round(time.monotonic() - started, 2), "steps": float(self.steps_per_epoch)}
        return self._means(trained, "") | judged | seconds

    def _validated(self) -> Epoch:
        """Mean losses per validation example, of all workers; nothing where there are none."""
        mine = np.zeros(len(self.sums))
        for batch in self.data.validation(self.settings.batch_size, **self.share):
            mine += self._vector(self.loss_function({name: tf.constant(array) for name, array in batch.items()}))
        validated = self._over_workers(mine)
        return self._means(validated, VALIDATION) if validated[self.sums.index(EXAMPLES)] > 0 else {}

    def _means(self, sums: np.ndarray, prefix: str) -> Epoch:
        named = dict(zip(self.sums, sums, strict=True))
        return {prefix + name: float(value / named[EXAMPLES]) for name, value in named.items() if name != EXAMPLES}

    def _keep(self, history: list[Epoch]) -> None:
        """Save the model if this epoch is the best, then the history that says so."""
        if best_epoch(history) == len(history) - 1:
            aside = self.spec.best_path.with_name("writing.keras")
            self.model.save(aside)
            aside.replace(self.spec.best_path)
        write_history(self.spec.history_path, history)

    def _trained(self) -> list[Any]:
        """The variables that are trained."""
        variables: list[Any] = self.model.trainable_variables
        return variables

    def _objective(self, batch: Mapping[str, Any], training: bool) -> dict[str, Any]:
        """Mean losses over a batch's examples; TOTAL is made small, the others are reported."""
        losses: dict[str, Any] = self.model.losses(batch, training=training)
        return losses

    def _step(self, batch: Mapping[str, Any]) -> Any:
        """One step of all workers; returns this worker's sums."""
        return self.strategy.run(self._replica_step, (batch,))

    def _replica_step(self, batch: Mapping[str, Any]) -> Any:
        variables = self._trained()
        with tf.GradientTape() as tape:
            losses = self._objective(batch, training=True)
            # The optimizer sums over workers: together, the mean over the global batch.
            loss = losses[TOTAL] * (tf.cast(_examples(batch), tf.float32) / self.settings.batch_size)
        # Dense gradients: Keras squares sparse ones without adding up the rows that repeat in a batch.
        # A model of time alone has weights for the content that nothing moves.
        gradients = [
            tf.zeros(variable.shape) if gradient is None else tf.convert_to_tensor(gradient)
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True)
        ]
        self.optimizer.apply(gradients, variables)
        return _sums(losses, batch)

    def _losses(self, batch: Mapping[str, Any]) -> Any:
        """This worker's sums, weights untouched; no other worker is asked."""
        return _sums(self._objective(batch, training=False), batch)

    def _sum(self, values: Any) -> Any:
        mine = self.strategy.run(tf.identity, (values,))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, mine, axis=None)

    def _over_workers(self, values: np.ndarray) -> np.ndarray:
        """The sum of all workers' values, the same bits on each."""
        summed: np.ndarray = self.sum_function(tf.constant(values, tf.float64)).numpy()
        return summed

    def _vector(self, sums: Mapping[str, Any]) -> np.ndarray:
        return np.array([float(sums[name]) for name in self.sums])


def _sums(losses: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """Each loss summed over the batch's examples, and their number."""
    count = tf.cast(_examples(batch), tf.float64)
    return {name: tf.cast(loss, tf.float64) * count for name, loss in losses.items()} | {EXAMPLES: count}


def _examples(batch: Mapping[str, Any]) -> Any:
    return tf.shape(batch["customer_ids"])[0]
