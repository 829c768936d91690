"""Methods that predict the rest of a case, by name."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.action_architectures import ACTION_ARCHITECTURES
from models.actions.consensus import Remainder
from models.baselines.action_remainders import METHODS as COUNTS
from models.names import unknown_name
from pipeline.benchmarks.actions.logs import SALES, divided, perfect_remainders, without_static
from pipeline.dataset.action_examples import ActionExamples, NamedLog
from pipeline.settings import TrainingSettings
from pipeline.tasks.sale_actions import SaleActions

if TYPE_CHECKING:
    from models.next_actions import NextActions

CEILING = "perfect_knowledge"
NO_STATIC, NO_SEQUENCE, NO_POSITION = "without_static", "without_sequence", "without_position"
GREEDY, BEAM = "greedy", "beam"
_LONGEST = 30
_NEVER = 1e6  # days since 1970


@dataclass(frozen=True)
class Predicted:
    """What a method says of the test moments: their rest, and the probabilities of the next action where it has any."""

    examples: ActionExamples
    remainders: list[Remainder]
    next_probabilities: np.ndarray | None
    win_probabilities: np.ndarray | None


def method_names(dataset: str) -> list[str]:
    """All methods for a data set: architectures and their variants, counts, and the ceiling where it is known."""
    variants = [f"actions_lstm+{GREEDY}", f"actions_lstm+{BEAM}", f"actions_lstm+{NO_POSITION}"]
    if dataset == SALES:
        variants += [f"actions_lstm+{NO_STATIC}", f"actions_lstm+{NO_SEQUENCE}"]
    return [*ACTION_ARCHITECTURES, *variants, *COUNTS, *([CEILING] if dataset == SALES else [])]


def configured(name: str, seed: int) -> dict[str, Any]:
    """What a trial of a method is made from."""
    base, _, variant = name.partition("+")
    if base not in ACTION_ARCHITECTURES:
        return {"method": name}
    settings = _settings(base, seed).model_dump(mode="json")
    return {"training": settings, "model": asdict(ACTION_ARCHITECTURES[base]), "variant": variant}


def predict_with(name: str, named: NamedLog, seed: int, dataset: str) -> Predicted:
    """Train a method and predict the test moments.

    Raises: ValueError: for an unknown name.
    """
    base, _, variant = name.partition("+")
    if name not in method_names(dataset):
        raise ValueError(unknown_name("method", name, method_names(dataset)))
    if base in ACTION_ARCHITECTURES:
        return _by_network(base, variant, named, seed)
    examples = divided(named, seed=seed, longest_past=_LONGEST, longest_rest=_LONGEST)
    if name == CEILING:
        return Predicted(examples, perfect_remainders(named, examples.held_out), None, None)
    method = COUNTS[name]()
    method.fit(examples.log, (examples.weights > 0).astype(float))
    return Predicted(
        examples,
        method.predict(examples.log, examples.held_out),
        method.next_probabilities(examples.log, examples.held_out),
        None,
    )


class _WithoutPosition(SaleActions):
    """The same model, blind to when in the training's time span an action happened."""

    def build(self, examples: ActionExamples, settings: TrainingSettings, initial_model: Path | None) -> "NextActions":
        """A new model whose span lies behind every action."""
        model = super().build(examples, settings, initial_model)
        model.backbone.events.span_days.assign([_NEVER, _NEVER + 1.0])
        return model


def _settings(architecture: str, seed: int) -> TrainingSettings:
    defaults = dict(SaleActions().training_defaults)
    return TrainingSettings(**(defaults | {"architecture": architecture, "seed": seed, "workers": 1}))


def _by_network(architecture: str, variant: str, named: NamedLog, seed: int) -> Predicted:
    from pipeline.dataset.action_planner import ActionPlanner
    from pipeline.evaluation.actions import identities_of
    from pipeline.training.spec import TrainingFolder
    from pipeline.training.train import train_alone

    config = ACTION_ARCHITECTURES[architecture]
    task = _WithoutPosition() if variant == NO_POSITION else SaleActions()
    settings = _settings(architecture, seed)
    read = without_static(named) if variant == NO_STATIC else named
    longest_past = 1 if variant == NO_SEQUENCE else config.longest_past
    examples = divided(read, seed=seed, longest_past=longest_past, longest_rest=config.longest_rest)
    with tempfile.TemporaryDirectory() as folder:
        spec = TrainingFolder(folder=Path(folder), settings=settings)
        train_alone(task, spec, examples)
        model = task.load(spec.model_path)
    decoding = variant if variant in (GREEDY, BEAM) else "consensus"
    planner = ActionPlanner(model, decoding, seed=seed, longest_past=longest_past)
    plans = planner.plan(examples.log, examples.held_out, identities_of(examples, examples.held_out))
    return Predicted(examples, plans.remainders, plans.next_probabilities, plans.win_probabilities)
