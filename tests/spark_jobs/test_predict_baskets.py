"""Who is predicted, by whom, and what a prediction looks like."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import Row, SparkSession

from models.basket_sequences import BasketSequences
from models.keys import keys_of
from pipeline.dataset.batch import Cut
from pipeline.dataset.prediction_rows import NextBasketPredictor, SentModel
from pipeline.settings import PredictionSettings
from pipeline.tables.predictions import PREDICTIONS
from pipeline.tasks.catalog import NEXT_BASKET
from spark_jobs.predict_baskets import active_funnels, measure_frequencies, short_histories
from spark_jobs.prediction import predict
from tests.factories import BUSINESS_DATE, basket, sequence, vocabulary_entry
from tests.models.conftest import tiny
from tests.published_tables import frame

NAMES = np.array(["", "", "", "p1", "p2", "p3", "p4"], object)
CHAMPION_NAMES = np.array(["", "", "", "p3", "p2", "p1"], object)  # of an earlier night: other order, no p4
LAST = date(2026, 2, 15)

SEQUENCES = [
    sequence(funnel_id="seen", products=[[3], [4], [3, 5]]),
    sequence(funnel_id="unseen", products=[[3], [4], [4, 5]]),
    sequence(funnel_id="only-new", products=[[6], [1], [6]]),
    sequence(funnel_id="long-gone", sold_on=[date(2025, 5, 1), date(2025, 6, 1)]),
    sequence(funnel_kind="store", funnel_id="s1", products=[[3, 4, 5]] * 3),
]
BASKETS = [
    *[basket(customer_id="seen", products=[("p1", 2.0, 200)]) for _ in range(3)],
    basket(customer_id="once", sold_on=LAST, products=[("p1", 3.0, 300), ("rare", 1.0, 50)]),
    basket(customer_id="once-long-ago", sold_on=date(2025, 6, 1)),
    basket(customer_id="returned-all", sold_on=LAST, products=[], returned=[("p1", 1.0, 100)]),
    basket(customer_id="future", sold_on=BUSINESS_DATE),
]


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> SentModel:
    """An untrained model of another vocabulary that knows the customer called `seen`."""
    lens = tiny(n_products=len(CHAMPION_NAMES), n_customers=2)
    keys = keys_of(CHAMPION_NAMES)
    keys[:3] = 0
    lens.keys.assign(keys, np.r_[0, keys_of(["seen"])])
    path: Path = tmp_path_factory.mktemp("champion") / "model.keras"
    lens.save(path)
    return SentModel(
        path.read_bytes(),
        "larder-shop/1",
        CHAMPION_NAMES,
        Cut(20, 20),
        BasketSequences.of_nobody(len(CHAMPION_NAMES)),
        8,
    )


def predicted(spark: SparkSession, champion: SentModel | None, **settings: Any) -> dict[str, Row]:
    sequences, baskets = frame(spark, "sequences", SEQUENCES), frame(spark, "baskets", BASKETS)
    entries = [vocabulary_entry(product_index=index, product_id=NAMES[index]) for index in range(3, len(NAMES))]
    vocabulary = frame(spark, "vocabulary", entries)
    predictor = NextBasketPredictor(
        BUSINESS_DATE,
        PredictionSettings(**settings),
        NAMES,
        measure_frequencies(sequences, baskets, vocabulary),
        champion,
    )
    rows = active_funnels(sequences, baskets, vocabulary, BUSINESS_DATE, PredictionSettings(**settings).active_days)
    found = predict(rows, NEXT_BASKET, predictor)
    assert found.columns == PREDICTIONS.column_names
    rows = found.collect()
    assert len({(row.funnel_kind, row.funnel_id) for row in rows}) == len(rows)
    return {row.funnel_id: row for row in rows}


@pytest.fixture(scope="module")
def by_champion(spark: SparkSession, champion: SentModel) -> dict[str, Row]:
    return predicted(spark, champion, max_products=3)


@pytest.fixture(scope="module")
def by_frequency(spark: SparkSession) -> dict[str, Row]:
    return predicted(spark, None)


def test_every_active_funnel_is_predicted_once(by_champion: dict[str, Row]) -> None:
    assert set(by_champion) == {"seen", "unseen", "only-new", "s1", "once"}


def test_a_basket_may_be_written_product_by_product_instead(
    spark: SparkSession, champion: SentModel, by_champion: dict[str, Row]
) -> None:
    written = predicted(spark, champion, max_products=3, basket="written")
    assert {name: row.gap_days for name, row in written.items()} == {
        name: row.gap_days for name, row in by_champion.items()
    }
    # The champion is untrained: both baskets hold all three products that it knows, each with the same probability. A
    # basket that is written tells the units of a product after those before it.
    for name in ("seen", "unseen"):
        best, other = by_champion[name].products, written[name].products
        assert [line.product_id for line in other] == [line.product_id for line in best]
        assert [line.probability for line in other] == pytest.approx([line.probability for line in best])
        assert [line.quantity for line in other] != pytest.approx([line.quantity for line in best], rel=1e-6)


def test_the_reason_for_not_asking_the_model_is_written_down(by_champion: dict[str, Row]) -> None:
    assert {name: row.fallback for name, row in by_champion.items()} == {
        "seen": None,
        "unseen": None,
        "only-new": "only_unknown_products",
        "s1": "not_trained_on",
        "once": "one_basket",
    }


def test_the_version_names_who_predicted(by_champion: dict[str, Row]) -> None:
    assert {name: row.model_version for name, row in by_champion.items()} == {
        "seen": "larder-shop/1",
        "unseen": "larder-shop/1",
        "only-new": "frequency",
        "s1": "frequency",
        "once": "frequency",
    }


def test_before_the_first_champion_everyone_gets_frequencies(by_frequency: dict[str, Row]) -> None:
    assert set(by_frequency) == {"seen", "unseen", "only-new", "s1", "once"}
    assert {row.fallback for row in by_frequency.values()} == {"not_trained_on", "one_basket"}


@pytest.mark.parametrize("forecaster", ["by_champion", "by_frequency"])
def test_predictions_keep_the_contract(forecaster: str, request: pytest.FixtureRequest) -> None:
    for row in request.getfixturevalue(forecaster).values():
        names = [line.product_id for line in row.products]
        probabilities = [line.probability for line in row.products]
        assert 1 <= row.n_products == len(names) == len(set(names))
        assert set(names) <= {"p1", "p2", "p3", "p4"}
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0 <= probability <= 1 for probability in probabilities)
        assert all(line.quantity > 0 for line in row.products)
        assert row.next_sold_on >= row.business_date == BUSINESS_DATE
        assert row.last_sold_on < BUSINESS_DATE
        assert row.gap_days >= 0


def test_the_champion_writes_at_most_max_products(by_champion: dict[str, Row]) -> None:
    assert max(row.n_products for row in by_champion.values()) <= 3


def test_frequencies_put_own_products_first(by_frequency: dict[str, Row]) -> None:
    assert by_frequency["once"].products[0].product_id == "p1"
    assert by_frequency["once"].products[0].quantity == 3.0
    assert by_frequency["only-new"].products[0].product_id == "p4"


def test_a_short_history_reads_like_a_sequence(spark: SparkSession) -> None:
    rows = [
        basket(customer_id="once", sold_on=date(2026, 2, 9), products=[("p2", 1.0, 10), ("rare", 1.0, 50)]),
        basket(customer_id="once", sold_on=LAST, products=[("p1", 3.0, 300)], store_id="s2"),
    ]
    vocabulary = frame(spark, "vocabulary", [vocabulary_entry(), vocabulary_entry(product_index=4, product_id="p2")])
    none = frame(spark, "sequences", [])
    found = short_histories(none, frame(spark, "baskets", rows), vocabulary, BUSINESS_DATE).collect()
    like = sequence(sold_on=[date(2026, 2, 9), LAST], products=[[1, 4], [3]])
    assert len(found) == 1
    for name in ("sold_on", "gap_days", "day_of_week", "products"):
        assert found[0][name] == like[name], name
    assert found[0]["quantities"] == [[1.0, 1.0], [3.0]]
    assert found[0]["store_id"] == "s2"


def test_a_vocabulary_without_products_is_refused(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="min_product_count"):
        measure_frequencies(frame(spark, "sequences", []), frame(spark, "baskets", []), frame(spark, "vocabulary", []))
