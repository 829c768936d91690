"""Training data whose passes are so short that keeping the model after each would take longer than the pass."""

from collections.abc import Iterator

from pipeline.task import Batch, TrainingData

STEPS = 250


class LongEpochs:
    """The same batches in the same order, at least `STEPS` of them an epoch."""

    def __init__(self, data: TrainingData) -> None:
        self._data = data

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch: as many passes as reach `STEPS`."""
        of_pass = self._data.steps_per_epoch(batch_size)
        return of_pass * -(-STEPS // of_pass)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step."""
        return self._data.batch(step, batch_size, worker, workers)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation examples."""
        return self._data.validation(batch_size, worker, workers)
