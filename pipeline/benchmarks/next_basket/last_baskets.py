"""Last baskets as examples: what each training customer bought last, and what was known of the candidates before.

The training customers are parted at random: a customer's candidates come from the whole sequences of the other parts
and the histories of everyone else, so that no feature of a basket's candidates comes from that basket.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.basket_sequences import BasketSequences
from models.candidates.features import CandidateFeatures, FeatureConfig
from models.folds import folds_of
from models.keys import keys_of
from models.ragged import joined_rows
from models.special_ids import END, FIRST_PRODUCT
from pipeline.dataset.batch import Batch, Cut, pasts, targets
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.epoch_order import batch_rows
from pipeline.dataset.histories import Histories
from pipeline.settings import TrainingSettings

AT_ONCE = 256
"""Customers whose candidates are found together."""
_DAYS_APART = 7  # of baskets without dates


def with_candidates(
    train: BasketSequences,
    validation: BasketSequences,
    histories: BasketSequences,
    config: FeatureConfig,
    *,
    n_parts: int,
    seed: int,
) -> tuple["LastBasketExamples", "LastBasketExamples"]:
    """Last baskets of training and validation customers, each with its candidates."""
    part = np.random.default_rng(seed).integers(0, n_parts, len(train))
    unseen = validation.without_last()
    train_examples = []
    for number in np.unique(part):
        others = BasketSequences.joined([train.take(np.flatnonzero(part != number)), unseen, histories])
        source = source_of(others, config)
        train_examples.append(LastBasketExamples.of(train.take(np.flatnonzero(part == number)), source))
    source = source_of(BasketSequences.joined([train, unseen, histories]), config)
    return LastBasketExamples.joined(train_examples), LastBasketExamples.of(validation, source)


def source_of(everyone: BasketSequences, config: FeatureConfig) -> CandidateSource:
    """Where candidates come from, with one snapshot of those sequences."""
    return CandidateSource((CandidateFeatures(numbered(everyone), config),))


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
        at_once = np.array_split(np.arange(len(sequences)), -(-len(sequences) // AT_ONCE))
        found = (source.find(rows, funnels, ends[funnels]) for funnels in at_once)
        candidates, candidate_features = zip(*((each, of.astype(np.float16)) for each, of in found), strict=True)
        return cls(sequences, joined_rows(candidates), joined_rows(candidate_features))

    @classmethod
    def joined(cls, parts: list["LastBasketExamples"]) -> "LastBasketExamples":
        """The customers of all parts."""
        return cls(
            BasketSequences.joined([part.sequences for part in parts]),
            joined_rows([part.candidates for part in parts]),
            joined_rows([part.candidate_features for part in parts]),
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
        self.product_keys = product_keys(n_products)
        self.customer_keys = np.zeros(1, np.int64)
        self.product_counts = product_counts(train_examples.sequences)

    def known(self) -> BasketSequences:
        """Baskets of the training customers."""
        return self._train.sequences

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; the last one is filled up from the beginning."""
        return -(-len(self._train.sequences) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Customers in another order every epoch."""
        epoch, seed = step // self.steps_per_epoch(batch_size), self._settings.seed
        rows = batch_rows(len(self._train.sequences), seed, step, batch_size, worker=worker, workers=workers)
        random = np.random.default_rng([self._settings.seed, epoch, step, worker])
        batch = self._cut_out(self._train, rows, self._settings.max_products, random)
        return batch | {"folds": folds_of(keys_of(self._histories[id(self._train)].ids[rows]))}

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
        return batch | targets(histories, ends, longest, random, candidates=batch["candidates"])


def product_keys(n_products: int) -> np.ndarray:
    """Keys of products that have no names, of special indices 0; int64 [V]."""
    indices = np.arange(n_products, dtype=np.int64)
    return np.where(indices >= FIRST_PRODUCT, indices, 0)


def product_counts(sequences: BasketSequences) -> np.ndarray:
    """Baskets with each product; at END, baskets; int64 [V]."""
    counts = np.bincount(sequences.product_ids, minlength=sequences.n_products)
    counts[END] = len(sequences.basket_sizes)
    return counts


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
