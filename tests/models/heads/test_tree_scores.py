"""Boosted trees as tensors: the same scores as LightGBM's own, by the forest of each customer's fold."""

from collections.abc import Sequence

import lightgbm as lgb
import numpy as np
import pytest
from keras import ops

from models.complete_trees import CompleteTrees
from models.folds import N_FOLDS
from models.heads.tree_scores import TreeScores

N_COLUMNS = 5


def booster(seed: int, levels: int, n_trees: int = 7, leaves: int = 31, rows: int = 400) -> lgb.Booster:
    random = np.random.default_rng(seed)
    features = features_of(random, rows)
    labels = features[:, 0] * features[:, 1] + features[:, 2] + random.normal(size=rows)
    parameters = {
        "objective": "regression",
        "num_leaves": leaves,
        "max_depth": levels,
        "min_data_in_leaf": 5,
        "num_threads": 1,
        "verbosity": -1,
    }
    return lgb.train(parameters, lgb.Dataset(features, labels), n_trees)


def features_of(random: np.random.Generator, rows: int) -> np.ndarray:
    """Numbers with many ties, zeros among them, as candidates have."""
    features = random.normal(size=(rows, N_COLUMNS)).astype(np.float32)
    features[:, 3] = np.round(features[:, 3])
    features[random.random(features.shape) < 0.2] = 0
    return features


def layer(forests: Sequence[CompleteTrees], n_trees: int, levels: int) -> TreeScores:
    made = TreeScores(n_trees, levels)
    made.build()
    made.assign(forests)
    return made


def scored(made: TreeScores, features: np.ndarray, folds: np.ndarray) -> np.ndarray:
    scores: np.ndarray = ops.convert_to_numpy(made(features, folds))
    return scores


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("levels", [1, 2, 4, 6])
def test_scores_are_lightgbms_to_the_last_digit_of_a_sum(seed: int, levels: int) -> None:
    grown = booster(seed, levels)
    random = np.random.default_rng(seed + 50)
    features = features_of(random, 600)
    # Every threshold itself and the numbers on either side of it, which must fall on the side that LightGBM says.
    thresholds = grown.trees_to_dataframe()["threshold"].dropna().to_numpy(np.float32)
    beside = [np.nextafter(thresholds, np.float32(to)) for to in (-np.inf, np.inf)]
    values = np.concatenate([thresholds, *beside])
    values[np.abs(values) < 1e-30] = 0  # LightGBM reads what is smaller than 1e-35 as zero
    features[np.arange(len(values)) % 600, random.integers(0, N_COLUMNS, len(values))] = values
    made = layer([CompleteTrees.of(grown, 9, levels)] * (1 + N_FOLDS), 9, levels)
    for shape in ((6, 100), (600, 1), (1, 600)):
        found = scored(made, features.reshape(*shape, N_COLUMNS), np.zeros(shape[0], np.int32))
        np.testing.assert_allclose(found.ravel(), grown.predict(features, raw_score=True), rtol=1e-5, atol=1e-6)


def test_each_customer_is_scored_by_the_forest_of_its_fold() -> None:
    grown = [booster(seed, 3, leaves=4) for seed in range(1 + N_FOLDS)]
    made = layer([CompleteTrees.of(each, 7, 3) for each in grown], 7, 3)
    features = features_of(np.random.default_rng(9), 40).reshape(8, 5, N_COLUMNS)
    folds = np.array([0, 1, 2, 3, 3, 0, 2, 1], np.int32)
    found = scored(made, features, folds)
    for customer, fold in enumerate(folds):
        np.testing.assert_allclose(found[customer], grown[fold].predict(features[customer]), rtol=1e-5, atol=1e-6)


def test_fewer_trees_and_trees_of_a_single_leaf_add_nothing_else() -> None:
    grown = booster(1, 6, n_trees=2, rows=8)  # too few rows for any split
    made = layer([CompleteTrees.of(grown, 5, 6)] * (1 + N_FOLDS), 5, 6)
    features = features_of(np.random.default_rng(3), 12).reshape(3, 4, N_COLUMNS)
    expected = grown.predict(features.reshape(-1, N_COLUMNS)).reshape(3, 4)
    np.testing.assert_allclose(scored(made, features, np.zeros(3, np.int32)), expected, rtol=1e-5, atol=1e-6)


def test_before_any_forest_every_score_is_zero() -> None:
    made = TreeScores(4, 3)
    made.build()
    assert not scored(made, np.full((2, 3, N_COLUMNS), 1e30, np.float32), np.array([0, 2], np.int32)).any()
    assert all(np.isfinite(ops.convert_to_numpy(weight)).all() for weight in made.weights)


def test_standardised_scores_have_mean_0_and_deviation_1() -> None:
    made = layer([CompleteTrees.of(booster(4, 4), 7, 4)] * (1 + N_FOLDS), 7, 4)
    features, folds = features_of(np.random.default_rng(5), 800).reshape(8, 100, N_COLUMNS), np.zeros(8, np.int32)
    before = scored(made, features, folds)
    made.standardise(0, float(before.mean()), float(before.std()))
    np.testing.assert_allclose(scored(made, features, folds), (before - before.mean()) / before.std(), atol=1e-4)
    np.testing.assert_allclose(scored(made, features, folds + 1), before)


@pytest.mark.parametrize(
    ("n_trees", "levels", "message"), [(6, 6, "7 trees do not fit into 6"), (7, 2, "more levels than 2")]
)
def test_trees_that_do_not_fit_are_refused(n_trees: int, levels: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CompleteTrees.of(booster(0, 6), n_trees, levels)


def test_splits_by_categories_are_refused() -> None:
    random = np.random.default_rng(0)
    features, labels = random.integers(0, 9, (300, 1)), random.normal(size=300)
    data = lgb.Dataset(features, labels + (features[:, 0] % 2), categorical_feature=[0])
    grown = lgb.train({"num_leaves": 3, "min_data_per_group": 5, "cat_smooth": 1, "verbosity": -1}, data, 1)
    with pytest.raises(ValueError, match="splits by =="):
        CompleteTrees.of(grown, 1, 4)


@pytest.mark.parametrize("shape", [(1, 1), (3, 341), (4, 256), (5, 205), (7, 300), (64, 128), (8193, 1)])
def test_any_number_of_candidates_is_scored(shape: tuple[int, int]) -> None:
    grown = booster(2, 3, n_trees=2)
    made = layer([CompleteTrees.of(grown, 2, 3)] * (1 + N_FOLDS), 2, 3)
    features = features_of(np.random.default_rng(1), shape[0] * shape[1])
    found = scored(made, features.reshape(*shape, N_COLUMNS), np.zeros(shape[0], np.int32))
    assert found.shape == shape
    np.testing.assert_allclose(found.ravel(), grown.predict(features, raw_score=True), rtol=1e-5, atol=1e-6)
