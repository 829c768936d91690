"""Sums of a window: from baskets before it alone, and the placebo with everyone's level."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.keys import keys_of
from pipeline.benchmarks.demand_routes.sums import Customers, in_rows, reads, window_sums
from pipeline.dataset.batch import Cut
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.histories import read_histories
from pipeline.dataset.next_baskets import Forecaster, forecaster_of
from pipeline.settings import PredictionSettings
from tests.factories import BUSINESS_DATE, sequence
from tests.models.conftest import POINTING, tiny
from tests.pipeline.dataset.sequences import N_KNOWN, SCHEMA, random_sequences

NAMES = np.array(["", "", "", *[f"p{place}" for place in range(N_KNOWN)]], object)
SETTINGS = PredictionSettings(batch_size=4)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    lens = tiny(POINTING, n_products=len(NAMES), n_customers=2)
    lens.keys.assign(np.r_[[0, 0, 0], keys_of(NAMES[3:])], np.zeros(2, np.int64))
    return forecaster_of(lens, reads(SETTINGS), Cut(20, 20), CandidateSource())


def sums(forecaster: Forecaster, rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Sums of the one store."""
    parts = [read_histories(pa.Table.from_pylist(rows, schema=SCHEMA))]
    homes = {row["funnel_id"]: "s1" for row in rows}
    return window_sums(forecaster, Customers(parts, homes), BUSINESS_DATE, SETTINGS, min_baskets=2)["s1"]


def test_baskets_of_the_window_and_later_change_nothing(forecaster: Forecaster) -> None:
    rows = random_sequences(6)
    later = []
    for row in rows:
        days = [*row["sold_on"], BUSINESS_DATE, BUSINESS_DATE + timedelta(days=9)]
        later.append(sequence(funnel_id=row["funnel_id"], sold_on=days, products=[*row["products"], [5, 6], [7]]))
    before, after = sums(forecaster, rows), sums(forecaster, later)
    for route, values in before.items():
        np.testing.assert_allclose(after[route], values, rtol=1e-5)


def test_the_placebo_expects_as_many_baskets_and_units_of_a_store_whose_customers_are_alike(
    forecaster: Forecaster,
) -> None:
    alike = [random_sequences(1)[0] | {"funnel_id": f"c{number}"} for number in range(3)]
    found = sums(forecaster, alike)
    np.testing.assert_allclose(found["placebo"], found["model"], rtol=1e-3, atol=1e-4)
    assert found["model"].sum() > 0


def test_rows_of_products_that_the_model_does_not_know_hold_nothing(forecaster: Forecaster) -> None:
    found = {"s1": sums(forecaster, random_sequences(4))}
    rows = in_rows(found, np.array(["s1/p0", "s1/new", "s2/p0"], object), NAMES)
    np.testing.assert_array_equal(rows["model"][0], found["s1"]["model"][3])
    assert np.isnan(rows["model"][1]).all()
    assert not rows["model"][2].any()
