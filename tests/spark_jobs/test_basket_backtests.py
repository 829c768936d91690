"""Baskets of past mornings are those that were published, or read nothing of their morning or later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import Row, SparkSession

from models.keys import keys_of
from pipeline.dataset.prediction_rows import next_basket_predictor
from pipeline.settings import Settings
from pipeline.tables.basket_backtests import BASKET_BACKTESTS
from pipeline.task import PredictionInput, ServedModel
from spark_jobs.basket_backtests import backtest_baskets, details
from tests.factories import BUSINESS_DATE, prediction, sequence
from tests.models.conftest import POINTING, tiny
from tests.pipeline.dataset.sequences import N_KNOWN, random_sequences, write_sequences
from tests.published_tables import frame

NAMES = [f"p{place}" for place in range(N_KNOWN)]
MORNING = BUSINESS_DATE - timedelta(days=14)
SETTINGS = Settings()


def days_ago(*days: int) -> list[date]:
    return [BUSINESS_DATE - timedelta(days=each) for each in days]


@dataclass(frozen=True)
class Night:
    """A shop's histories and an untrained champion, as the job has them."""

    spark: SparkSession
    folder: Path
    model: ServedModel | None

    def backtest(
        self, rows: Sequence[dict[str, Any]], replayed: Sequence[date] = (), published: Sequence[dict[str, Any]] = ()
    ) -> dict[tuple[str, date], Row]:
        """The rows as they are kept, by their key."""
        sequences, vocabulary = write_sequences(self.folder, list(rows))
        tables = {"sequences": sequences, "vocabulary": vocabulary}
        given = PredictionInput(BUSINESS_DATE, SETTINGS, tables, self.model, {})
        earlier = frame(self.spark, "predictions", published) if published else None
        found = backtest_baskets(
            frame(self.spark, "sequences", rows), earlier, replayed, given, next_basket_predictor(given)
        )
        assert all(set(row) == set(BASKET_BACKTESTS.column_names) for row in found)
        return {(row["origin"], row["as_of"]): Row(**row) for row in found}


@pytest.fixture
def night(spark: SparkSession, tmp_path: Path) -> Night:
    return Night(spark, tmp_path, None)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder = tmp_path_factory.mktemp("champion")
    _, vocabulary = write_sequences(folder, random_sequences(2))
    lens = tiny(POINTING, n_products=3 + N_KNOWN, n_customers=2)
    lens.keys.assign(np.r_[[0, 0, 0], keys_of(NAMES)], np.r_[0, keys_of(["c1"])])
    lens.save(folder / "model.keras")
    return ServedModel("larder-shop-next_basket/7", "lens", folder / "model.keras", {"vocabulary": vocabulary})


def stated(*products: str, **fields: Any) -> dict[str, Any]:
    lines = [{"product_id": name, "probability": 0.5, "quantity": 1.0} for name in products]
    made = {"business_date": MORNING, "last_sold_on": MORNING - timedelta(days=1), "next_sold_on": MORNING}
    return prediction(**{**made, "products": lines, **fields})


def test_what_was_published_is_held_against_the_first_basket_since(night: Night) -> None:
    came, late = (
        sequence(funnel_id=name, sold_on=days_ago(30, 20, *since), products=[[3, 4], [3], *([[4, 5]] * len(since))])
        for name, since in (("came", (12, 3)), ("late", (2,)))
    )
    gone = sequence(funnel_id="gone", sold_on=days_ago(30, 20), products=[[3], [3]])
    found = night.backtest(
        [came, late, gone, sequence(funnel_kind="store", funnel_id="s1")],
        published=[
            stated("p1", "p7", funnel_id="came", next_sold_on=MORNING + timedelta(days=3)),
            stated("p0", funnel_id="late", fallback="one_basket"),
            stated("p0", funnel_id="gone"),
            # One basket then, none since: no sequence tonight.
            stated("dropped since", funnel_id="once", fallback="one_basket", next_sold_on=BUSINESS_DATE),
            stated("p0", funnel_kind="store", funnel_id="s1", fallback="not_trained_on"),
        ],
    )
    by_model, by_frequency = found["model", MORNING], found["frequency", MORNING]
    assert set(found) == {("model", MORNING), ("frequency", MORNING)}
    assert (by_model.predicted, by_model.came, by_model.named, by_model.bought, by_model.hits) == (2, 1, 2, 2, 1)
    assert (by_model.recall_10, by_model.days_error, by_model.due, by_model.came_by_due) == (0.5, 1, 2, 1)
    assert (by_model.list_named, by_model.list_hits) == (2, 1), "p0 was bought twice before, p1 once"
    assert by_model.named_by_tenth == [0, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert by_model.stated_by_tenth[5] == 1.0
    assert (by_frequency.predicted, by_frequency.came, by_frequency.hits) == (2, 1, 0)
    assert (by_frequency.days_error, by_frequency.due, by_frequency.came_by_due) == (12, 1, 0)


def test_a_basket_that_a_cut_history_lost_is_not_replaced_by_a_later_one(night: Night) -> None:
    cut = sequence(sold_on=days_ago(5, 4), products=[[3], [3]], n_baskets=9)
    assert night.backtest([cut], published=[stated("p0")]) == {}


def test_the_future_changes_no_replayed_basket(night: Night, champion: ServedModel) -> None:
    night = replace(night, model=champion)
    rows = random_sequences(60, days=80)

    def changed(row: dict[str, Any]) -> dict[str, Any]:
        """The same until the morning; since then one other basket, on the same day for everyone who came."""
        before = [place for place, day in enumerate(row["sold_on"]) if day < MORNING]
        if not before or len(before) == len(row["sold_on"]):
            return row
        days = [*(row["sold_on"][place] for place in before), MORNING + timedelta(days=1)]
        return sequence(
            funnel_id=row["funnel_id"], sold_on=days, products=[*(row["products"][place] for place in before), [22]]
        )

    newcomers = [
        sequence(funnel_id=f"new{number}", sold_on=days_ago(5, 4, 3), products=[[3, 4, 5]] * 3) for number in range(30)
    ]
    first = night.backtest(rows, [MORNING])["replay", MORNING]
    second = night.backtest([*newcomers, *map(changed, rows)], [MORNING])["replay", MORNING]
    assert first.came > 20
    for column in ("predicted", "came", "named", "list_named", "named_by_tenth", "stated_by_tenth", "due"):
        assert first[column] == second[column], column
    assert first.hits != second.hits


def test_a_rerun_and_another_order_are_identical(night: Night, champion: ServedModel) -> None:
    night = replace(night, model=champion)
    rows, mornings = random_sequences(40, days=80), days_ago(7, 14)
    published = [stated("p3", "p1", funnel_id=row["funnel_id"]) for row in rows]
    first = night.backtest(rows, mornings, published)
    assert set(first) == {("model", MORNING), *(("replay", morning) for morning in mornings)}
    assert night.backtest(rows, mornings, published) == first
    again = night.backtest(rows[::-1], mornings, published[::-1])
    assert again == first


def test_the_replay_predicts_whom_the_night_would_have_predicted(night: Night, champion: ServedModel) -> None:
    found = replace(night, model=champion).backtest(
        [
            sequence(funnel_id="one basket then", sold_on=days_ago(20, 5)),
            sequence(funnel_id="long gone then", sold_on=days_ago(200, 190, 5)),
            sequence(funnel_id="nothing known then", sold_on=days_ago(30, 20, 5), products=[[1], [1], [3]]),
            sequence(funnel_id="predicted", sold_on=days_ago(30, 20, 5)),
            sequence(funnel_id="gone", sold_on=days_ago(30, 20)),
        ],
        [MORNING],
    )
    assert (found["replay", MORNING].predicted, found["replay", MORNING].came) == (2, 1)


def test_without_a_past_there_is_no_row(night: Night) -> None:
    assert night.backtest([sequence()]) == {}
    assert night.backtest([sequence()], [MORNING]) == {}, "there is no champion"


def test_details_are_of_what_was_published_where_it_can_be_judged(night: Night, champion: ServedModel) -> None:
    assert details([]) == {"mornings_backtested": 0}
    rows = [sequence(sold_on=days_ago(30, 20, 5), products=[[3], [3], [3, 4]])]
    found = replace(night, model=champion).backtest(rows, [MORNING], [stated("p0")])
    said = details([row.asDict() for row in found.values()])
    assert said == {
        "mornings_backtested": 1,
        "backtested_baskets": 1,
        "backtested_recall@10": 0.5,
        "own_list_recall@10": 0.5,
    }
