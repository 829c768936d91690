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

from pipeline.dataset.tensors import signature, stream
from pipeline.task import FinishedTask, KerasTask, Objective, PreparedTask, TrainingData
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.history import VALIDATION, Epoch, best_epoch, is_over, read_history, write_history
from pipeline.training.progress import ProgressFile
from pipeline.training.spec import TrainingFolder

TOTAL = "total"
EXAMPLES = "examples"


class Supervised:
    """The losses of the model itself, by all of its trainable variables."""

    def variables(self, model: keras.Model) -> list[Any]:
        """All that can be trained."""
        variables: list[Any] = model.trainable_variables
        return variables

    def losses(self, model: keras.Model, batch: Mapping[str, Any], step: Any, training: bool) -> dict[str, Any]:
        """What the model loses on the batch."""
        losses: dict[str, Any] = model.losses(batch, training=training)
        return losses


class Training:
    """One worker's part of a training.

    Every worker must run the same collectives in the same order. So each compiled function is traced once, with
    no dimension fixed: a second trace on one worker only, for a batch of another shape, would wait for its peers for
    ever. For the same reason a worker sums over its own validation batches and the sums are reduced once.
    """

    def __init__(
        self,
        task: KerasTask,
        spec: TrainingFolder,
        data: TrainingData,
        strategy: tf.distribute.Strategy,
        worker: int,
        *,
        objective: Objective | None = None,
    ) -> None:
        self.task, self.objective = task, objective or Supervised()
        self.spec, self.settings, self.strategy = spec, spec.settings, strategy
        self.chief = worker == 0
        self.share = {"worker": worker, "workers": self.settings.workers}
        self.data = data
        self.steps_per_epoch = self.data.steps_per_epoch(self.settings.batch_size)
        self.steps = self.settings.steps(self.steps_per_epoch)
        self.epochs = -(-self.steps // self.steps_per_epoch)
        with strategy.scope():
            self.model = task.build(data, self.settings, spec.initial_model)
            self.optimizer = keras.optimizers.RMSprop(self._learning_rate())
            self.optimizer.build(self.objective.variables(self.model))
        inputs = [signature(self.data.batch(0, self.settings.batch_size, **self.share))]
        self.step_function = tf.function(self._step, input_signature=inputs, autograph=False)
        self.loss_function = tf.function(self._losses, input_signature=inputs, autograph=False)
        self.sum_function = tf.function(self._sum, input_signature=[tf.TensorSpec([None], tf.float64)])
        self.sums = sorted(self.step_function.get_concrete_function().structured_outputs)
        self.validated = sorted(self.loss_function.get_concrete_function().structured_outputs)
        self.checkpoints = Checkpoints(spec.checkpoints, self.model, self.optimizer, len(self.sums), chief=self.chief)

    def run(self) -> None:
        """Train from the latest checkpoint to the end."""
        self.checkpoints.restore()
        if self.checkpoints.step == 0 and isinstance(self.task, PreparedTask):
            self._prepare(self.task)
        self.progress = self._progress_file()  # its clock starts with the first step
        self._show_progress()
        worker = f"worker {self.share['worker'] + 1} of {self.settings.workers}"
        print(f"{worker}: {self.steps_per_epoch} steps an epoch, from step {self.checkpoints.step}", flush=True)
        history = read_history(self.spec.history_path, self._epochs_finished())
        while not is_over(history, self.epochs, self.settings.patience):
            started = time.monotonic()
            self._train_epoch()
            history.append(self._epoch(started))
            if self.chief:
                self._keep(history)
            self.checkpoints.save()
        if self.chief:
            if isinstance(self.task, FinishedTask):
                self.task.finish(self.spec.best_path, self.data, self.settings)
            self.spec.best_path.replace(self.spec.model_path)
        self.checkpoints.close()
        # Whoever goes on may read the model: all wait until it is there.
        self._over_workers(np.zeros(len(self.sums)))

    def _prepare(self, task: PreparedTask) -> None:
        """Train parts of the network before the whole: one worker does, and all take the same bits."""
        variables = [variable for part in task.prepared_parts(self.model, self.settings) for variable in part.weights]
        if not variables:
            return
        if self.chief:
            self._progress_file().show_preparation()
            task.prepare(self.model, self.data, self.settings)
        weights = [keras.ops.convert_to_numpy(variable) for variable in variables]
        mine = np.concatenate([weight.ravel().astype(np.float64) for weight in weights])
        prepared = self._over_workers(mine if self.chief else np.zeros_like(mine))
        ends = np.cumsum([weight.size for weight in weights])
        for variable, old, new in zip(variables, weights, np.split(prepared, ends[:-1]), strict=True):
            variable.assign(new.reshape(old.shape).astype(old.dtype))

    def _progress_file(self) -> ProgressFile:
        return ProgressFile(self.spec.folder, self.checkpoints.step, self.steps, self.steps_per_epoch)

    def _show_progress(self) -> None:
        """Let the terminal know; of this worker alone, and nothing is read from it."""
        if self.chief:
            self.progress.show(self.checkpoints.step)

    def _epochs_finished(self) -> int:
        """Epochs that the checkpoint's steps complete; the last one may be cut short by `max_steps`."""
        step = self.checkpoints.step
        return self.epochs if step == self.steps else step // self.steps_per_epoch

    def _learning_rate(self) -> keras.optimizers.schedules.LearningRateSchedule:
        """The paper's rate at first, falling to zero along a cosine.

        At a constant rate every batch moves the scores of all popular products together: the held-out loss still
        falls while the ranking swings by half from one step to the next.
        """
        return keras.optimizers.schedules.CosineDecay(self.settings.learning_rate, self.steps)

    def _train_epoch(self) -> None:
        """The steps that are left of the current epoch."""
        step = self.checkpoints.step
        end = min((step // self.steps_per_epoch + 1) * self.steps_per_epoch, self.steps)
        mine = np.zeros(len(self.sums))
        for batch in stream(self.data, range(step, end), self.settings.batch_size, **self.share):
            mine += _vector(self.step_function(batch), self.sums)
            self.checkpoints.step += 1
            at_checkpoint = self.checkpoints.step % self.settings.checkpoint_steps == 0
            if at_checkpoint or self.checkpoints.step == end:
                self.checkpoints.sums = self.checkpoints.sums + self._over_workers(mine)
                mine[:] = 0.0
            if at_checkpoint and self.checkpoints.step < end:
                self.checkpoints.save()
            self._show_progress()

    def _epoch(self, started: float) -> Epoch:
        """Mean losses per example over the epoch's steps and over the validation examples, of all workers."""
        trained, self.checkpoints.sums = self.checkpoints.sums, np.zeros(len(self.sums))
        # Without validation examples, in a small data set, the training loss takes the place of theirs.
        validated = self._validated() or _means(self.sums, trained, VALIDATION)
        # The epoch has just ended: whole, or cut short by `max_steps`.
        steps = (self.checkpoints.step - 1) % self.steps_per_epoch + 1
        seconds = {"seconds": round(time.monotonic() - started, 2), "steps": float(steps)}
        return _means(self.sums, trained, "") | validated | seconds

    def _validated(self) -> Epoch:
        """Mean losses and metrics per validation example, of all workers; nothing where there are none."""
        mine = np.zeros(len(self.validated))
        for batch in self.data.validation(self.settings.batch_size, **self.share):
            sums = self.loss_function({name: tf.constant(array) for name, array in batch.items()})
            mine += _vector(sums, self.validated)
        sums = self._over_workers(mine)
        return _means(self.validated, sums, VALIDATION) if sums[self.validated.index(EXAMPLES)] > 0 else {}

    def _keep(self, history: list[Epoch]) -> None:
        """Save the model if this epoch is the best, then the history that says so."""
        if best_epoch(history) == len(history) - 1:
            aside = self.spec.best_path.with_name("writing.keras")
            self.model.save(aside)
            aside.replace(self.spec.best_path)
        write_history(self.spec.history_path, history)

    def _losses_of(self, batch: Mapping[str, Any], training: bool) -> dict[str, Any]:
        """Mean losses over a batch's examples; TOTAL is made small, the others are reported."""
        step = tf.cast(self.optimizer.iterations, tf.int64)
        return self.objective.losses(self.model, batch, step, training)

    def _step(self, batch: Mapping[str, Any]) -> Any:
        """One step of all workers; returns this worker's sums."""
        return self.strategy.run(self._replica_step, (batch,))

    def _replica_step(self, batch: Mapping[str, Any]) -> Any:
        variables = self.objective.variables(self.model)
        with tf.GradientTape() as tape:
            losses = self._losses_of(batch, training=True)
            # The optimizer sums over workers: together, the mean over the global batch.
            loss = losses[TOTAL] * (tf.cast(self._count(batch), tf.float32) / self.settings.batch_size)
        # Dense gradients: Keras squares sparse ones without adding up the rows that repeat in a batch.
        # Some weights may have no part in the losses, of a model that is trained for one head alone.
        gradients = [
            tf.zeros(variable.shape) if gradient is None else tf.convert_to_tensor(gradient)
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True)
        ]
        self.optimizer.apply(gradients, variables)
        return _sums(losses, self._count(batch))

    def _losses(self, batch: Mapping[str, Any]) -> Any:
        """This worker's sums, the model's metrics among them; weights untouched, without a collective."""
        # Some models have nothing to say beside their losses.
        metrics: dict[str, Any] = getattr(self.model, "validation_metrics", lambda _: {})(batch)
        return _sums(self._losses_of(batch, training=False) | metrics, self._count(batch))

    def _sum(self, values: Any) -> Any:
        mine = self.strategy.run(tf.identity, (values,))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, mine, axis=None)

    def _over_workers(self, values: np.ndarray) -> np.ndarray:
        """The sum of all workers' values, the same bits on each."""
        summed: np.ndarray = self.sum_function(tf.constant(values, tf.float64)).numpy()
        return summed

    def _count(self, batch: Mapping[str, Any]) -> Any:
        """Examples of a batch."""
        return tf.shape(batch[self.task.example_array])[0]


def _vector(sums: Mapping[str, Any], names: list[str]) -> np.ndarray:
    return np.array([float(sums[name]) for name in names])


def _means(names: list[str], sums: np.ndarray, prefix: str) -> Epoch:
    """Of each sum over examples, the mean."""
    named = dict(zip(names, sums, strict=True))
    return {prefix + name: float(value / named[EXAMPLES]) for name, value in named.items() if name != EXAMPLES}


def _sums(losses: Mapping[str, Any], n_examples: Any) -> dict[str, Any]:
    """Each loss summed over the batch's examples, and their number."""
    count = tf.cast(n_examples, tf.float64)
    return {name: tf.cast(loss, tf.float64) * count for name, loss in losses.items()} | {EXAMPLES: count}
