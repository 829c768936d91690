"""Methods on the first morning of a window: an architecture as a night trains it, and what a user would pick instead.

`lens` has a night's settings; `lens@2` takes two passes over the customers, its learning rate falling to zero over
these two. The ranker reads the candidates and features of the same training examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from models.baselines.frequency import GlobalTop, PersonalThenGlobal, PersonalTop
from models.baselines.gradient_boosting import BoostingConfig, Labelled
from models.baselines.next_basket import Ranking
from models.catalog import ARCHITECTURES
from models.days import epoch_day
from models.names import unknown_name
from pipeline.benchmarks.data.folds import Fold
from pipeline.benchmarks.next_basket.methods import SAME_FEATURES
from pipeline.benchmarks.next_basket.ranker import SETTINGS, GrownTrees, grow, joined
from pipeline.benchmarks.next_basket.windows import Morning
from pipeline.benchmarks.trained_lens import PASSES, passes_of, trained_lens
from pipeline.dataset.batch import Batch, Cut
from pipeline.dataset.candidates import CandidateSource, sampled_histories
from pipeline.dataset.next_baskets import forecaster_of
from pipeline.settings import Settings, TrainingSettings
from pipeline.tasks.catalog import NEXT_BASKET, task_and_settings

if TYPE_CHECKING:
    from models.lens import Lens

_ENDLESS = 10**9
_BATCH_SIZE = 256
_FrequencyList = GlobalTop | PersonalTop | PersonalThenGlobal
FREQUENCIES: dict[str, Callable[[], _FrequencyList]] = {
    "global-top": GlobalTop,
    "personal-top": PersonalTop,
    "personal-then-global": PersonalThenGlobal,
}


class WindowMethod(Protocol):
    """Learns on a morning, then ranks for the customers who are tested."""

    def fit(self, morning: Morning, fold: Fold) -> None:
        """Learn; of `fold`, `truth` is not read."""

    def rank(self, morning: Morning, fold: Fold, k: int) -> Ranking:
        """The k products most likely in each tested customer's next basket, in the order of `fold.histories`."""

    def settings(self) -> dict[str, Any]:
        """What it was built with, to be written beside its scores."""


def window_method(name: str, seed: int) -> WindowMethod:
    """A new method of that name.

    Raises: ValueError: for an unknown name, with the known ones, or passes that are no number.
    """
    architecture, passes = passes_of(name)
    if architecture in ARCHITECTURES:
        return NightsModel(architecture, seed, passes)
    if name == SAME_FEATURES:
        return NightsRanker(seed)
    if name not in FREQUENCIES:
        known = [*ARCHITECTURES, f"lens{PASSES}2", *FREQUENCIES, SAME_FEATURES]
        raise ValueError(unknown_name("method of windows", name, known))
    return Frequency(FREQUENCIES[name]())


class Frequency:
    """A list by counts."""

    def __init__(self, model: _FrequencyList) -> None:
        self._model = model

    def fit(self, morning: Morning, fold: Fold) -> None:
        """Count everyone's baskets; the tested customers' are among them."""
        self._model.fit(fold.train, fold.validation, fold.histories.take(np.zeros(0, np.int64)))

    def rank(self, morning: Morning, fold: Fold, k: int) -> Ranking:
        """By own and everyone's baskets."""
        return self._model.rank(fold.histories, k)

    def settings(self) -> dict[str, Any]:
        """Nothing to set."""
        return self._model.settings()


class NightsModel:
    """An architecture, trained by the nightly loop in one process.

    Args: passes: over the customers; None for a night's own number, and its own rule when to stop.
    """

    def __init__(self, architecture: str, seed: int, passes: int | None) -> None:
        chosen: dict[str, Any] = {"architecture": architecture, "workers": 1, "seed": seed}
        if passes is not None:
            chosen |= {"epochs": passes, "patience": passes, "max_steps": _ENDLESS, "repeat_until_step": None}
        self._training = _nightly_training(chosen)
        self._lens: Lens | None = None
        self._epochs_done = 0

    def fit(self, morning: Morning, fold: Fold) -> None:
        """Train as a night of this morning would."""
        self._lens, self._epochs_done = trained_lens(morning.examples(self._training), self._training)

    def rank(self, morning: Morning, fold: Fold, k: int) -> Ranking:
        """The products most likely by the model, after the days that each customer has been away."""
        if self._lens is None:
            raise RuntimeError("rank before fit")
        width = min(k, fold.train.n_products)

        def read(lens: "Lens", batch: Batch) -> dict[str, Any]:
            products, probabilities = lens.rank(batch, width)
            return {"products": products, "probabilities": probabilities}

        cut = Cut(self._training.max_baskets, self._training.max_products)
        forecaster = forecaster_of(self._lens, read, cut, memory_of(morning, fold, self._training))
        parts = []
        for tested in morning.tested:
            elapsed = epoch_day(morning.day) - tested.histories.sold_on[tested.ends - 1].astype(np.int64)
            found = list(forecaster.decoded(tested.histories, tested.funnels, tested.ends, elapsed, _BATCH_SIZE))
            back = np.argsort(np.concatenate([rows for rows, _ in found]))
            parts.append(
                [np.concatenate([of[name] for _, of in found])[back] for name in ("products", "probabilities")]
            )
        products, probabilities = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Ranking(products, probabilities, are_probabilities=True)

    def settings(self) -> dict[str, Any]:
        """Architecture, training, and how many passes it took."""
        architecture = asdict(ARCHITECTURES[self._training.architecture])
        return {"architecture": architecture, "training": self._training.model_dump(), "passes": self._epochs_done}


class NightsRanker:
    """LambdaMART over the candidates of one pass of a night's training examples.

    Settings, and the number of trees, are chosen on the customers by whom a night decides when to stop.
    """

    def __init__(self, seed: int, settings: tuple[BoostingConfig, ...] = SETTINGS) -> None:
        self._tried = tuple(replace(each, seed=seed) for each in settings)
        self._training = _nightly_training({"workers": 1, "seed": seed})
        self._grown: GrownTrees | None = None

    def fit(self, morning: Morning, fold: Fold) -> None:
        """Grow trees by every setting, and keep those that rank the validation baskets best."""
        examples, size = morning.examples(self._training), self._training.batch_size
        steps = range(examples.steps_per_epoch(size))
        trained = labelled([examples.batch(step, size) for step in steps])
        validated = labelled(list(examples.validation(size)))
        self._grown = grow(self._tried, trained, validated)

    def rank(self, morning: Morning, fold: Fold, k: int) -> Ranking:
        """The candidates with the largest scores."""
        if self._grown is None:
            raise RuntimeError("rank before fit")
        memory = memory_of(morning, fold, self._training)
        parts = []
        for tested in morning.tested:
            for first in range(0, len(tested.funnels), _BATCH_SIZE):
                rows = slice(first, first + _BATCH_SIZE)
                found = memory.find(tested.histories, tested.funnels[rows], tested.ends[rows])
                parts.append(self._grown.rank(*found, k))
        return joined(parts)

    def settings(self) -> dict[str, Any]:
        """What is tried, what was chosen, its trees and the validation nDCG@10 of each."""
        tried = {"tried": [asdict(each) for each in self._tried], "columns": "those of lens"}
        return tried | (self._grown.settings() if self._grown else {})


def _nightly_training(changed: dict[str, Any]) -> TrainingSettings:
    """How a night trains next baskets, but for what is changed."""
    _, settings = task_and_settings(NEXT_BASKET.name, Settings())
    return settings.training.model_copy(update=changed)


def memory_of(morning: Morning, fold: Fold, settings: TrainingSettings) -> CandidateSource:
    """Where candidates come from on this morning, as in a night."""
    day = epoch_day(morning.day)
    known = sampled_histories(morning.parts(), day, fold.train.n_products, settings.memory_customers)
    return CandidateSource.of_histories(known, settings.candidates)


def labelled(batches: Sequence[Batch]) -> Labelled:
    """The candidates of examples whose basket came and holds one of them, and whether each was in it."""
    rows, labels, groups, sizes = [], [], [], []
    for batch in batches:
        candidates, features = batch["candidates"], batch["candidate_features"]
        bought = batch["target_candidates"]
        shown = (candidates > 0) & bought.any(axis=1, keepdims=True)
        rows.append(features[shown].astype(np.float32))
        labels.append(bought[shown].astype(np.float32))
        kept = shown.any(axis=1)
        groups.append(shown.sum(axis=1)[kept])
        sizes.append(batch["target_sizes"][kept].astype(np.int64))
    return Labelled((np.concatenate(rows), np.concatenate(labels)), np.concatenate(groups), np.concatenate(sizes))
