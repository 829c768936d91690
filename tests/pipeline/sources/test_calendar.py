from datetime import date

import pytest
from pydantic import ValidationError

from pipeline.sources.calendar import Calendar, days_between

JANUARY = days_between(date(2026, 1, 1), date(2026, 1, 31))


def calendar(**keys: object) -> Calendar:
    return Calendar.model_validate(keys)


def test_closed_days_hold_for_their_stores_and_both_ends() -> None:
    shut = calendar(closed=[{"from": date(2026, 1, 7), "to": date(2026, 1, 9), "stores": ["s1"]}])
    assert shut.closed_days("s1", JANUARY) == {date(2026, 1, day) for day in (7, 8, 9)}
    assert shut.closed_days("s2", JANUARY) == set()


def test_public_holidays_of_a_country_and_of_a_part_of_it() -> None:
    assert date(2026, 1, 6) in calendar(holidays="AT").closed_days("s1", JANUARY)
    assert date(2026, 1, 6) in calendar(holidays="DE-BY").closed_days("s1", JANUARY)
    assert date(2026, 1, 6) not in calendar(holidays="DE").closed_days("s1", JANUARY)
    assert calendar(holidays="AT", open_on_holidays=True).closed_days("s1", JANUARY) == set()


def test_a_description_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValidationError, match="no public holidays are known of 'XX'"):
        calendar(holidays="XX")
    with pytest.raises(ValidationError, match="lies before `from`"):
        calendar(closed=[{"from": date(2026, 1, 9), "to": date(2026, 1, 7)}])
    with pytest.raises(ValidationError, match="extra"):
        calendar(closd=[])


def test_days_without_sales_count_as_shut_unless_said_otherwise() -> None:
    assert calendar().finds_closed_days
    assert not calendar(days_without_sales="open").finds_closed_days


def test_promotions_by_product_store_and_day() -> None:
    found = calendar(
        promotions=[
            {"from": date(2026, 1, 2), "to": date(2026, 1, 3), "products": ["p1"], "stores": ["s1"]},
            {"from": date(2026, 1, 5), "products": ["p1", "p2"]},
        ]
    )
    in_s1, in_s2 = (
        found.promoted(store, ["p1", "p2", "p3"], JANUARY[:5]).astype(int).tolist() for store in ("s1", "s2")
    )
    assert in_s1 == [[0, 1, 1, 0, 1], [0, 0, 0, 0, 1], [0] * 5]
    assert in_s2 == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5]
    assert calendar(promotions=[{"from": date(2026, 1, 1)}]).promoted("s1", ["p1"], JANUARY[:1]).all()
