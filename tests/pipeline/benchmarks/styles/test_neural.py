"""Static and dynamic style as methods of the benchmark: trained on what is before the cutoff, the same scores again."""

from dataclasses import replace

import numpy as np
import pytest

from models.item_vector_config import ItemVectorConfig
from models.style_config import PAPER, StyleConfig
from pipeline.benchmarks.styles.neural import DynamicStyle, StaticStyle, Training, TrainingPlan
from pipeline.dataset.purchases import Articles, Purchases
from pipeline.evaluation.style_problem import Problem, Shop, problem_at

ITEMS = ItemVectorConfig(units=16, vector_units=8, tag_units=8)
PLAN = TrainingPlan(Training(6, 1e-2, 16), Training(6, 1e-2, 16), most_customers=20)
SMALL = StyleConfig(units=8, vector_units=8, negatives=4, max_steps=6)


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Forty customers and thirty articles of three kinds; article 29 is new on the day of the cutoff."""
    random = np.random.default_rng(0)
    lines = [(c, i, day) for c in range(40) for day in range(c % 9, 150, 9) for i in random.integers(0, 29, 2)]
    lines += [(c, 29, 122) for c in range(10)]
    customers, items, times = np.array(lines).T
    purchases = Purchases.sort(customers, items, times.astype(float), 40, 30)
    names = np.array([f"i{row}" for row in range(30)], object)
    articles = Articles.of_tags(names, [[f"kind {row % 3}"] for row in range(30)], np.ones((30, 1)))
    return problem_at(Shop(purchases, articles, {}), 120)


@pytest.mark.parametrize("config", [SMALL, replace(PAPER, units=8, vector_units=8, negatives=4, max_steps=6)])
def test_a_dynamic_style_ranks_everything_in_store_alike_again(problem: Problem, config: StyleConfig) -> None:
    method = DynamicStyle(config, ITEMS, PLAN, seed=3)
    scores = method.scores(problem)
    assert scores.shape == (len(problem.customers), len(problem.store))
    assert np.isfinite(scores).all()
    assert np.ptp(scores, axis=0).max() > 0, "customers differ"
    assert 29 in problem.store, "a new article is ranked, too"
    assert method.parameters > 0
    np.testing.assert_allclose(DynamicStyle(config, ITEMS, PLAN, seed=3).scores(problem), scores, rtol=1e-4, atol=1e-5)


def test_a_dynamic_style_reads_views_where_it_is_told_to(problem: Problem) -> None:
    """Customer 3 looked at article 7 on the day before the cutoff."""
    views = [(c, c % 29, 10.0 + c) for c in range(40)] + [(3, 7, 119.5)]
    viewer = int(np.flatnonzero(problem.customers == 3)[0])
    column = int(np.flatnonzero(problem.store == 7)[0])
    known, more = (
        replace(problem, views=Purchases.sort(*np.array(lines).T.astype(int)[:2], np.array(lines)[:, 2], 40, 30))
        for lines in (views[:-1], views)
    )
    method = DynamicStyle(SMALL, ITEMS, PLAN, seed=3, views=True)
    vectors = method.vectors(problem)
    without, reading = method.scores_with(known, vectors), method.scores_with(more, vectors)
    assert without[viewer, column] != reading[viewer, column]
    blind = DynamicStyle(SMALL, ITEMS, PLAN, seed=3)
    np.testing.assert_array_equal(blind.scores_with(known, vectors), blind.scores_with(problem, vectors))
    assert blind.settings() == {name: each for name, each in method.settings().items() if name != "views"}


def test_a_static_style_is_of_the_customers_asked_even_if_they_are_not_frequent(problem: Problem) -> None:
    scores = StaticStyle(ITEMS, replace(PLAN, most_customers=1), seed=0).scores(problem)
    assert scores.shape == (len(problem.customers), len(problem.store))
    assert np.isfinite(scores).all()
