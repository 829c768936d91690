"""Figures of rankings: the same in blocks as at once, and of the first customers alone where there is a limit."""

import numpy as np
import pytest

from pipeline.dataset.purchases import Articles, Purchases
from pipeline.evaluation import style_scorecard
from pipeline.evaluation.style_metrics import ranks, style_scores
from pipeline.evaluation.style_problem import Problem, Shop, problem_at
from pipeline.evaluation.style_scorecard import first_customers, measure_ranking, profile_scores


def problem() -> Problem:
    random = np.random.default_rng(0)
    customers, items, days = random.integers(0, 40, 600), random.integers(0, 15, 600), random.integers(0, 60, 600)
    names = np.array([f"a{row}" for row in range(15)], object)
    articles = Articles.of_tags(names, [[f"t{row % 3}"] for row in range(15)], np.zeros((15, 1)))
    return problem_at(Shop(Purchases.sort(customers, items, days.astype(float), 40, 15), articles), 45, days=10)


def test_blocks_change_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    question = problem()
    vectors = np.random.default_rng(1).normal(size=(15, 4)).astype(np.float32)
    scores = profile_scores(question, vectors)
    at_once = style_scores(question, ranks(question, scores))
    monkeypatch.setattr(style_scorecard, "_CUSTOMERS_AT_ONCE", 7)
    in_blocks = measure_ranking(question, lambda part: profile_scores(part, vectors), 1000)
    assert in_blocks.keys() == at_once.keys()
    np.testing.assert_allclose(list(in_blocks.values()), list(at_once.values()), atol=1e-6)


def test_a_limit_asks_the_first_customers() -> None:
    question = problem()
    few = first_customers(question, 5)
    assert few.customers.tolist() == question.customers[:5].tolist()
    assert few.rows.max() < 5
    assert len(few.rows) == (question.rows < 5).sum()
