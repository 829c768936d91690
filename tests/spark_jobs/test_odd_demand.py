"""What one product, store or line does to the forecasts of others: nothing. Each store below is one case.

All are forecast at once; no product is sold in two stores, so that none knows of another case.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from pyspark.sql import SparkSession

from pipeline.settings import DemandSettings
from pipeline.sources.calendar import Calendar
from spark_jobs.forecast_demand import forecast_demand
from spark_jobs.product_histories import successors
from tests.factories import BUSINESS_DATE, product, transaction
from tests.published_tables import frame

DAYS = 60
USUAL = {f"p{number}": 5.0 for number in range(1, 9)}
WEEK = 35.0
PROMOTED = [name for name in USUAL if name not in ("p3", "p4")]
TO_COME = {"from": BUSINESS_DATE, "to": BUSINESS_DATE + timedelta(days=1)}
CALENDAR = {
    "closed": [{"from": BUSINESS_DATE + timedelta(days=1), "stores": ["shut-tomorrow"]}],
    "promotions": [
        {"from": BUSINESS_DATE - timedelta(days=15), "to": BUSINESS_DATE - timedelta(days=9), "stores": ["promoted"]}
        | {"products": [f"promoted/{name}" for name in PROMOTED]},
        TO_COME | {"products": ["promoted/p2", "promoted/p3"]},
    ],
}


def ago(days: int) -> date:
    return BUSINESS_DATE - timedelta(days=days)


def line(store: str, name: str, back: int, units: float) -> dict[str, Any]:
    return transaction(store_id=store, product_id=f"{store}/{name}", sold_on=ago(back), quantity=units)


def shelf(store: str, units: dict[str, float], first: int = DAYS, last: int = 1) -> list[dict[str, Any]]:
    """Units of each product on every day from `first` to `last` days ago."""
    return [line(store, name, back, each) for back in range(last, first + 1) for name, each in units.items()]


def lines() -> list[dict[str, Any]]:
    few = {"p1": 5.0, "p2": 5.0}
    return [
        *shelf("usual", USUAL),
        *shelf("odd-line", USUAL),
        line("odd-line", "p3", 2, 70_123.0),
        *shelf("millilitres", USUAL),
        *(line("millilitres", "oil", back, 750.0 + 500.0 * (back % 3)) for back in range(1, DAYS + 1)),
        *shelf("shut-lately", USUAL, last=18),
        *shelf("withdrawn", USUAL),
        *shelf("withdrawn", {"old": 9.0}, last=40),
        *shelf("shut-tomorrow", USUAL),
        *shelf("promoted", USUAL),
        *shelf("promoted", dict.fromkeys(PROMOTED, 10.0), first=15, last=9),
        *shelf("catalogue", {"kept": 5.0, "ends": 5.0, "ended": 5.0, "replaced": 5.0}),
        *shelf("as-before", few),
        *shelf("changed", few, last=8),
        *shelf("changed", {"p1": 9.0, "p2": 0.5}, first=7),
    ]


def catalogue() -> list[dict[str, Any]]:
    named = sorted({row["product_id"] for row in lines()} | {"catalogue/new"})
    said = {
        "catalogue/ends": {"discontinued_on": BUSINESS_DATE + timedelta(days=2)},
        "catalogue/ended": {"discontinued_on": BUSINESS_DATE},
        "catalogue/replaced": {"replaced_by": "catalogue/new"},
        "catalogue/new": {"first_sold_on": None},
    }
    return [product(product_id=name, **said.get(name, {})) for name in named]


class Found(NamedTuple):
    """Rows of both tables, by day."""

    tonight: list[Any]
    past: list[Any]

    def week(self, store: str) -> dict[str, float]:
        """Expected units of the horizon by product of the store."""
        found: dict[str, float] = {}
        for row in self.tonight:
            if row.store_id == store:
                name = row.product_id.split("/")[1]
                found[name] = found.get(name, 0.0) + row.mean
        return found

    def days(self, store: str, name: str) -> list[bool]:
        """Whether anything is expected on each day."""
        return [row.mean > 0.01 for row in self.tonight if row.product_id == f"{store}/{name}"]


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> Found:
    empty = {name: frame(spark, name, []) for name in ("baskets", "predictions", "stock_levels")}
    made = forecast_demand(
        transactions=frame(spark, "transactions", lines()),
        products=frame(spark, "products", catalogue()),
        **empty,
        business_date=BUSINESS_DATE,
        settings=DemandSettings(),
        calendar=Calendar.model_validate(CALENDAR),
    )
    tables = (made.expected_demand, made.demand_backtests)
    return Found(*(sorted(table.collect(), key=lambda row: (row.product_id, row.demand_on)) for table in tables))


@pytest.mark.parametrize("store", ["usual", "odd-line", "millilitres", "shut-lately", "withdrawn"])
def test_nothing_odd_moves_the_usual_products(found: Found, store: str) -> None:
    week = found.week(store)
    others = [name for name in USUAL if (store, name) != ("odd-line", "p3")]
    assert {name: week[name] for name in others} == pytest.approx(dict.fromkeys(others, WEEK), rel=0.02)


def test_a_line_unlike_any_other_is_kept_and_named(found: Found) -> None:
    odd = {row.product_id: row.ignored_units for row in found.tonight if row.ignored_units}
    assert odd == {"odd-line/p3": 70_123.0}
    assert found.week("odd-line")["p3"] == pytest.approx(WEEK, rel=0.1)


def test_a_product_in_millilitres_is_expected_in_millilitres(found: Found) -> None:
    assert found.week("millilitres")["oil"] == pytest.approx(7 * 1250.0, rel=0.1)


def test_what_has_not_sold_for_weeks_is_expected_no_more(found: Found) -> None:
    assert found.week("withdrawn")["old"] < 0.5


def test_a_store_known_to_be_shut_expects_nothing_that_day(found: Found) -> None:
    assert found.days("shut-tomorrow", "p1") == [True, False, True, True, True, True, True]


def test_past_promotions_are_not_learned_as_usual_and_say_what_one_to_come_does(found: Found) -> None:
    week = found.week("promoted")
    usual = [name for name in USUAL if name not in ("p2", "p3")]
    assert {name: week[name] for name in usual} == pytest.approx(dict.fromkeys(usual, WEEK), rel=0.05)
    means = {name: [row.mean for row in found.tonight if row.product_id == f"promoted/{name}"] for name in ("p2", "p3")}
    for days in means.values():
        assert days[0] / days[2] == pytest.approx(3.0, rel=0.25)
        assert days[1] / days[2] == pytest.approx(3.0, rel=0.25)


def test_a_discontinued_product_is_expected_until_its_day_and_a_successor_has_its_history(found: Found) -> None:
    assert found.days("catalogue", "ends") == [True, True, False, False, False, False, False]
    week = found.week("catalogue")
    assert set(week) == {"kept", "ends", "new"}
    assert week["new"] == pytest.approx(week["kept"], rel=0.05)


def test_past_weeks_are_forecast_from_what_was_known_then(found: Found) -> None:
    def of(store: str, back: int) -> list[Any]:
        return [row for row in found.past if row.store_id == store and row.as_of == ago(back)]

    for back in (7, 14, 21):
        before, after = of("as-before", back), of("changed", back)
        assert len(before) == 14
        assert [row.mean for row in after] == pytest.approx([row.mean for row in before], rel=1e-9)
    assert {row.units for row in of("changed", 7)} == {9.0, 0.5}


def test_successors_of_successors_and_circles(spark: SparkSession) -> None:
    named = {"a": "b", "b": "c", "x": "y", "y": "x"}
    rows = [product(product_id=name, replaced_by=other) for name, other in named.items()]
    rows += [product(product_id="gone", discontinued_on=BUSINESS_DATE), product(product_id="c")]
    assert successors(frame(spark, "products", rows), BUSINESS_DATE) == {
        "a": "c",
        "b": "c",
        "x": None,
        "y": None,
        "gone": None,
    }
