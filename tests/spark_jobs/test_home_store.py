"""One rule for the home store, whichever table asks for it."""

from datetime import date

import pytest
from pyspark.sql import SparkSession

from pipeline.settings import SequenceSettings
from spark_jobs.build_sequences import build_sequences
from spark_jobs.home_store import home_stores
from tests.factories import basket
from tests.published_tables import frame
from tests.spark_jobs.test_build_sequences import KNOWN

# Store and day of February of each basket of customer c1, and the home store.
CASES = [
    ("a1 a2 b3", "a"),
    ("a1 b2", "b"),
    ("a1 b2 a3 b4", "b"),
    ("b1 b2 a3", "b"),
    ("c1 a2 b3 b4 a5 c6", "c"),
    ("a1 a1 b2", "a"),  # two baskets of one day are two
]


@pytest.mark.parametrize(("baskets_of_c1", "home"), CASES)
def test_most_baskets_then_the_later_one(spark: SparkSession, baskets_of_c1: str, home: str) -> None:
    rows = [basket(store_id=each[0], sold_on=date(2026, 2, int(each[1:]))) for each in baskets_of_c1.split()]
    rows += [basket(customer_id="c2", store_id="z"), basket(store_id="z", sold_on=date(2026, 2, 20), products=[])]
    baskets = frame(spark, "baskets", rows[::-1])
    found = {row.customer_id: row.home_store_id for row in home_stores(baskets).collect()}
    assert found == {"c1": home, "c2": "z"}
    built = build_sequences(baskets, KNOWN, date(2026, 3, 1), SequenceSettings(min_baskets=1), None).collect()
    assert {row.funnel_id: row.store_id for row in built if row.funnel_kind == "customer"} == found
