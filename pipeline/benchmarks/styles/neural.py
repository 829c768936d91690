"""Static and dynamic style as methods, trained by the nightly loop on what is before the cutoff."""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.item_vector_config import ItemVectorConfig
from models.style_config import StyleConfig
from pipeline.benchmarks.styles.problems import article_numbers, style_customers
from pipeline.dataset.item_examples import ItemExamples
from pipeline.dataset.purchases import Purchases
from pipeline.dataset.style_examples import StyleExamples
from pipeline.dataset.style_ranking import StyleRanking, vectors_of
from pipeline.dataset.style_steps import Histories
from pipeline.evaluation.style_problem import Problem
from pipeline.files import replacing
from pipeline.settings import TrainingSettings
from pipeline.task import Objective

if TYPE_CHECKING:
    import keras

_SEASONS_FROM_DAYS = 400.0


@dataclass(frozen=True)
class Training:
    """How long and how fast a model is trained; batch: articles or customers."""

    steps: int
    rate: float
    batch: int


@dataclass(frozen=True)
class TrainingPlan:
    """Training of both models.

    most_customers: frequent ones, of whom the vectors of articles are learned; vectors_share: of the customers, of whom
    vectors are learned that styles are learned with: styles of the others, whose purchases no vector has seen; None:
    both are learned of everyone.
    """

    items: Training = Training(steps=800, rate=3e-3, batch=128)
    styles: Training = Training(steps=300, rate=2e-3, batch=32)
    most_customers: int = 3000
    vectors_share: float | None = 0.65


class StaticStyle:
    """Fashion DNA: products of the articles' vectors with the customers' static styles.

    Args: most_customers of the plan are trained, and those who are asked.
    """

    def __init__(self, config: ItemVectorConfig, plan: TrainingPlan, seed: int) -> None:
        self._config, self._plan, self._seed = replace(config, seed=seed), plan, seed
        self.parameters = 0

    def train(self, problem: Problem) -> tuple[ItemExamples, Any]:
        """The examples, and the model trained on them."""
        model, examples = self._fitted(problem, problem.past, problem.customers)
        return examples, model

    def _fitted(self, problem: Problem, past: Purchases, also: np.ndarray | None) -> tuple[Any, ItemExamples]:
        plan = self._plan
        examples = ItemExamples(problem.articles, past, most_customers=plan.most_customers, also=also, seed=self._seed)
        model = _trained(_ItemTask(self._config), examples, plan.items, self._seed)
        self.parameters = int(model.count_params())
        return model, examples

    def vectors(self, problem: Problem) -> np.ndarray:
        """Vectors of all articles, learned of a share of the customers or of all; float32 [V, D]."""
        past, share = problem.past, self._plan.vectors_share
        teach = past if share is None else past.take(~np.isin(past.customers, style_customers(problem, share)))
        return vectors_of(*self._fitted(problem, teach, None))

    def scores(self, problem: Problem) -> np.ndarray:
        """Logarithms of the odds that each customer asked buys each article in store."""
        examples, model = self.train(problem)
        place = np.searchsorted(examples.customers, problem.customers)
        styles, propensities = np.asarray(model.of_customers)[place], np.asarray(model.propensities)[place]
        known = examples.inputs(problem.store)
        odds = styles @ np.asarray(model(known)).T + propensities[:, None]
        return odds + np.asarray(model.popularity(known))

    def settings(self) -> dict[str, Any]:
        """Configuration and training."""
        return {"model": asdict(self._config), "training": asdict(self._plan)}


class DynamicStyle:
    """The model of style over the vectors of Fashion DNA.

    Args: views: whether it reads what customers looked at, where that is known.

    Where `vectors_folder` is set, article vectors are kept there, for the methods that read the same ones.
    """

    def __init__(
        self, config: StyleConfig, items: ItemVectorConfig, plan: TrainingPlan, seed: int, *, views: bool = False
    ) -> None:
        self._views = views
        self.vectors_folder: Path | None = None
        self._config, self._plan, self._seed = replace(config, seed=seed), plan, seed
        self._static = StaticStyle(items, plan, seed)
        self.parameters = 0

    def scores(self, problem: Problem) -> np.ndarray:
        """Intents of the customers asked."""
        return self.scores_with(problem, self.vectors(problem))

    def scores_with(self, problem: Problem, vectors: np.ndarray) -> np.ndarray:
        """The same with vectors that are there already; float32 [V, D]."""
        return self.trained(problem, vectors).intents(problem.customers, problem.store, problem.cutoff)

    def trained(self, problem: Problem, vectors: np.ndarray) -> StyleRanking:
        """What ranks as of the cutoff, trained with those vectors; float32 [V, D]."""
        share = self._plan.vectors_share
        seasons = bool(np.ptp(problem.past.times) > _SEASONS_FROM_DAYS)
        histories = Histories(problem.past, vectors, self._config, seasons=seasons)
        examples = StyleExamples(
            histories,
            problem.assortment,
            float(problem.cutoff),
            article_numbers(problem),
            customers=None if share is None else style_customers(problem, share),
            seed=self._seed,
            views=problem.views if self._views else None,
        )
        plan = self._plan
        model = _trained(_StyleTask(self._config), examples, plan.styles, self._seed)
        self.parameters = int(model.count_params())
        return StyleRanking(model, histories, examples.signals, problem.views)

    def settings(self) -> dict[str, Any]:
        """Configuration and training."""
        static = self._static.settings()
        settings = {"model": asdict(self._config), "articles": static["model"], "training": static["training"]}
        return settings | ({"views": True} if self._views else {})

    def vectors(self, problem: Problem) -> np.ndarray:
        """Article vectors as of the cutoff; float32 [V, D]."""
        if self.vectors_folder is None:
            return self._static.vectors(problem)
        described = json.dumps([self._static.settings(), self._seed, problem.cutoff, len(problem.past)])
        kept = self.vectors_folder / f"{hashlib.sha256(described.encode()).hexdigest()[:16]}.npy"
        if not kept.is_file():
            self.vectors_folder.mkdir(parents=True, exist_ok=True)
            with replacing(kept) as aside, aside.open("wb") as file:
                np.save(file, self._static.vectors(problem))
        vectors: np.ndarray = np.load(kept)
        return vectors


def _trained(task: Any, data: Any, training: Training, seed: int) -> "keras.Model":
    from pipeline.training.spec import TrainingFolder
    from pipeline.training.train import train_alone

    settings = TrainingSettings(
        workers=1,
        epochs=1,
        max_steps=training.steps,
        seed=seed,
        learning_rate=training.rate,
        batch_size=training.batch,
        checkpoint_steps=10**9,
    )
    with tempfile.TemporaryDirectory() as folder:
        spec = TrainingFolder(folder=Path(folder), settings=settings)
        train_alone(task, spec, _OneEpoch(data, training.steps))
        return task.load(spec.model_path)


class _OneEpoch:
    """All steps of a training as one epoch: nothing is kept in between."""

    def __init__(self, data: Any, steps: int) -> None:
        self._data, self._steps = data, steps

    def steps_per_epoch(self, batch_size: int) -> int:
        return self._steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


class _StyleTask:
    """What the loop asks of a task."""

    example_array = "step_times"

    def __init__(self, config: StyleConfig) -> None:
        self._config = config

    def build(self, examples: Any, settings: TrainingSettings, initial_model: Path | None) -> "keras.Model":
        from models.style import StyleModel

        own = examples.n_own
        return StyleModel(asdict(self._config), examples.signals.width, own, reads_views=examples.reads_views)

    def load(self, path: Path) -> "keras.Model":
        from models.saved_files import load_style_model

        return load_style_model(path)

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        return None


class _ItemTask:
    """What the loop asks of a task."""

    example_array = "numbers"

    def __init__(self, config: ItemVectorConfig) -> None:
        self._config = config

    def build(self, examples: ItemExamples, settings: TrainingSettings, initial_model: Path | None) -> "keras.Model":
        from models.item_vectors import ItemVectorModel

        return ItemVectorModel(asdict(self._config), **examples.sizes)

    def load(self, path: Path) -> "keras.Model":
        from models.saved_files import load_item_vector_model

        return load_item_vector_model(path)

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        return None
