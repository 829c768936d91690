import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.behaviour.clusters import CLUSTERINGS, EMBEDDINGS
from models.behaviour.detection import KINDS, Algorithm, BehaviourScores, score_behaviour, severity
from models.behaviour.distances import DISTANCES
from models.behaviour.funnel_baskets import FunnelBaskets
from models.behaviour.reasons import explain
from models.behaviour.tails import CLUSTER_DISTANCES

TODAY, RECENT_DAYS, BASKETS = 200, 10, 24
NAMES = [f"product {number}" for number in range(40)]


Line = tuple[int, int, int, float]


class Shop:
    """Customers who each buy from ten products of their own half of the catalogue about once a week."""

    def __init__(self, customers: int = 200, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.lines: list[Line] = []
        for customer in range(customers):
            habits = rng.permutation(20)[:10] + 20 * (customer % 2)
            day = TODAY - int(rng.integers(1, 5))
            for _ in range(BASKETS):
                for product in rng.permutation(habits)[: rng.integers(4, 7)]:
                    self.lines.append((customer, day, int(product), float(rng.integers(1, 3))))
                day -= int(rng.integers(5, 9))

    def change(self, customer: int, since: int, alter: Callable[[Line], Line | None]) -> "Shop":
        """Alter the lines of a customer from a day on; `alter` gives the new line, or None to drop it."""
        altered = [alter(line) if line[0] == customer and line[1] >= since else line for line in self.lines]
        self.lines = [line for line in altered if line is not None]
        return self

    def histories(self, shut_days: int = 0) -> FunnelBaskets:
        """As arrays; the store may have been shut for the days up to today, everything else lying before them."""
        funnel, day, product, units = (np.array(column) for column in zip(*self.lines, strict=True))
        return FunnelBaskets.of_lines(
            funnel,
            day - shut_days,
            product,
            units,
            100 * units,
            category=np.arange(40) // 5,
            recent_from=TODAY - RECENT_DAYS,
            shut_since=np.full(len(day), shut_days),
        )


def named(**parts: str) -> Algorithm:
    return Algorithm.named(
        **{
            "distance": "affinity",
            "embedding": "category_frequency",
            "clustering": "kmeans",
            "clusters": 2,
            "cluster_distance": "upper_tail",
        }
        | parts
    )


def judge(shop: Shop, **parts: str) -> BehaviourScores:
    return score_behaviour(shop.histories(), named(**parts), TODAY, RECENT_DAYS)


def other_half(line: Line) -> Line:
    customer, day, product, units = line
    return customer, day, (product + 20) % 40, units


def test_other_products_are_found_as_content() -> None:
    found = judge(Shop().change(7, TODAY - RECENT_DAYS, other_half))
    assert found.score.argmax() == 7
    assert KINDS[found.kind[7]] == "content"


def test_many_units_are_found() -> None:
    found = judge(Shop().change(7, TODAY - RECENT_DAYS, lambda line: (*line[:3], line[3] * 6)))
    assert found.score.argmax() == 7
    assert KINDS[found.kind[7]] in {"quantity", "size"}


def test_silence_is_found() -> None:
    found = judge(Shop().change(7, TODAY - 26, lambda _: None))
    assert found.score.argmax() == 7
    assert KINDS[found.kind[7]] == "silence"


def test_a_silence_that_was_news_long_ago_is_not_judged() -> None:
    found = judge(Shop().change(7, TODAY - 60, lambda _: None))
    assert not found.is_scored[7]
    assert found.score[7] == 0


def test_a_change_of_weeks_ago_is_no_news() -> None:
    new = judge(Shop().change(7, TODAY - RECENT_DAYS, other_half))
    old = judge(Shop().change(7, TODAY - 60, other_half))
    assert new.is_news[7]
    assert not old.is_news[7] or old.score[7] < 1.0


def test_a_customer_who_is_back_is_strange_but_no_news() -> None:
    def away(line: Line) -> Line | None:
        return None if TODAY - 25 <= line[1] < TODAY - RECENT_DAYS // 2 else line

    found = judge(Shop().change(7, 0, away))
    assert KINDS[found.kind[7]] == "later"
    assert found.score[7] > 2.0
    assert not found.is_news[7]


def test_a_shop_without_changes_scores_as_rarely_as_the_score_says() -> None:
    found = judge(Shop(customers=400))
    assert (10.0**-found.score <= 0.01).mean() <= 0.03


@pytest.mark.parametrize("distance", DISTANCES)
def test_every_distance_sees_other_products(distance: str) -> None:
    found = judge(Shop().change(7, TODAY - RECENT_DAYS, other_half), distance=distance)
    assert found.score[7] >= np.quantile(found.score, 0.98)
    assert (found.distance >= 0).all()


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("clustering", CLUSTERINGS)
def test_every_embedding_and_clustering_fit_together(embedding: str, clustering: str) -> None:
    found = judge(Shop(customers=110), embedding=embedding, clustering=clustering)
    assert found.cluster.min() == 0
    assert found.cluster.max() <= 1


@pytest.mark.parametrize("cluster_distance", CLUSTER_DISTANCES)
def test_every_cluster_distance_is_a_probability_that_falls_outwards(cluster_distance: str) -> None:
    usual = np.random.default_rng(0).normal(size=2000)
    tail = CLUSTER_DISTANCES[cluster_distance](np.array([-9.0, 0.0, 1.0, 3.0, 6.0, 12.0]), usual)
    assert ((tail >= 0) & (tail <= 1)).all()
    assert (np.diff(tail) < 0).sum() >= 4
    assert tail[1] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("setting", ["distance", "embedding", "clustering", "cluster_distance"])
def test_an_unknown_part_names_the_setting_and_the_known_parts(setting: str) -> None:
    with pytest.raises(ValueError, match=rf"anomalies\.{setting} 'nonsense'; known: \w+"):
        named(**{setting: "nonsense"})


def test_order_of_lines_changes_nothing() -> None:
    shop, mixed = Shop(), Shop()
    mixed.lines = [mixed.lines[index] for index in np.random.default_rng(3).permutation(len(mixed.lines))]
    one, other = judge(shop), judge(mixed)
    assert one.score == pytest.approx(other.score)
    assert (one.cluster == other.cluster).all()


def test_a_basket_of_the_history_is_left_out_of_its_own_expectation() -> None:
    lines = [(0, day, product, 1.0) for day, product in ((1, 0), (2, 0), (3, 1), (200, 2))]
    funnel, day, product, units = (np.array(column) for column in zip(*lines, strict=True))
    histories = FunnelBaskets.of_lines(
        funnel, day, product, units, 100 * units, category=np.zeros(3, int), recent_from=100
    )
    assert histories.expected.toarray() == pytest.approx(
        np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [1, 0, 0], [2 / 3, 1 / 3, 0]])
    )


def test_what_a_model_predicted_beforehand_makes_a_basket_less_strange() -> None:
    histories = Shop().change(7, TODAY - RECENT_DAYS, other_half).histories()
    predicted = histories.bought.copy()
    predicted.data = predicted.data * np.repeat(histories.recent & (histories.funnel == 7), np.diff(predicted.indptr))
    predicted.eliminate_zeros()
    alone = score_behaviour(histories, named(), TODAY, RECENT_DAYS)
    informed = score_behaviour(histories, named(), TODAY, RECENT_DAYS, predicted)
    assert informed.distance[7] < alone.distance[7]
    assert informed.score[7] < alone.score[7]


def test_one_product_is_one_product() -> None:
    days: set[int] = set()

    def one_other(line: Line) -> Line | None:
        if line[1] in days:
            return None
        days.add(line[1])
        return other_half(line)

    shop = Shop().change(7, TODAY - RECENT_DAYS, one_other)
    assert explain(shop.histories(), judge(shop), TODAY, NAMES, "customer")[7].startswith("1 product, 1 never bought")


def test_the_reason_names_products_or_days() -> None:
    shop = Shop().change(7, TODAY - RECENT_DAYS, other_half).change(8, TODAY - 26, lambda _: None)
    scores = judge(shop)
    reasons = explain(shop.histories(), scores, TODAY, NAMES, "customer")
    assert "never bought before (product " in reasons[7]
    assert "none of the" in reasons[7]
    assert re.search(r"\d+ days overdue: a basket every [67](\.5)? days, last on \w{3} \d+ \w{3}", reasons[8])


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_every_kind_has_a_reason_for_every_funnel(kind: int) -> None:
    shop = Shop(customers=60)
    scores = judge(shop)
    told = explain(shop.histories(), replace(scores, kind=np.full(60, kind)), TODAY, NAMES, "store")
    assert all(told)
    assert not any("nan" in text for text in told)


def test_each_part_has_a_score_of_its_own() -> None:
    parts = judge(Shop().change(7, TODAY - RECENT_DAYS, other_half)).part_scores()
    assert list(parts) == ["content", "size", "quantity", "timing"]
    assert parts["content"].argmax() == 7
    assert all(parts[part][7] < 2.0 for part in ("size", "quantity", "timing"))


def test_severity_grows_with_score_and_value() -> None:
    assert severity(np.array([1.0, 3.5, 5.0, 5.0]), np.array([1.0, 1.0, 1.0, 9.0])) == [
        "low",
        "medium",
        "high",
        "critical",
    ]


@pytest.mark.parametrize("shut_days", [1, 6, 12, 40])
def test_a_store_that_is_shut_makes_nobody_overdue(shut_days: int) -> None:
    shop = Shop()
    usual = score_behaviour(shop.histories(), named(), TODAY, RECENT_DAYS)
    shut = score_behaviour(shop.histories(shut_days), named(), TODAY, RECENT_DAYS)
    assert np.array_equal(shut.probability, usual.probability)
    assert np.array_equal(shut.is_news, usual.is_news)


def test_days_shut_between_two_baskets_are_no_gap() -> None:
    days, shut = np.array([0, 7, 21]), np.array([10, 10, 0])
    history = FunnelBaskets.of_lines(
        np.zeros(3, int), days, np.zeros(3, int), np.ones(3), np.ones(3), category=np.zeros(1, int), recent_from=None,
        shut_since=shut,
    )  # fmt: skip
    assert history.gap_days[1:].tolist() == [7.0, 4.0]
