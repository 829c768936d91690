"""Styles before the first champion: likeness to what was bought, what sells, and customers without a past."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa

from models.days import epoch_day
from pipeline.dataset.item_vector_rows import ItemVectorPredictor
from pipeline.dataset.style_rows import PROFILE, ServedStyles, StylePredictor
from pipeline.dataset.style_signals import ITEM_SIGNALS
from pipeline.tables.item_vectors import ITEM_VECTORS
from pipeline.tables.styles import STYLES
from tests.pipeline.dataset.test_article_reader import table

DAY = date(2026, 3, 1)
NAMES = np.array(["blue", "gone", "red"], object)
SIGNALS = np.zeros((3, len(ITEM_SIGNALS)), np.float32)
SERVED = ServedStyles(
    business_date=DAY,
    version=PROFILE,
    fallback="no_model",
    vectors_version="tags",
    names=NAMES,
    vectors=np.array([[0.0, 2.0], [1.0, 1.0], [3.0, 0.0]], np.float32),
    signals=SIGNALS,
    store=np.array([0, 2]),
)


def customers(*of: list[tuple[int, str | None]]) -> pa.RecordBatch:
    kind = pa.list_(pa.struct([("day", pa.int32()), ("second", pa.int64()), ("product_id", pa.string())]))
    lines = [[{"day": day, "second": 86_400 * day, "product_id": item} for day, item in each] for each in of]
    names = [f"c{row}" for row in range(len(of))]
    return pa.RecordBatch.from_pydict({"customer_id": pa.array(names), "lines": pa.array(lines, kind)})


def test_likeness_to_what_was_bought_ranks_and_sales_add() -> None:
    before = epoch_day(DAY) - 3
    [rows] = StylePredictor(SERVED)(
        customers([(before, "red"), (before - 2, "red")], [(before, "blue")], [(before, None)])
    )
    assert rows.schema.names == STYLES.column_names
    found = rows.to_pylist()
    assert [(row["is_cold"], row["orders"]) for row in found] == [(False, 2), (False, 1), (True, 0)]
    assert found[0]["last_sold_on"] == date(2026, 2, 26)
    assert found[2]["last_sold_on"] is None
    intents = np.array([row["factors"] for row in found]) @ SERVED.article_factors().T
    np.testing.assert_allclose(intents, [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], atol=1e-6)
    sold = SIGNALS.copy()
    sold[0, ITEM_SIGNALS.index("sold_7")] = 2.0
    more = replace(SERVED, signals=sold).article_factors() - SERVED.article_factors()
    assert more[0, -1] > 0 == more[1, -1]


def test_the_order_of_rows_changes_no_style() -> None:
    of = ([(20_000, "red")], [(20_100, "blue"), (20_200, "red")], [(20_300, "gone")])
    [there], [back] = StylePredictor(SERVED)(customers(*of)), StylePredictor(SERVED)(customers(*reversed(of)))
    assert [row["factors"] for row in there.to_pylist()] == [row["factors"] for row in back.to_pylist()][::-1]


def test_vectors_by_tags_alone_say_so() -> None:
    [rows] = ItemVectorPredictor(DAY, "tags")(
        table({"product_id": "a", "tags": ["red"]}, {"product_id": "b"}).to_batches()[0]
    )
    assert rows.schema.names == ITEM_VECTORS.column_names
    assert [row["inputs"] for row in rows.to_pylist()] == [["tags"], []]
    assert {row["fallback"] for row in rows.to_pylist()} == {"no_model"}
