"""A source's own sequences as a benchmark."""

from datetime import date
from pathlib import Path

import pytest

from models.basket_sequences import BasketSequences
from pipeline.benchmarks.data.lake_sequences import LakeSequences
from pipeline.lake.lake import LakeError
from pipeline.tables.sequences import FUNNEL_KINDS
from pipeline.workspace import Workspace
from tests.factories import sequence, vocabulary_entry
from tests.models.baskets import as_lists
from tests.published_tables import publish_rows

DAYS = [date(2026, 2, day) for day in (1, 8, 15)]


def test_customers_with_two_baskets_of_known_products_take_part(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    rows = [
        sequence(funnel_id="c1", sold_on=DAYS, products=[[3, 1], [1], [4, 3]]),
        sequence(funnel_id="c2", sold_on=DAYS[:2], products=[[1], [4]]),
        sequence(funnel_id="s1", funnel_kind=FUNNEL_KINDS[1], sold_on=DAYS, products=[[3], [3], [3]]),
        sequence(funnel_id="c3", sold_on=DAYS[:2], products=[[4], [4]]),
    ]
    publish_rows(workspace, "sequences", *rows)
    publish_rows(workspace, "vocabulary", vocabulary_entry(product_id="p2"), vocabulary_entry(product_index=4))
    dataset = LakeSequences("shop", workspace.lake)
    assert dataset.product_names.tolist() == ["", "", "", "p1", "p2"]
    fold = dataset.fold(0)
    whole = BasketSequences.joined([fold.train, fold.validation, fold.histories])
    shown = dict(zip(dataset.customer_names[whole.customers], as_lists(whole), strict=True))
    shown[dataset.customer_names[fold.truth.customers[0]]] += as_lists(fold.truth)[0]
    assert shown == {"c1": [[4], [3, 4]], "c3": [[3], [3]]}


def test_a_lake_without_sequences_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no published version"):
        LakeSequences("shop", Workspace(tmp_path).lake)
