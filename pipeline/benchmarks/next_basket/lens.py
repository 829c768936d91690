"""LENS among the next-basket methods: trained by the nightly loop on the training customers' last baskets.

As a ranker does, it learns from the last baskets what follows a history (`last_baskets.py`); test customers are not in
training and share one vector. Or it learns from every basket that is known (`all_prefixes.py`), as the paper's does.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from models.baselines.next_basket import Ranking
from models.basket_sequences import BasketSequences
from models.candidates.features import FeatureConfig
from models.catalog import ARCHITECTURES
from models.keys import keys_of, rows_of
from pipeline.benchmarks.next_basket.all_prefixes import AllPrefixes
from pipeline.benchmarks.next_basket.last_baskets import (
    AT_ONCE,
    LastBasketExamples,
    LastBaskets,
    histories_of,
    source_of,
    with_candidates,
)
from pipeline.benchmarks.trained_lens import trained_lens, whole_schedule
from pipeline.dataset.batch import Batch, Cut, pasts
from pipeline.dataset.candidates import CandidateSource
from pipeline.settings import Finetune, TrainingSettings

if TYPE_CHECKING:
    from pipeline.dataset.examples import LensTrainingData

Examples = Literal["last", "prefixes", "prefixes+customers"]
"""Last baskets; every known basket; the same with a vector for each customer, test customers among them."""
EXAMPLES: tuple[Examples, ...] = get_args(Examples)


@dataclass(frozen=True)
class LensTrial:
    """What is set for a trial; `n_parts` as for `BoostingConfig`."""

    training: TrainingSettings
    features: FeatureConfig
    examples: Examples
    n_parts: int = 8


class LensMethod:
    """An architecture of models/catalog.py as a next-basket method.

    Args:   passes: a whole schedule of so many; by default at most 12, until validation gets no better.
    Raises: ValueError: for prefixes of an architecture that reads candidates.
    """

    def __init__(
        self,
        architecture: str,
        seed: int,
        passes: int | None = None,
        finetune: Finetune = "none",
        examples: Examples = "last",
    ) -> None:
        if examples != "last" and ARCHITECTURES[architecture].pointer_units:
            raise ValueError(f"{architecture} reads candidates, which are found for last baskets alone")
        training = whole_schedule(architecture, seed, passes, finetune=finetune)
        self._trial = LensTrial(training, FeatureConfig(), examples)
        self._uses_neighbours = ARCHITECTURES[architecture].uses_neighbours
        self._predict: Callable[[Batch], Any] | None = None
        self._source = CandidateSource()
        self._customer_keys = np.zeros(1, np.int64)
        self._epochs_done = 0

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Train until the validation customers' last baskets are no longer predicted better."""
        from pipeline.dataset.tensors import compiled

        training = self._trial.training
        model, self._epochs_done = trained_lens(self.data(train, validation, histories), training)
        self._customer_keys = model.keys.customer_keys
        if self._uses_neighbours:
            everyone = BasketSequences.joined([train, validation, histories])
            self._source = source_of(everyone, self._trial.features)

        def predict(batch: dict[str, Any], k: int = AT_ONCE) -> Any:
            products, probabilities = model.rank(batch, min(k, train.n_products))
            basket = model.best_basket(batch, training.max_products)
            return products, probabilities, basket["products"], basket["quantities"]

        self._predict = compiled(predict)

    def data(
        self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences
    ) -> "LensTrainingData":
        """What it is trained on."""
        training = self._trial.training
        if self._trial.examples != "last":
            with_customers = self._trial.examples == "prefixes+customers"
            return AllPrefixes(train, validation, histories, self._cut, training, with_customers=with_customers)
        if self._uses_neighbours:
            config, n_parts = self._trial.features, self._trial.n_parts
            parts = with_candidates(train, validation, histories, config, n_parts=n_parts, seed=training.seed)
        else:
            alone = CandidateSource()
            parts = LastBasketExamples.of(train, alone), LastBasketExamples.of(validation, alone)
        return LastBaskets(*parts, train.n_products, self._cut, training)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The products most likely in the next basket; sizes are those of its best baskets."""
        if self._predict is None:
            raise RuntimeError("rank before fit")
        rows, ends = histories_of(histories), histories.basket_offsets[1:]
        parts = []
        for first in range(0, len(histories), AT_ONCE):
            funnels = np.arange(first, min(first + AT_ONCE, len(histories)))
            batch = pasts(rows, ends[funnels], funnels, self._cut, self._source.find(rows, funnels, ends[funnels]))
            customers = rows_of(keys_of(rows.ids[funnels]), self._customer_keys, missing=0)
            products, probabilities, *basket = self._predict(batch | {"customer_ids": customers})
            parts.append((products[:, :k], probabilities[:, :k], *basket))
        named, probabilities, baskets, units = (np.concatenate(each) for each in zip(*parts, strict=True))
        # Without quantities in the data every product counts one unit, which is nothing to be held to.
        counted = {"decoded_basket": baskets, "units": units} if histories.quantities is not None else {}
        return Ranking(named, probabilities, (baskets > 0).sum(axis=1), are_probabilities=True, **counted)

    def settings(self) -> dict[str, Any]:
        """Architecture, training, features, and how many epochs it took."""
        training = self._trial.training
        return {
            "architecture": asdict(ARCHITECTURES[training.architecture]),
            "training": training.model_dump(),
            "features": asdict(self._trial.features) if self._uses_neighbours else None,
            "examples": self._trial.examples,
            "parts": self._trial.n_parts,
            "basket": "best_f1",
            "epochs": self._epochs_done,
        }

    @property
    def _cut(self) -> Cut:
        return Cut(self._trial.training.max_baskets, self._trial.training.max_products)
