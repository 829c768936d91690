"""What is kept of a return model: network, trees, or the mean of both, as lines say that neither learned from."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.baselines.return_rates import BoostedReturns, LogisticReturns, ReturnTrees
from models.line_returns import LineReturns
from models.saved_files import load_return_model
from pipeline.dataset.return_features import RATES
from pipeline.dataset.return_models import ReturnScorer, predicted_log_odds
from pipeline.dataset.returns import ReturnExamples
from pipeline.settings import TrainingSettings
from pipeline.tasks.catalog import RETURNS
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, product
from tests.pipeline.dataset.order_lines import publish_order_lines, shop_rows
from tests.published_tables import publish_rows

SETTINGS = TrainingSettings(holdout_days=14, return_days=10)


@pytest.fixture
def examples(workspace: Workspace) -> ReturnExamples:
    publish_order_lines(workspace, shop_rows())
    publish_rows(workspace, "products", *[product(product_id=f"p{at}", name=f"thing {at}") for at in range(8)])
    tables = {name: workspace.lake.path(name, workspace.lake.resolve(name)) for name in ("order_lines", "products")}
    return ReturnExamples.open(tables, BUSINESS_DATE, SETTINGS)


def saved(examples: ReturnExamples, file: Path, *, network: bool, trees: bool) -> LineReturns:
    """A model of which network and trees learned the lines, or the opposite of what came back."""
    numbers, returned = examples.data.learned
    grown = BoostedReturns.fit(numbers, returned if trees else ~returned, ReturnTrees(), RATES).text
    model = RETURNS.build(examples, SETTINGS, None)
    config = model.get_config() | {"trees": grown}
    found = LineReturns.from_config(config)
    found.warm_start_from(model)
    weights, intercept = LogisticReturns(numbers, returned if network else ~returned).weights
    found.start_linear(weights, intercept)
    found.save(file)
    return found


@pytest.mark.parametrize(("network", "trees", "part"), [(True, False, 1.0), (False, True, 0.0)])
def test_what_learned_nonsense_is_left_out(
    examples: ReturnExamples, tmp_path: Path, network: bool, trees: bool, part: float
) -> None:
    file = tmp_path / "model.keras"
    saved(examples, file, network=network, trees=trees)
    RETURNS.finish(file, examples, SETTINGS)
    kept = load_return_model(file)
    assert kept.network_part == part
    rows = examples.held_out_rows
    alone = ReturnScorer(kept).both(examples.pasts.batch(rows))[0 if network else 1]
    np.testing.assert_allclose(predicted_log_odds(kept, examples.pasts, rows), alone, rtol=1e-5, atol=1e-5)


def test_the_kept_one_loses_least_on_the_validation_lines_and_again_the_same(
    examples: ReturnExamples, tmp_path: Path
) -> None:
    file = tmp_path / "model.keras"
    saved(examples, file, network=True, trees=True)
    RETURNS.finish(file, examples, SETTINGS)
    kept = load_return_model(file)
    rows = examples.data.validation_rows
    losses = {}
    for part in (0.0, 0.5, 1.0):
        kept_part, kept.network_part = kept.network_part, part
        log_odds = predicted_log_odds(kept, examples.pasts, rows)
        kept.network_part = kept_part
        losses[part] = np.mean(np.logaddexp(0.0, log_odds) - examples.returned[rows] * log_odds)
    assert losses[kept.network_part] == min(losses.values())
    RETURNS.finish(file, examples, SETTINGS)
    assert load_return_model(file).network_part == kept.network_part


def test_a_file_that_does_not_say_holds_the_mean(examples: ReturnExamples, tmp_path: Path) -> None:
    model = saved(examples, tmp_path / "model.keras", network=True, trees=True)
    config = model.get_config()
    del config["network_part"]
    assert LineReturns.from_config(json.loads(json.dumps(config))).network_part == 0.5
