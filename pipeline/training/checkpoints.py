"""Weights, optimizer state and step at some moment of a training: what a resumed worker starts from."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pipeline.training.worker_folder import WorkerFolder

KEPT = 2


class Checkpoints:
    """The chief's checkpoints of one training.

    All workers save, because the strategy may need all of them to read a variable; only the chief's copy is kept, the
    others write to a folder of their own that is removed. Whether a training resumes follows from the checkpoint alone,
    not from any count of attempts.
    """

    def __init__(
        self, folder: Path, model: keras.Model, optimizer: keras.optimizers.Optimizer, n_sums: int, chief: bool
    ) -> None:
        self._folder = folder
        self._aside = None if chief else WorkerFolder()
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._sums = tf.Variable(tf.zeros([n_sums], tf.float64), trainable=False)
        self._checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=self._step, sums=self._sums)
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(self._aside.path if self._aside else folder), max_to_keep=KEPT
        )
        self.step = 0
        self.sums = np.zeros(n_sums)
        """Sums over the current epoch's steps, of all workers: the epoch's metrics survive a resume, too."""

    def restore(self) -> None:
        """Take the chief's latest checkpoint where there is one."""
        latest = tf.train.latest_checkpoint(str(self._folder))
        if latest is not None:
            self._checkpoint.restore(latest).assert_consumed()
            self.step = int(self._step.numpy())
            self.sums = self._sums.numpy()

    def save(self) -> None:
        """Write the present state; at most the latest two are kept."""
        self._step.assign(self.step)
        self._sums.assign(self.sums)
        self._manager.save(checkpoint_number=self.step)

    def close(self) -> None:
        """Remove what only this worker wrote."""
        if self._aside is not None:
            self._aside.remove()
