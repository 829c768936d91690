"""Expected units by the model: sums of its customers alone, of the horizon alone, beside what all others bought."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from models.basket_sequences import BasketSequences
from models.demand.customer_sums import expected_baskets
from models.keys import keys_of
from models.refusal import Refusal
from models.saved_files import load_model
from pipeline.dataset.batch import Cut
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.demand_rows import CustomerDemandPredictor, demand_of
from pipeline.dataset.histories import read_histories
from pipeline.dataset.next_baskets import forecaster_of
from pipeline.dataset.prediction_rows import SentModel
from pipeline.settings import Settings
from pipeline.tables.customer_demand import CUSTOMER_DEMAND
from pipeline.task import PredictionInput, ServedModel
from spark_jobs.customer_demand import customer_demand, predictor_of, shares_of_others
from spark_jobs.predict_baskets import active_funnels
from tests.factories import BUSINESS_DATE, basket, sequence, vocabulary_entry
from tests.models.conftest import POINTING, tiny
from tests.pipeline.dataset.sequences import SCHEMA
from tests.published_tables import frame

NAMES = np.array(["", "", "", "p1", "p2", "p3"], object)
DAY = timedelta(days=1)
HORIZON = 4

SEQUENCES = [
    sequence(funnel_id="c1", products=[[3], [4], [3, 5]]),
    sequence(funnel_id="c2", products=[[5], [4], [4]]),
    sequence(funnel_id="elsewhere", store_id="s2"),
    sequence(funnel_id="only-unknown", products=[[1], [1], [1]]),
    sequence(funnel_id="long-gone", sold_on=[date(2025, 5, 1), date(2025, 6, 1)]),
    sequence(funnel_kind="store", funnel_id="s1", products=[[3, 4, 5]] * 3),
]
BASKETS = [
    *[basket(customer_id=name, sold_on=date(2026, 2, day)) for name in ("c1", "c2") for day in (1, 8, 15)],
    basket(customer_id=None, sold_on=date(2026, 2, 20), products=[("p1", 6.0, 600), ("p2", 2.0, 200)]),
    basket(customer_id="c1", sold_on=BUSINESS_DATE, products=[("p3", 100.0, 100)]),
]


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> SentModel:
    lens = tiny(POINTING, n_products=len(NAMES), n_customers=2)
    lens.keys.assign(np.r_[[0, 0, 0], keys_of(NAMES[3:])], np.r_[0, keys_of(["c1"])])
    path: Path = tmp_path_factory.mktemp("champion") / "model.keras"
    lens.save(path)
    nobody = BasketSequences.of_nobody(len(NAMES))
    return SentModel(path.read_bytes(), "larder-shop/1", NAMES, Cut(20, 20), nobody, 8)


def summed(spark: SparkSession, champion: SentModel, sequences: Sequence[dict[str, Any]]) -> list[Any]:
    entries = [vocabulary_entry(product_index=index, product_id=NAMES[index]) for index in range(3, len(NAMES))]
    frames = [frame(spark, name, rows) for name, rows in (("sequences", sequences), ("baskets", BASKETS))]
    rows = active_funnels(*frames, frame(spark, "vocabulary", entries), BUSINESS_DATE, 90)
    predictor = CustomerDemandPredictor(BUSINESS_DATE, HORIZON, 2, NAMES, champion)
    found = customer_demand(rows, predictor, frames[1], BUSINESS_DATE, Settings())
    assert found.columns == CUSTOMER_DEMAND.column_names
    return sorted(found.collect())


@pytest.fixture(scope="module")
def everyone(spark: SparkSession, champion: SentModel) -> list[Any]:
    return summed(spark, champion, SEQUENCES)


def test_products_that_the_store_sold_have_every_day_of_the_horizon_and_no_other(everyone: list[Any]) -> None:
    days = [BUSINESS_DATE + ahead * DAY for ahead in range(HORIZON)]
    expected = [("s1", product, day) for product in ("p1", "p2") for day in days]
    assert [(row.store_id, row.product_id, row.demand_on) for row in everyone] == expected
    assert all(row.units > 0 for row in everyone)


def test_a_rerun_and_another_order_are_identical(spark: SparkSession, champion: SentModel, everyone: list[Any]) -> None:
    assert summed(spark, champion, SEQUENCES[::-1]) == everyone


def test_only_customers_whom_the_model_predicts_count_and_an_erased_one_counts_no_more(
    spark: SparkSession, champion: SentModel, everyone: list[Any]
) -> None:
    alone = [[row.units for row in summed(spark, champion, [each])] for each in SEQUENCES[:2]]
    np.testing.assert_allclose([row.units for row in everyone], np.sum(alone, axis=0), rtol=1e-4)


def test_units_are_baskets_times_units_of_the_champion(
    spark: SparkSession, champion: SentModel, tmp_path: Path
) -> None:
    (tmp_path / "model.keras").write_bytes(champion.model)
    memory = CandidateSource.of_histories(champion.remembered, champion.n_candidates)
    forecaster = forecaster_of(load_model(tmp_path / "model.keras"), demand_of(HORIZON), champion.cut, memory)
    histories = read_histories(pa.Table.from_pylist(SEQUENCES[:1], schema=SCHEMA))
    ((_, found),) = forecaster.decoded(histories, np.array([0]), np.array([3]), np.array([14]), 2)
    expected = found["units"][0, 3:5, None] * expected_baskets(found["log_wait"], found["log_gap"])[0]
    rows = summed(spark, champion, SEQUENCES[:1])
    np.testing.assert_allclose([row.units for row in rows], expected.ravel(), rtol=1e-3)


def test_others_are_whoever_the_model_would_not_have_predicted(spark: SparkSession) -> None:
    rows = shares_of_others(frame(spark, "baskets", BASKETS), BUSINESS_DATE, Settings()).collect()
    share = {row.product_id: row.other_share for row in rows}
    # Of p1 six units were bought without a customer, and two on the first, two on the eighth by customers too new then.
    assert set(share) == {"p1", "p2"}
    assert 0.5 < share["p1"] < share["p2"] <= 1.0


def test_before_the_first_champion_there_is_no_row(spark: SparkSession) -> None:
    given = PredictionInput(BUSINESS_DATE, Settings(), {}, None)
    assert predictor_of(given) is None
    baskets = frame(spark, "baskets", BASKETS)
    assert customer_demand(baskets, None, baskets, BUSINESS_DATE, Settings()).count() == 0


def test_a_champion_without_a_distribution_of_days_is_refused_in_words() -> None:
    served = ServedModel("larder-shop/1", "lens1000", Path("none"), {})
    with pytest.raises(Refusal, match=r"lens1000 predicts one number of days: set training.architecture"):
        predictor_of(PredictionInput(BUSINESS_DATE, Settings(), {}, served))
