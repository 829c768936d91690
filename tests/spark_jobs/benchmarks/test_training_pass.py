"""What a pass over training examples costs: every batch of a pass over a night's tables is made, once."""

import json

import pytest

from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.task import KerasTask
from pipeline.tasks.catalog import task_and_settings
from pipeline.workspace import Workspace
from spark_jobs.benchmarks import training_pass
from tests.factories import BUSINESS_DATE, product
from tests.pipeline.dataset.order_lines import publish_order_lines, shop_rows
from tests.published_tables import publish_rows


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Order lines of a small shop, and its products."""
    publish_order_lines(workspace, shop_rows(60, 140))
    publish_rows(workspace, "products", *[product(product_id=f"p{at}", name=f"Glass {at}") for at in range(8)])
    return workspace


def test_a_pass_is_as_many_batches_as_hold_all_examples(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LARDER_TRAINING__BATCH_SIZE", "16")
    training_pass.main(["returns", "shop", "--business-date", BUSINESS_DATE.isoformat()])
    found = json.loads(capsys.readouterr().out)
    task, settings = task_and_settings("returns", Settings(), load_source("shop"))
    assert isinstance(task, KerasTask)
    tables = {name: shop.lake.path(name, shop.lake.resolve(name)) for name in task.reads}
    examples = task.examples(tables, BUSINESS_DATE, settings.training)
    assert found["batches"] == examples.steps_per_epoch(16) > 10
    assert (found["task"], found["source"]) == ("returns", "shop")
    assert min(found["examples_cpu"], found["batches_cpu"]) >= 0
    assert found["peak_mb"] > 50


def test_it_needs_the_tables_of_a_night(workspace: Workspace) -> None:
    with pytest.raises(LakeError, match="order_lines has no published version"):
        training_pass.main(["returns", "shop", "--business-date", BUSINESS_DATE.isoformat()])
