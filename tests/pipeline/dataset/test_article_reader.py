"""Articles as arrays: as the training made them, whatever else a later night's table holds."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from models.item_fields import HAS_IMAGE, IDS, IMAGES, NUMBERS, TAGS
from pipeline.dataset.article_reader import ArticleReader, DescribedArticles
from pipeline.dataset.article_vectors import Centre, articles_at, tag_vectors
from pipeline.dataset.item_examples import ItemExamples
from pipeline.dataset.purchases import Articles, Purchases

READER = ArticleReader(("red", "wool"), (2.0, 0.5), (1.0, 0.5), ("a1",), (2, 2, 3))


def table(*rows: dict[str, object]) -> pa.Table:
    nothing = {"tags": [], "numbers": [0.5], "price_cents": None, "pixels": None, "vector": None}
    schema = pa.schema(
        [
            ("product_id", pa.string()),
            ("tags", pa.list_(pa.string())),
            ("numbers", pa.list_(pa.float64())),
            ("price_cents", pa.float64()),
            ("pixels", pa.binary()),
            ("vector", pa.list_(pa.float32())),
        ]
    )
    return pa.Table.from_pylist([nothing | row for row in rows], schema)


def test_unknown_tags_articles_and_missing_numbers_say_nothing() -> None:
    read = READER.arrays(
        DescribedArticles.of_rows(
            table(
                {"product_id": "a1", "tags": ["red", "new tag", "wool"], "price_cents": np.exp(3.0)},
                {"product_id": "a2", "numbers": [float("nan")], "pixels": bytes([255] * 12)},
            )
        )
    )
    assert read[TAGS].tolist() == [[1, 2], [0, 0]]
    np.testing.assert_allclose(read[NUMBERS], [[1.0, 0.0], [0.0, 0.0]], atol=1e-6)
    assert read[IDS].tolist() == [1, 0]
    assert read[HAS_IMAGE].tolist() == [0.0, 1.0]
    assert read[IMAGES][1].min() == 1.0
    assert READER.inputs_of(DescribedArticles.of_rows(table({"product_id": "a1", "tags": ["red"]}))) == [
        ["tags", "numbers", "purchases"]
    ]


def test_other_numbers_or_pictures_than_the_model_knows_are_no_fault() -> None:
    articles = DescribedArticles.of_rows(
        table({"product_id": "a1", "numbers": [0.5, 1.0, 2.0], "pixels": bytes(3 * 16)})
    )
    read = READER.arrays(articles)
    assert read[NUMBERS].shape == (1, 2)
    assert read[IMAGES].shape == (1, 2, 2, 3)
    assert not read[HAS_IMAGE].any()


@given(st.permutations(range(12)))
def test_the_reader_makes_the_arrays_that_were_trained_on_in_any_order(order: list[int]) -> None:
    random = np.random.default_rng(0)
    tags = [sorted({f"t{each}" for each in random.integers(0, 4, 3)}) for _ in range(12)]
    names = np.array([f"a{row:02d}" for row in range(12)], object)
    described = DescribedArticles.of_rows(
        table(
            *(
                {"product_id": name, "tags": of, "numbers": [float(row)], "price_cents": 100.0 + row}
                for row, (name, of) in enumerate(zip(names, tags, strict=True))
            )
        )
    )
    articles = Articles.of_tags(names, tags, described.numbers, 2)
    customers, items = random.integers(0, 6, 60), random.integers(0, 12, 60)
    examples = ItemExamples(articles, Purchases.sort(customers, items, random.random(60), 6, 12))
    rows = np.array(order)
    made, trained = examples.reader.arrays(articles_at(described, rows)), examples.inputs(rows)
    for name in (TAGS, NUMBERS, IDS):
        width = min(np.shape(made[name])[-1], np.shape(trained[name])[-1])
        np.testing.assert_allclose(made[name][..., :width], trained[name][..., :width], atol=1e-5)
    assert ArticleReader.of_config(examples.reader.to_config()) == examples.reader


def test_vectors_by_tags_alone_are_alike_where_tags_are() -> None:
    tags = (["red", "wool"], ["wool", "red"], ["red", "silk"], ["blue", "linen"], [])
    rows = [{"product_id": f"a{row}", "tags": of} for row, of in enumerate(tags)]
    vectors = tag_vectors(DescribedArticles.of_rows(table(*rows)))
    likeness = vectors @ vectors[0]
    np.testing.assert_allclose(likeness[:2], 1.0, atol=1e-5)
    assert likeness[2] > 0.3 > abs(likeness[3])
    assert not vectors[4].any()


def test_the_centre_leaves_mean_zero_and_scale_one() -> None:
    vectors = np.random.default_rng(0).normal(3.0, 5.0, (50, 4))
    centred = Centre(vectors)(vectors)
    np.testing.assert_allclose(centred.mean(axis=0), 0.0, atol=1e-5)
    assert np.isclose(np.mean(centred**2), 1.0, atol=1e-5)
