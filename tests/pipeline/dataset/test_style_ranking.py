"""Rankings of styles: the best are those of all intents, own purchases included."""

from dataclasses import asdict

import numpy as np
import pytest

from models.style import StyleModel
from models.style_config import StyleConfig
from pipeline.dataset.purchases import DatedAssortment, Purchases
from pipeline.dataset.style_examples import N_OWN, StyleExamples
from pipeline.dataset.style_ranking import StyleRanking
from pipeline.dataset.style_steps import Histories


@pytest.mark.parametrize("signals", [True, False])
def test_the_best_are_those_of_all_intents(signals: bool) -> None:
    random = np.random.default_rng(0)
    lines = [random.integers(0, n, 200) for n in (8, 20, 100)]
    purchases = Purchases.sort(lines[0], lines[1], lines[2].astype(float), 9, 20)
    config = StyleConfig(units=8, vector_units=5, negatives=2, max_steps=6, signals=signals)
    histories = Histories(purchases, random.normal(size=(20, 5)).astype(np.float32), config, seasons=False)
    always = DatedAssortment(np.full(20, np.nan), np.full(20, np.nan))
    examples = StyleExamples(histories, always, 100.0, np.ones((20, 1), np.float32))
    ranking = StyleRanking(StyleModel(asdict(config), examples.signals.width, N_OWN), histories, examples.signals)
    customers, store = np.arange(9), np.arange(1, 20, 2)
    intents = ranking.intents(customers, store, 100.0)
    found, scores = ranking.best(customers, store, 100.0, 4)
    np.testing.assert_allclose(scores, -np.sort(-intents, axis=1)[:, :4], rtol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(intents, found, axis=1), scores, rtol=1e-5)
