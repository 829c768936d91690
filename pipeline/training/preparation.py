"""What is trained before the whole model: heads that read nothing but features, so that a step of theirs costs little.

To order a customer's products, and to know when a basket is due, takes many more steps than a night can give to the
whole model.
"""

from typing import TYPE_CHECKING

import numpy as np

from models import fields
from pipeline.settings import TrainingSettings
from pipeline.task import TrainingData
from pipeline.training.pointer import train_pointer
from pipeline.training.pointer_trees import PointerExamples
from pipeline.training.rhythm import RhythmExamples, train_rhythm

if TYPE_CHECKING:
    from models.heads.pointer import PointerHead
    from models.heads.time_to_next import HazardHead

_MOST_EXAMPLES = 25_600
"""In memory: 200 MB with 128 candidates each; trees take five times as much for a while."""


def prepare(
    pointer: "PointerHead | None", hazard: "HazardHead | None", data: TrainingData, settings: TrainingSettings
) -> dict[str, int]:
    """Train each head alone, where there is one, on the first training examples; returns the steps of each.

    Examples are those of `settings.epochs` whole passes, as many as the memory holds: also of passes that the whole
    model does not take. A pass with nothing but examples of the first one ends them: heads count their own passes.
    """
    size = settings.batch_size
    a_pass = data.steps_per_epoch(size)
    most = max(_MOST_EXAMPLES // size, 1)
    of_pointer: list[PointerExamples] = []
    of_rhythm: list[RhythmExamples] = []
    first: set[int] = set()
    for number in range(max(min(settings.epochs, most // a_pass), 1)):
        pointers: list[PointerExamples] = []
        rhythms: list[RhythmExamples] = []
        for step in range(number * a_pass, number * a_pass + min(a_pass, most)):
            batch = data.batch(step, size)
            if pointer is not None:
                came = batch[fields.TARGET_OBSERVED] > 0
                features = batch[fields.CANDIDATE_FEATURE_VALUES].astype(np.float16)
                arrays = features, batch[fields.CANDIDATES] > 0, batch[fields.TARGET_CANDIDATES], batch[fields.FOLDS]
                pointers.append(PointerExamples(*(each[came] for each in arrays)))
            if hazard is not None:
                gap = batch[fields.TARGET_GAP_DAYS], batch[fields.TARGET_OBSERVED]
                rhythms.append(RhythmExamples(batch[fields.RHYTHM], *gap))
        found = {_hash_of(row) for part in (*pointers, *rhythms) for row in zip(*part, strict=True)}
        if number > 0 and found <= first:
            break
        first = first or found
        of_pointer += pointers
        of_rhythm += rhythms
    steps = {}
    if pointer is not None:
        steps["pointer"] = train_pointer(pointer, PointerExamples.joined(of_pointer), settings)
    if hazard is not None:
        steps["rhythm"] = train_rhythm(hazard, RhythmExamples.joined(of_rhythm), settings)
    return steps


def _hash_of(example: tuple[np.ndarray, ...]) -> int:
    return hash(tuple(part.tobytes() for part in example))
