"""The pointer head trained alone: what it learns from, and that every worker ends with the same weights."""

from collections.abc import Iterator

import numpy as np
import pytest
from keras import ops

from models.fields import N_CANDIDATE_FEATURES
from models.folds import N_FOLDS
from models.heads.pointer import PointerHead
from pipeline.dataset.batch import Batch
from pipeline.settings import TrainingSettings
from pipeline.training.preparation import prepare

CANDIDATES = 6


class BoughtByTheFirstFeature:
    """Candidates are bought where their first feature is above 0; a third of the examples still wait."""

    def __init__(self, passes_of: int = 4) -> None:
        self._steps, self.made = passes_of, 0

    def steps_per_epoch(self, batch_size: int) -> int:
        """Few."""
        return self._steps

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Other examples in every step; the number of candidates differs, too."""
        self.made += 1
        random = np.random.default_rng(step)
        shape = (batch_size, CANDIDATES - step % 2)
        features = random.normal(size=(*shape, N_CANDIDATE_FEATURES)).astype(np.float32)
        observed = (np.arange(batch_size) % 3 > 0).astype(np.float32)
        is_candidate = random.random(shape) < 0.8
        # What waits would teach the opposite.
        is_bought = np.where(observed[:, None] > 0, features[..., 0] > 0, features[..., 0] < 0)
        return {
            "candidates": np.where(is_candidate, 5, 0).astype(np.int32),
            "candidate_features": features,
            "target_candidates": is_bought & is_candidate,
            "target_observed": observed,
            "folds": random.integers(1, 1 + N_FOLDS, batch_size).astype(np.int32),
        }

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """Not read."""
        raise AssertionError


def head(seed: int = 0, n_trees: int = 0) -> PointerHead:
    made = PointerHead(N_CANDIDATE_FEATURES, 8, n_trees, 3, seed=seed)
    made.build()
    return made


def settings(**changed: object) -> TrainingSettings:
    return TrainingSettings(batch_size=16, epochs=2, learning_rate=0.01).model_copy(update=changed)


@pytest.mark.parametrize("n_trees", [0, 40])
def test_it_orders_candidates_by_what_was_bought_of_observed_baskets(n_trees: int) -> None:
    made, data = head(n_trees=n_trees), BoughtByTheFirstFeature()
    made.trainable = False  # as in a model that is trained around it
    prepare(made, None, data, settings())
    batch = BoughtByTheFirstFeature().batch(100, 64)
    came = batch["target_observed"] > 0
    inputs = made.inputs(batch["candidate_features"], np.zeros(64, np.int32))
    outputs = [ops.convert_to_numpy(each)[came] for each in made(inputs)]
    shown, bought = batch["candidates"][came] > 0, batch["target_candidates"][came]
    for scores in outputs:
        positive, negative = scores[shown & bought], scores[shown & ~bought]
        assert np.mean(positive[:, None] > negative[None]) > 0.95
    assert np.mean((outputs[1] > 0)[shown] == bought[shown]) > 0.85, "log odds are those of being bought"


@pytest.mark.parametrize("n_trees", [0, 5])
def test_trained_again_it_ends_with_the_same_weights(n_trees: int) -> None:
    first, again = head(n_trees=n_trees), head(n_trees=n_trees)
    for made in (first, again):
        prepare(made, None, BoughtByTheFirstFeature(), settings())
    for ours, theirs in zip(first.weights, again.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def test_trees_are_weighed_by_scores_of_customers_that_they_have_not_seen() -> None:
    class Noise(BoughtByTheFirstFeature):
        """What is bought follows from nothing: a tree that has seen it scores it well, another one by chance."""

        def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
            batch = super().batch(step, batch_size, worker, workers)
            random = np.random.default_rng(step + 99)
            batch["target_candidates"] = (random.random(batch["candidates"].shape) < 0.3) & (batch["candidates"] > 0)
            return batch

    made = head(n_trees=30)
    prepare(made, None, Noise(passes_of=40), settings(epochs=1))
    seen = [Noise().batch(step, 16) for step in range(40)]
    of_trees = {fold: [] for fold in ("seen", "unseen")}
    for batch in seen:
        bought = batch["target_candidates"]
        for name, folds in (("seen", np.zeros(16, np.int32)), ("unseen", batch["folds"])):
            scores = ops.convert_to_numpy(made.inputs(batch["candidate_features"], folds))[..., -1]
            of_trees[name].append(scores[bought].mean() - scores[(batch["candidates"] > 0) & ~bought].mean())
    assert np.mean(of_trees["seen"]) > 0.2, "a forest knows its own training examples"
    assert abs(np.mean(of_trees["unseen"])) < 0.1


def test_scores_of_each_forest_are_standardised() -> None:
    made, data = head(n_trees=5), BoughtByTheFirstFeature(passes_of=20)
    prepare(made, None, data, settings())
    batches = [data.batch(step, 16) for step in range(40)]
    scores = {fold: [] for fold in range(1 + N_FOLDS)}
    for of in batches:
        shown = (of["candidates"] > 0) & (of["target_observed"] > 0)[:, None]
        for fold, of_forest in scores.items():
            of_fold = shown if fold == 0 else shown & (of["folds"] == fold)[:, None]
            folds = np.full(len(shown), fold, np.int32)
            of_forest.append(ops.convert_to_numpy(made.inputs(of["candidate_features"], folds))[..., -1][of_fold])
    for known in map(np.concatenate, scores.values()):
        np.testing.assert_allclose([known.mean(), known.std()], [0, 1], atol=0.02)


def test_each_score_is_the_mean_of_the_network_s_and_the_trees() -> None:
    made, data = head(n_trees=40), BoughtByTheFirstFeature(passes_of=40)
    prepare(made, None, data, settings())
    alone = head()
    of_network = {weight.path.partition("/")[2]: weight for weight in made.weights if "tree" not in weight.path}
    for weight in alone.weights:
        weight.assign(of_network[weight.path.partition("/")[2]])
    batch = data.batch(100, 64)
    inputs = made.inputs(batch["candidate_features"], np.zeros(64, np.int32))
    scores = inputs[..., -1]
    slopes = [float(ops.convert_to_numpy(layer.kernel)[0, 0]) for layer in (made.tree_copy, made.tree_inclusion)]
    assert min(slopes) > 0
    biases = [0.0, float(ops.convert_to_numpy(made.tree_inclusion.bias)[0])]
    for both, network, slope, bias in zip(made(inputs), alone(inputs[..., :-1]), slopes, biases, strict=True):
        np.testing.assert_allclose(both, (network + 4.0 * slope * scores + bias) / 2, rtol=1e-4, atol=1e-4)


def test_the_network_learns_the_same_with_trees_as_without() -> None:
    made, alone = head(n_trees=5), head()
    for each in (made, alone):
        prepare(each, None, BoughtByTheFirstFeature(), settings())
    for name in ("of_candidate", "hidden", "copy", "inclusion"):
        for ours, theirs in zip(getattr(made, name).weights, getattr(alone, name).weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_trees_that_know_nothing_of_the_unseen_weigh_nothing() -> None:
    made = head(n_trees=40)
    prepare(made, None, BoughtByTheFirstFeature(), settings())  # folds too small for a leaf
    assert 0 <= float(ops.convert_to_numpy(made.tree_copy.kernel)[0, 0]) < 0.05
