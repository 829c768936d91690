"""What is trained before the whole model reads whole passes of examples, each batch once."""

import numpy as np
import pytest

from models.fields import N_CANDIDATE_FEATURES, N_RHYTHM_FEATURES
from models.heads.pointer import PointerHead
from models.heads.time_to_next import HazardHead
from pipeline.dataset.batch import Batch
from pipeline.settings import TrainingSettings
from pipeline.training import preparation
from pipeline.training.preparation import prepare

CANDIDATES = 3


class FourBatches:
    """A pass of four batches, and how many were made; a third of the examples still wait.

    Args: different: how many passes differ; those after them repeat the first one.
    """

    def __init__(self, different: int = 99) -> None:
        self.made, self.different = 0, different

    def steps_per_epoch(self, batch_size: int) -> int:
        return 4

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        self.made += 1
        random = np.random.default_rng(step if step < 4 * self.different else step % 4)
        shape = (batch_size, CANDIDATES)
        return {
            "candidates": np.full(shape, 5, np.int32),
            "candidate_features": random.normal(size=(*shape, N_CANDIDATE_FEATURES)).astype(np.float32),
            "target_candidates": random.random(shape) < 0.5,
            "target_observed": (np.arange(batch_size) % 3 > 0).astype(np.float32),
            "target_gap_days": random.integers(1, 9, batch_size).astype(np.float32),
            "rhythm": random.random((batch_size, N_RHYTHM_FEATURES)).astype(np.float32),
            "folds": np.ones(batch_size, np.int32),
        }


def built(head: PointerHead | HazardHead) -> PointerHead | HazardHead:
    head.build()
    return head


@pytest.mark.parametrize(
    ("most_examples", "changed", "made", "steps"),
    [
        # Two passes of four batches: of each 10 examples whose basket came, and 16 gaps.
        (25_600, {}, 8, (24 * 5, 8 * 8)),
        (25_600, {"epochs": 1}, 4, (24 * 3, 8 * 4)),
        (25_600, {"epochs": 1, "pointer_steps": 7, "rhythm_steps": 6}, 4, (7, 6)),
        (16 * 5, {}, 4, (24 * 3, 8 * 4)),  # the memory holds one whole pass
        (16 * 2, {}, 2, (24 * 2, 8 * 2)),  # not even that
        (1, {}, 1, (24, 8)),
    ],
)
def test_whole_passes_are_kept_as_long_as_training_and_memory_hold_them(
    most_examples: int,
    changed: dict[str, int],
    made: int,
    steps: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preparation, "_MOST_EXAMPLES", most_examples)
    settings = TrainingSettings(batch_size=16, epochs=2, learning_rate=0.01).model_copy(update=changed)
    data = FourBatches()
    pointer, hazard = built(PointerHead(N_CANDIDATE_FEATURES, 4)), built(HazardHead(2, rhythm_units=4))
    assert prepare(pointer, hazard, data, settings) == {"pointer": steps[0], "rhythm": steps[1]}
    assert data.made == made


@pytest.mark.parametrize(("different", "passes", "made"), [(1, 1, 8), (2, 2, 12), (99, 6, 24)])
def test_examples_that_come_again_are_not_more_examples(different: int, passes: int, made: int) -> None:
    """As the last baskets of a division of customers do: a head would take a hundred passes over few."""
    settings = TrainingSettings(batch_size=16, epochs=6, learning_rate=0.01)
    data = FourBatches(different)
    pointer, hazard = built(PointerHead(N_CANDIDATE_FEATURES, 4)), built(HazardHead(2, rhythm_units=4))
    steps = {"pointer": 24 * -(-40 * passes // 16), "rhythm": 8 * 4 * passes}
    assert prepare(pointer, hazard, data, settings) == steps
    assert data.made == made


@pytest.mark.parametrize("which", ["pointer", "rhythm"])
def test_one_head_alone_is_trained_alike(which: str) -> None:
    settings = TrainingSettings(batch_size=16, epochs=1)
    pair = [[built(PointerHead(N_CANDIDATE_FEATURES, 4)), built(HazardHead(2, rhythm_units=4))] for _ in range(2)]
    position = ["pointer", "rhythm"].index(which)
    alone = [head if place == position else None for place, head in enumerate(pair[0])]
    assert list(prepare(*alone, FourBatches(), settings)) == [which]
    assert list(prepare(*pair[1], FourBatches(), settings)) == ["pointer", "rhythm"]
    for ours, theirs in zip(pair[0][position].get_weights(), pair[1][position].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
