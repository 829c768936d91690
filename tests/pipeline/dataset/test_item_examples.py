"""Examples of article vectors: sparse tags, scaled numbers, frequent customers, and articles that nobody bought yet."""

import numpy as np

from models.item_fields import BOUGHT, HAS_IMAGE, IDS, IMAGES, TAGS
from pipeline.dataset.item_examples import MIN_BUYERS, ItemExamples, padded_tags, scaled
from pipeline.dataset.purchases import Articles, Purchases

N_ITEMS, N_CUSTOMERS = 12, 20


def _articles() -> Articles:
    tags = [[f"brand={row % 3}", *(["soft"] * (row % 2))] for row in range(N_ITEMS)]
    numbers = np.arange(N_ITEMS, dtype=float)[:, None]
    return Articles.of_tags(np.array([f"i{row}" for row in range(N_ITEMS)], object), tags, numbers)


def _purchases() -> Purchases:
    """Article 10 was bought by one customer only, article 11 by nobody; customer 19 buys most, customer 0 once."""
    lines = [(c, (c + k) % 10, float(k)) for c in range(N_CUSTOMERS) for k in range(1 + c // 2)] + [(3, 10, 5.0)]
    customers, items, times = np.array(lines).T
    return Purchases.sort(customers.astype(int), items.astype(int), times, N_CUSTOMERS, N_ITEMS)


def test_an_epoch_shows_every_sold_article_once_with_who_bought_it() -> None:
    purchases = _purchases()
    examples = ItemExamples(_articles(), purchases, most_customers=5)
    batches = [examples.batch(step, 4) for step in range(examples.steps_per_epoch(4))]
    assert sum(len(batch[TAGS]) for batch in batches) == 11, "nobody bought one of the twelve"
    pairs = set(zip(purchases.customers.tolist(), purchases.items.tolist(), strict=True))
    expected = sum((customer, item) in pairs for customer in examples.customers for item in range(N_ITEMS))
    assert sum(batch[BOUGHT].sum() for batch in batches) == expected
    halves = [examples.batch(0, 4, worker, 2) for worker in range(2)]
    assert sum(len(half[TAGS]) for half in halves) == 4


def test_frequent_customers_are_those_who_bought_most_and_those_asked_for() -> None:
    examples = ItemExamples(_articles(), _purchases(), most_customers=2, also=np.array([0]))
    assert examples.customers.tolist() == [0, 18, 19]


def test_what_few_bought_is_known_by_its_content_alone() -> None:
    examples = ItemExamples(_articles(), _purchases())
    known = examples.inputs(np.arange(N_ITEMS))
    assert known[IDS][10:].tolist() == [0, 0], f"fewer than {MIN_BUYERS} buyers"
    assert sorted(known[IDS][:10]) == list(range(1, 11))
    assert known[IMAGES].shape == (N_ITEMS, 0)
    assert not known[HAS_IMAGE].any()


def test_tags_are_indices_with_padding_and_numbers_have_mean_0_and_missing_ones_are_0() -> None:
    articles = _articles()
    tags = padded_tags(articles)
    assert tags.shape == (N_ITEMS, 2)
    for row in range(N_ITEMS):
        named = {articles.tag_names[tag - 1] for tag in tags[row] if tag}
        assert named == {f"brand={row % 3}", *(["soft"] * (row % 2))}
    numbers = np.array([[1.0], [3.0], [np.nan], [1e9]])
    found = scaled(numbers, np.array([0, 1, 2]))
    np.testing.assert_allclose(found.ravel(), [-1.0, 1.0, 0.0, 5.0])


def test_a_tag_of_few_articles_is_left_out() -> None:
    names = np.array(["a", "b", "c"], object)
    articles = Articles.of_tags(names, [["x", "y"], ["x"], []], np.zeros((3, 1)), min_articles=2)
    assert articles.tag_names == ["x"]
    assert padded_tags(articles).ravel().tolist() == [1, 1, 0]
