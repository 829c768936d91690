"""A night's examples of next offers: held-out days stay unseen, and a model of other names reads and is read alike."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models import offer_fields
from models.days import epoch_day
from models.special_ids import FIRST_PRODUCT, UNKNOWN
from pipeline.dataset.next_offers import NextOfferExamples, Translation, measure_baselines
from pipeline.dataset.offer_lines import OfferLines
from pipeline.offer_rules import OfferRules
from pipeline.settings import TrainingSettings
from pipeline.task import Tables
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, basket, product
from tests.published_tables import publish_rows

CATEGORIES = ("tea", "milk", "bread", "fruit")


def baskets() -> list[dict[str, object]]:
    """Thirty customers; each takes its own category every few days, with something small beside it."""
    rows = []
    for customer in range(30):
        for back in range(1, 80, 4 + customer % 4):
            lines = [(f"p{customer % 4}", 1.0, 300), (f"p{(customer + back) % 4}", 1.0, 100)]
            rows.append(
                basket(customer_id=f"c{customer:02}", sold_on=BUSINESS_DATE - timedelta(days=back), products=lines)
            )
    return rows


@pytest.fixture
def tables(workspace: Workspace) -> Tables:
    publish_rows(workspace, "baskets", *baskets())
    described = [product(product_id=f"p{at}", category=name) for at, name in enumerate(CATEGORIES)]
    publish_rows(workspace, "products", *described)
    return {name: workspace.lake.path(name, workspace.lake.resolve(name)) for name in ("baskets", "products")}


def settings(**rules: object) -> TrainingSettings:
    return TrainingSettings(holdout_days=14, offers=OfferRules(**rules))  # type: ignore[arg-type]


def opened(tables: Tables, day: date = BUSINESS_DATE, **rules: object) -> NextOfferExamples:
    return NextOfferExamples.open(tables, day, settings(**rules))


def test_examples_end_before_the_held_out_days_and_the_held_out_begin_there(tables: Tables) -> None:
    examples = opened(tables)
    first = epoch_day(BUSINESS_DATE) - 14
    events = examples.events
    cases = examples.held_out_cases
    assert examples.n_held_out == len(cases) > 20
    assert (events.days[cases.rows] + cases.days >= first).all()
    shorter = [row for row in baskets() if epoch_day(row["sold_on"]) < first]  # type: ignore[arg-type]
    assert shorter
    for step in range(3):
        batch = examples.batch(step, 16)
        came = batch[offer_fields.TARGET_OFFERS] > 0
        assert came.any()


def test_the_held_out_days_change_nothing_that_is_learned(tables: Tables, workspace: Workspace, tmp_path: Path) -> None:
    whole = opened(tables)
    first = BUSINESS_DATE - timedelta(days=14)
    publish_rows(workspace, "baskets", *[row for row in baskets() if row["sold_on"] < first], version="shorter")  # type: ignore[operator]
    shorter = opened({**tables, "baskets": workspace.lake.path("baskets", "shorter")})
    assert (whole.names, whole.edges) == (shorter.names, shorter.edges)
    for name, array in whole.batch(0, 32).items():
        np.testing.assert_array_equal(array, shorter.batch(0, 32)[name], err_msg=name)


def test_own_offers_are_a_better_guess_than_everyones(tables: Tables) -> None:
    found = measure_baselines(opened(tables), 1000)
    assert found["own_then_global"]["acc@1"] > 0.9 > found["global_top"]["acc@1"]
    assert set(found["global_top"]) == {"acc@1", "acc@3", "acc@5", "mrr", "gap_acc", "joint_acc"}


def test_rules_say_what_is_offered(tables: Tables) -> None:
    assert opened(tables).names == sorted(CATEGORIES)
    assert opened(tables, level="product").names == ["p0", "p1", "p2", "p3"]
    assert opened(tables, allowed=("tea", "milk")).names == ["milk", "tea"]
    assert len(opened(tables, most=2).names) == 2
    assert opened(tables, bucket_days=(3, 9)).edges == [3.0, 9.0]
    with pytest.raises(ValueError, match=r"correct \[offers\] in the source's description"):
        opened(tables, allowed=("tae", "mlik"))
    with pytest.raises(ValueError, match="from 1 on"):
        OfferRules(bucket_days=(9, 3))


def test_a_model_of_other_names_is_read_by_name_and_never_credited_for_what_it_does_not_know() -> None:
    translation = Translation.between(["a", "b", "c"], ["c", "x", "a"])
    batch = {
        offer_fields.EVENT_OFFERS: np.array([[[3, 4, 0]]], np.int32),
        offer_fields.OFFER_FEATURE_VALUES: np.arange(6.0).reshape(1, 6, 1),
        offer_fields.MAY_BE_OFFERED: np.array([[0, 0, 0, 1, 1, 1]], np.float32),
    }
    read = translation.inputs(batch)
    assert read[offer_fields.EVENT_OFFERS].tolist() == [[[FIRST_PRODUCT + 2, UNKNOWN, 0]]]
    assert read[offer_fields.MAY_BE_OFFERED][0, FIRST_PRODUCT:].tolist() == [1, 0, 1]
    assert read[offer_fields.OFFER_FEATURE_VALUES][0, FIRST_PRODUCT:, 0].tolist() == [5, 0, 3]
    joint = np.array([0.0, 0.0, 0.0, 0.5, 0.3, 0.2])[None, :, None]
    assert translation.outputs(joint)[0, FIRST_PRODUCT:, 0].tolist() == [0.2, 0.0, 0.5]


def test_lines_of_names_that_are_not_known_are_unknown_and_make_no_event() -> None:
    lines = pd.DataFrame({"customer": [0, 0], "day": [1, 2], "name": ["a", "z"], "amount_cents": [1.0, 1.0]})
    events = OfferLines(np.array(["c"]), lines).events(["a", "b"], owned_again=True)
    assert (events.days.tolist(), events.offers.tolist()) == ([1], [FIRST_PRODUCT])
