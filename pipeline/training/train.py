"""One training from its folder to its model: supervised, then fine-tuned where the task has that."""

import keras
import tensorflow as tf

from pipeline.task import KerasTask, TrainingData
from pipeline.training.fine_tuning import FineTuning
from pipeline.training.loop import Training
from pipeline.training.spec import TrainingFolder, TrainingSpec


def train(task: KerasTask, spec: TrainingSpec) -> None:
    """Run this worker's part; afterwards the chief has written the model and its history.

    The worker's place in the cluster comes from TF_CONFIG.
    """
    tf.config.threading.set_intra_op_parallelism_threads(spec.threads)
    tf.config.threading.set_inter_op_parallelism_threads(spec.threads)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(spec.settings.seed)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    if not spec.model_path.is_file():
        data = task.examples(spec.tables, spec.business_date, spec.settings)
        _train(task, spec, data, strategy, strategy.cluster_resolver.task_id or 0)


def train_alone(task: KerasTask, folder: TrainingFolder, data: TrainingData) -> None:
    """The same training in this process, without a cluster."""
    keras.utils.set_random_seed(folder.settings.seed)
    if not folder.model_path.is_file():
        _train(task, folder, data, tf.distribute.get_strategy(), 0)


def _train(
    task: KerasTask, folder: TrainingFolder, data: TrainingData, strategy: tf.distribute.Strategy, worker: int
) -> None:
    """Supervised training, and the fine-tuning after it where the task has one."""
    objective = task.fine_tuning(folder.settings, worker)
    if objective is None:
        Training(task, folder, data, strategy, worker).run()
        return
    supervised = folder.supervised()
    supervised.folder.mkdir(exist_ok=True)
    if not supervised.model_path.is_file():
        Training(task, supervised, data, strategy, worker).run()
    FineTuning(task, folder.fine_tuning(), data, strategy, worker, objective=objective).run()
