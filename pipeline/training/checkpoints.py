"""Weights, optimizer state and step at some moment of a training: what a resumed worker starts from."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pipeline.temporary_folder import TemporaryFolder

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
        self._aside = None if chief else TemporaryFolder()
        if chief:
            _remove_broken_list(folder)
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._sums = tf.Variable(tf.zeros([n_sums], tf.float64), trainable=False)
        self._checkpoint = tf.train.Checkpoint(
            model=model, optimizer=optimizer, step=self._step, sums=self._sums, random=_random_states(model)
        )
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(self._aside.path if self._aside else folder), max_to_keep=KEPT
        )
        self.step = 0
        self.sums = np.zeros(n_sums)
        """Sums over the current epoch's steps, of all workers: the epoch's metrics survive a resume, too."""

    def restore(self) -> None:
        """Take the chief's latest whole checkpoint where there is one: of the newest a power cut can leave half.

        Every worker reads the same files, and so all take the same one.
        """
        numbers = (int(path.stem.rpartition("-")[2]) for path in self._folder.glob("ckpt-*.index"))
        paths = (str(self._folder / f"ckpt-{number}") for number in sorted(numbers, reverse=True))
        latest = next(filter(_is_whole, paths), None)
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


def _remove_broken_list(folder: Path) -> None:
    """TensorFlow's list of the checkpoints, which a power cut can leave empty: it then refuses to go on."""
    try:
        tf.train.get_checkpoint_state(str(folder))
    except ValueError:
        (folder / "checkpoint").unlink(missing_ok=True)


def _is_whole(path: str) -> bool:
    """Whether every array of a checkpoint can be read: each has a checksum, which is compared."""
    try:
        stored = tf.train.load_checkpoint(path)
        for name in stored.get_variable_to_shape_map():
            stored.get_tensor(name)
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError):
        return False
    return True


def _random_states(model: keras.Model) -> list[tf.Variable]:
    """Where the random numbers of its layers stand (dropout): no weights, and so in no checkpoint of the model."""
    weights = {id(weight) for weight in model.weights}
    return [variable.value for variable in model.variables if id(variable) not in weights]
