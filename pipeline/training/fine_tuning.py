"""Fine-tuning: a second training, by another objective, that starts from a supervised model and never ends worse."""

import shutil

import tensorflow as tf

from pipeline.task import KerasTask, Objective, TrainingData
from pipeline.training.history import VALIDATION, best_epoch, read_history
from pipeline.training.loop import TOTAL, Training
from pipeline.training.spec import TrainingFolder


class FineTuning(Training):
    """One worker's part of a fine-tuning; it starts from the folder's initial model, and may end with just that."""

    def __init__(
        self,
        task: KerasTask,
        folder: TrainingFolder,
        data: TrainingData,
        strategy: tf.distribute.Strategy,
        worker: int,
        *,
        objective: Objective,
    ) -> None:
        if folder.initial_model is None:
            raise ValueError("fine-tuning starts from a trained model; the folder names none")
        super().__init__(task, folder, data, strategy, worker, objective=objective)

    def run(self) -> None:
        """Train; where the validation examples were predicted no better afterwards, keep the model as it was."""
        before = self._validated()[VALIDATION + TOTAL]
        super().run()
        if self.chief:
            history = read_history(self.spec.history_path)
            if history[best_epoch(history)][VALIDATION + TOTAL] >= before:
                aside = self.spec.best_path
                shutil.copyfile(str(self.spec.initial_model), aside)
                aside.replace(self.spec.model_path)
