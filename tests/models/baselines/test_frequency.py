"""Frequency baselines and the fallback forecast."""

import numpy as np
import pytest

from models.baselines.frequency import GlobalTop, PersonalThenGlobal, PersonalTop
from models.baselines.frequency_forecast import FrequencyForecast
from models.baselines.next_basket import FromHistories, Ranking
from models.basket_sequences import BasketSequences
from models.special_ids import FIRST_PRODUCT
from tests.models.baskets import sequences
from tests.models.batches import N_PRODUCTS, padded, random_batch

COUNTS = np.r_[0, 0, 100, np.arange(N_PRODUCTS - FIRST_PRODUCT, 0, -1)]
K = 8


def one_funnel(baskets: list[list[int]], units: float = 1.0, gap_days: float = 7.0) -> dict[str, np.ndarray]:
    """A batch of one funnel."""
    width = max(len(basket) for basket in baskets)
    product_ids = np.array([basket + [0] * (width - len(basket)) for basket in baskets], np.int32)
    features = np.zeros((len(baskets), 10), np.float32)
    features[1:, 0] = np.log1p(gap_days)
    return {
        "product_ids": product_ids,
        "quantities": units * (product_ids > 0).astype(np.float32),
        "basket_features": features,
        "basket_rows": np.arange(1, len(baskets) + 1, dtype=np.int32)[None],
        "customer_ids": np.zeros(1, np.int32),
        "elapsed_days": np.zeros(1, np.float32),
    }


def rank(baseline: GlobalTop | PersonalTop | PersonalThenGlobal, batch: dict[str, np.ndarray], k: int) -> Ranking:
    """What a baseline ranks for the pasts of a batch."""
    return baseline.rank(BasketSequences.of_batch(batch, N_PRODUCTS), k)


@pytest.fixture
def forecast() -> FrequencyForecast:
    """Everyone buys two units of anything, every ten days."""
    return FrequencyForecast(COUNTS, np.full(N_PRODUCTS, 2.0), median_gap_days=10.0)


@pytest.mark.parametrize("baseline", [GlobalTop(COUNTS), PersonalTop(), PersonalThenGlobal(COUNTS)])
def test_rankings_are_sorted_and_name_no_product_twice(baseline: GlobalTop | PersonalTop | PersonalThenGlobal) -> None:
    ranking = rank(baseline, random_batch(), K)
    products, probabilities = ranking.products, ranking.scores
    assert products.shape == probabilities.shape == (4, K)
    assert np.all((probabilities >= 0) & (probabilities <= 1))
    for row in products:
        known = row[row > 0]
        assert len(set(known)) == len(known)
        assert np.all(known >= FIRST_PRODUCT)


@pytest.mark.parametrize("baseline", [GlobalTop(COUNTS), PersonalTop(), PersonalThenGlobal(COUNTS)])
def test_padding_changes_no_ranking(baseline: GlobalTop | PersonalTop | PersonalThenGlobal) -> None:
    batch = random_batch()
    ours, theirs = rank(baseline, batch, K), rank(baseline, padded(batch), K)
    np.testing.assert_array_equal(ours.products, theirs.products)
    np.testing.assert_array_equal(ours.scores, theirs.scores)


def test_the_global_list_is_by_count() -> None:
    assert rank(GlobalTop(COUNTS), random_batch(), 3).products[0].tolist() == [3, 4, 5]


def test_own_products_go_by_count_then_by_recency() -> None:
    batch = one_funnel([[9, 7], [8, 9], [5]])
    assert rank(PersonalTop(), batch, 5).products[0].tolist() == [9, 5, 8, 7, 0]


def test_own_products_of_the_same_basket_go_by_everyones_count() -> None:
    everyone = sequences([[7, 8], [8]], [[6]])
    model = PersonalTop()
    model.fit(everyone, sequences(), sequences())
    assert model.rank(sequences([[6, 7, 8]]), 3).products.tolist() == [[8, 6, 7]]


def test_the_global_list_fills_up_own_products() -> None:
    batch = one_funnel([[9], [9, 4]])
    assert rank(PersonalThenGlobal(COUNTS), batch, 5).products[0].tolist() == [9, 4, 3, 5, 6]


def test_the_forecast_has_the_funnels_mean_size_and_own_quantities(forecast: FrequencyForecast) -> None:
    answer = forecast.decode(one_funnel([[9], [9, 8, 7]], units=5.0), max_products=10)
    assert (answer["products"][0] > 0).sum() == 2
    assert answer["products"][0, 0] == 9
    assert answer["quantities"][0, :2].tolist() == [5.0, 5.0]


def test_the_forecast_uses_everyones_gap_only_without_an_own_one(forecast: FrequencyForecast) -> None:
    assert forecast.decode(one_funnel([[9]]), 5)["gap_days"][0] == 10.0
    assert forecast.decode(one_funnel([[9], [8]], gap_days=21.0), 5)["gap_days"][0] == pytest.approx(21.0)


@pytest.mark.parametrize("elapsed", [0.0, 3.0, 40.0, 3000.0])
def test_the_next_basket_is_never_due_in_the_past(forecast: FrequencyForecast, elapsed: float) -> None:
    batch = one_funnel([[9], [8]]) | {"elapsed_days": np.array([elapsed], np.float32)}
    answer = forecast.decode(batch, 5)
    assert np.isfinite(answer["due_days"][0])
    assert answer["due_days"][0] >= max(elapsed, 0.0)


def test_an_only_unknown_history_gets_the_global_list(forecast: FrequencyForecast) -> None:
    answer = forecast.decode(one_funnel([[1, 1]]), 5)
    assert answer["products"][0, :2].tolist() == [3, 4]
    assert answer["quantities"][0, :2].tolist() == [2.0, 2.0]


def test_what_is_learned_from_histories_holds_no_last_basket() -> None:
    train, nobody = sequences([[9], [4]], [[9], [4]], [[4], [4]]), sequences()
    shown, hidden = GlobalTop(), FromHistories(GlobalTop())
    for model in (shown, hidden):
        model.fit(train, nobody, nobody)
    history = sequences([[3]])
    assert shown.rank(history, 1).products.tolist() == [[4]]
    assert hidden.rank(history, 1).products.tolist() == [[9]]
    assert hidden.settings() == {"learns_from": "histories"}
