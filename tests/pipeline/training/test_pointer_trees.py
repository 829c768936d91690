"""The forests of the pointer head: none has seen the customers whose training examples it scores."""

import numpy as np
import pytest

from models.complete_trees import CompleteTrees
from models.folds import N_FOLDS
from pipeline.training.pointer_trees import PointerExamples, grown_forests

N_TREES, LEVELS = 4, 3


def examples(seed: int = 0, n: int = 240) -> PointerExamples:
    """Candidates are bought where their first feature is large; a fifth are padding."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(n, 12, 5)).astype(np.float16)
    is_candidate = random.random((n, 12)) < 0.8
    is_bought = is_candidate & (features[..., 0] + random.normal(size=(n, 12)) > 1)
    return PointerExamples(features, is_candidate, is_bought, 1 + random.integers(0, N_FOLDS, n).astype(np.int32))


def positions(of: PointerExamples) -> tuple[np.ndarray, np.ndarray]:
    """Of each candidate among its customer's, counted from the first and from the last; int64 [n, C]."""
    counted = np.cumsum(of.is_candidate, axis=1)
    return counted - 1, counted[:, -1:] - counted


def equal(one: CompleteTrees, other: CompleteTrees) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("columns", "thresholds", "values"))


@pytest.mark.parametrize("fold", range(1, 1 + N_FOLDS))
def test_what_a_fold_bought_changes_every_forest_but_its_own(fold: int) -> None:
    before = examples()
    # One candidate each, the first or the last: which customers are read does not change.
    first, last = (before.is_candidate & (position == 0) for position in positions(before))
    of_fold = (before.folds == fold)[:, None]
    before = before._replace(is_bought=first)
    after = before._replace(is_bought=np.where(of_fold, last, first))
    pairs = zip(*(grown_forests(each, N_TREES, LEVELS, seed=1) for each in (before, after)), strict=True)
    assert [equal(*pair) for pair in pairs] == [number == fold for number in range(1 + N_FOLDS)]


def test_grown_again_they_are_the_same() -> None:
    pairs = zip(*(grown_forests(examples(), N_TREES, LEVELS, seed=1) for _ in range(2)), strict=True)
    assert all(equal(*pair) for pair in pairs)


def test_padding_and_customers_who_bought_no_candidate_are_not_read() -> None:
    before = examples()
    bought_none = np.arange(len(before.folds)) % 4 == 0
    before = before._replace(is_bought=before.is_bought & ~bought_none[:, None])
    unread = ~before.is_candidate | bought_none[:, None]
    after = before._replace(features=np.where(unread[..., None], np.float16(77), before.features))
    pairs = zip(*(grown_forests(each, N_TREES, LEVELS, seed=1) for each in (before, after)), strict=True)
    assert all(equal(*pair) for pair in pairs)


@pytest.mark.parametrize("folds_with_purchases", [(), (2,)])
def test_where_nothing_can_be_learned_a_forest_is_constant(folds_with_purchases: tuple[int, ...]) -> None:
    few = examples()
    bought = few.is_bought & np.isin(few.folds, folds_with_purchases)[:, None]
    forests = grown_forests(few._replace(is_bought=bought), N_TREES, LEVELS, seed=1)
    constant = [equal(forest, CompleteTrees.constant(N_TREES, LEVELS)) for forest in forests]
    # Only the forest without fold 2 has nothing to read then.
    assert constant == ([False, False, True, False] if folds_with_purchases else [True] * (1 + N_FOLDS))
