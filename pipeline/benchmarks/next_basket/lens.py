"""LENS among the next-basket methods: trained by the nightly loop on the training customers' last baskets.

As a ranker does, it learns from the last baskets what follows a history. The training customers are parted at random:
a customer's candidates come from the whole sequences of the other parts and the histories of everyone else, so that no
feature of a basket's candidates comes from that basket. Test customers are not in training: all share one vector.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.baselines.next_basket import Ranking
from models.basket_sequences import BasketSequences
from models.candidates.features import CandidateFeatures, FeatureConfig
from models.catalog import ARCHITECTURES
from models.keys import keys_of
from models.special_ids import END, FIRST_PRODUCT
from pipeline.dataset.batch import Batch, Cut, pasts, targets
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.histories import Histories
from pipeline.settings import Finetune, TrainingSettings

_DAYS_APART = 7  # of baskets without dates
_AT_ONCE = 256


@dataclass(frozen=True)
class LensTrial:
    """What is set for a trial; `n_parts` as for `BoostingConfig`."""

    training: TrainingSettings
    features: FeatureConfig
    n_parts: int = 8


class LensMethod:
    """An architecture of models/catalog.py as a next-basket method."""

    def __init__(self, architecture: str, seed: int, epochs: int = 12, finetune: Finetune = "none") -> None:
        training = TrainingSettings(
            architecture=architecture,
            workers=1,
            epochs=epochs,
            max_steps=10**9,
            patience=3,
            seed=seed,
            finetune=finetune,
        )
        self._trial = LensTrial(training, FeatureConfig())
        self._uses_neighbours = ARCHITECTURES[architecture].uses_neighbours
        self._predict: Callable[[Batch], Any] | None = None
        self._source = CandidateSource()
        self._epochs_done = 0

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Train until the validation customers' last baskets are no longer predicted better."""
        from models.saved_files import load_model
        from pipeline.dataset.tensors import compiled
        from pipeline.tasks.next_basket import NextBasket
        from pipeline.training.history import read_history
        from pipeline.training.spec import TrainingFolder
        from pipeline.training.train import train_alone

        training = self._trial.training
        data = self.data(train, validation, histories)
        with tempfile.TemporaryDirectory() as folder:
            spec = TrainingFolder(folder=Path(folder), settings=training)
            train_alone(NextBasket(), spec, data)
            self._epochs_done = len(read_history(spec.history_path, training.epochs))
            model = load_model(spec.model_path)
        if self._uses_neighbours:
            everyone = BasketSequences.joined([train, validation, histories])
            self._source = CandidateSource((CandidateFeatures(numbered(everyone), self._trial.features),))

        def predict(batch: dict[str, Any], k: int = _AT_ONCE) -> Any:
            products, probabilities = model.rank(batch, min(k, train.n_products))
            basket = model.best_basket(batch, training.max_products)
            return products, probabilities, basket["products"], basket["quantities"]

        self._predict = compiled(predict)

    def data(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> "LastBaskets":
        """What it is trained on."""
        train_examples, validation_examples = self._examples(train, validation, histories)
        return LastBaskets(train_examples, validation_examples, train.n_products, self._cut, self._trial.training)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The products most likely in the next basket; sizes are those of its best baskets."""
        if self._predict is None:
            raise RuntimeError("rank before fit")
        rows, ends = histories_of(histories), histories.basket_offsets[1:]
        parts = []
        for first in range(0, len(histories), _AT_ONCE):
            funnels = np.arange(first, min(first + _AT_ONCE, len(histories)))
            batch = pasts(rows, ends[funnels], funnels, self._cut, self._source.find(rows, funnels, ends[funnels]))
            products, probabilities, *basket = self._predict(batch | {"customer_ids": np.zeros(len(funnels), np.int32)})
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
            "parts": self._trial.n_parts,
            "basket": "best_f1",
            "epochs": self._epochs_done,
        }

    @property
    def _cut(self) -> Cut:
        return Cut(self._trial.training.max_baskets, self._trial.training.max_products)

    def _examples(
        self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences
    ) -> tuple["LastBasketExamples", "LastBasketExamples"]:
        """Last baskets of training and validation customers, each with its candidates."""
        if not self._uses_neighbours:
            return LastBasketExamples.of(train, CandidateSource()), LastBasketExamples.of(validation, CandidateSource())
        part = np.random.default_rng(self._trial.training.seed).integers(0, self._trial.n_parts, len(train))
        unseen = validation.without_last()
        train_examples = []
        for number in np.unique(part):
            others = BasketSequences.joined([train.take(np.flatnonzero(part != number)), unseen, histories])
            source = CandidateSource((CandidateFeatures(numbered(others), self._trial.features),))
            train_examples.append(LastBasketExamples.of(train.take(np.flatnonzero(part == number)), source))
        everyone = BasketSequences.joined([train, unseen, histories])
        source = CandidateSource((CandidateFeatures(numbered(everyone), self._trial.features),))
        return LastBasketExamples.joined(train_examples), LastBasketExamples.of(validation, source)


@dataclass(frozen=True)
class LastBasketExamples:
    """Last baskets with their candidates."""

    sequences: BasketSequences
    candidates: np.ndarray  # int32 [n, C]
    candidate_features: np.ndarray  # float16 [n, C, F]: all of them are kept

    @classmethod
    def of(cls, sequences: BasketSequences, source: CandidateSource) -> "LastBasketExamples":
        """Find the candidates of every customer once."""
        rows, ends = histories_of(sequences), sequences.basket_offsets[1:] - 1
        at_once = np.array_split(np.arange(len(sequences)), -(-len(sequences) // _AT_ONCE))
        found = (source.find(rows, funnels, ends[funnels]) for funnels in at_once)
        candidates, candidate_features = zip(*((each, of.astype(np.float16)) for each, of in found), strict=True)
        return cls(sequences, _rows_of_all(candidates), _rows_of_all(candidate_features))

    @classmethod
    def joined(cls, parts: list["LastBasketExamples"]) -> "LastBasketExamples":
        """The customers of all parts."""
        return cls(
            BasketSequences.joined([part.sequences for part in parts]),
            _rows_of_all([part.candidates for part in parts]),
            _rows_of_all([part.candidate_features for part in parts]),
        )


class LastBaskets:
    """Training data of which each example is a customer's last basket."""

    def __init__(
        self,
        train_examples: LastBasketExamples,
        validation_examples: LastBasketExamples,
        n_products: int,
        cut: Cut,
        settings: TrainingSettings,
    ) -> None:
        self._train, self._validation, self._cut, self._settings = train_examples, validation_examples, cut, settings
        self._histories = {id(part): histories_of(part.sequences) for part in (train_examples, validation_examples)}
        self.product_keys = np.arange(n_products, dtype=np.int64) * (np.arange(n_products) >= FIRST_PRODUCT)
        self.customer_keys = np.zeros(1, np.int64)
        self.product_counts = np.bincount(train_examples.sequences.product_ids, minlength=n_products)
        self.product_counts[END] = len(train_examples.sequences.basket_sizes)

    def known(self) -> BasketSequences:
        """Baskets of the training customers."""
        return self._train.sequences

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; the last one is filled up from the beginning."""
        return -(-len(self._train.sequences) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Customers in another order every epoch."""
        epoch, within = divmod(step, self.steps_per_epoch(batch_size))
        n = len(self._train.sequences)
        order = np.random.default_rng([self._settings.seed, epoch]).permutation(n)
        rows = order[np.arange(within * batch_size, (within + 1) * batch_size) % n][worker::workers]
        random = np.random.default_rng([self._settings.seed, epoch, step, worker])
        return self._cut_out(self._train, rows, self._settings.max_products, random)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The validation customers' last baskets, whole."""
        rows = np.arange(len(self._validation.sequences))[worker::workers]
        for first in range(0, len(rows), batch_size):
            random = np.random.default_rng(first)
            yield self._cut_out(self._validation, rows[first : first + batch_size], np.iinfo(np.int32).max, random)

    def _cut_out(
        self, examples: LastBasketExamples, rows: np.ndarray, longest: int, random: np.random.Generator
    ) -> Batch:
        histories, ends = self._histories[id(examples)], examples.sequences.basket_offsets[1:][rows] - 1
        candidates = examples.candidates[rows], examples.candidate_features[rows].astype(np.float32)
        batch = pasts(histories, ends, rows, self._cut, candidates)
        batch["customer_ids"] = np.zeros(len(rows), np.int32)
        return batch | targets(histories, ends, longest, random)


def numbered(sequences: BasketSequences) -> BasketSequences:
    """With the customers' numbers of `histories_of`, by which a snapshot leaves out the customer itself."""
    return BasketSequences(**{**sequences.__dict__, "customers": keys_of(map(str, sequences.customers))})


def histories_of(sequences: BasketSequences) -> Histories:
    """The model's form of the same baskets: a basket a week where they have no dates, one unit where it is unknown."""
    first = sequences.basket_offsets[:-1][sequences.customer_of_basket]
    number = np.arange(len(sequences.basket_sizes))
    sold_on = (number - first) * _DAYS_APART if sequences.sold_on is None else sequences.sold_on
    gaps = np.diff(sold_on, prepend=0).astype(np.float32)
    gaps[number == first] = -1.0
    n_lines = len(sequences.product_ids)
    return Histories(
        kinds=np.full(len(sequences), "customer", object),
        ids=np.array([str(customer) for customer in sequences.customers], object),
        basket_offsets=sequences.basket_offsets,
        sold_on=sold_on.astype(np.int32),
        gap_days=gaps,
        day_of_week=((sold_on + 3) % 7 + 1).astype(np.float32),
        product_offsets=sequences.product_offsets,
        product_ids=sequences.product_ids,
        quantities=np.ones(n_lines, np.float32) if sequences.quantities is None else sequences.quantities,
        amounts=np.zeros(n_lines, np.float32),
        attributes=np.zeros((len(sequences), 0), np.int32) if sequences.attributes is None else sequences.attributes,
    )


def _rows_of_all(parts: Sequence[np.ndarray]) -> np.ndarray:
    """All rows, the second dimension padded to the widest."""
    width = max(part.shape[1] for part in parts)
    wider = [np.pad(part, [(0, 0), (0, width - part.shape[1])] + [(0, 0)] * (part.ndim - 2)) for part in parts]
    return np.concatenate(wider)
