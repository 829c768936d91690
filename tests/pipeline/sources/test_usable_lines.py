"""A delivery of which too little can be used is named; more refusals than in the month before are worth a notice."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.usable_lines import FEW, REPEATED, Refusal, jump, remembered_nights, unusable

DAY = date(2026, 2, 2)
COUNTS = st.integers(0, 500)


@given(taken=COUNTS, lost=COUNTS, repeated=COUNTS, share=st.floats(0.5, 1.0))
def test_a_file_and_a_day_are_named_exactly_below_the_share(taken: int, lost: int, repeated: int, share: float) -> None:
    refusals = [Refusal("a.csv", DAY, "unparseable_number", "total", lost)] if lost else []
    refusals += [Refusal("a.csv", DAY, REPEATED, None, repeated)] if repeated else []
    found = unusable({"a.csv": taken}, {DAY: taken}, refusals, share)
    too_little = lost > FEW and taken < share * (taken + lost)
    nothing = lost > 0 and taken == 0
    assert [text.split(":")[0] for text in found] == ["file a.csv"] * (too_little or nothing) + [
        f"day {DAY}"
    ] * too_little


def test_a_day_is_named_though_its_file_is_long_enough_to_hide_it() -> None:
    refusals = [Refusal("all.csv", DAY, "unparseable_number", "total", 50)]
    found = unusable({"all.csv": 5000}, {date(2026, 2, 1): 5000}, refusals, 0.95)
    assert found == [f"day {DAY}: 50 of 50 lines cannot be used (unparseable_number (total) 50)"]


def test_only_a_jump_against_the_month_before_is_told() -> None:
    nights: dict = {}
    for day, refused in ((1, 10), (2, 12), (3, 11)):
        refusals = [Refusal("a.csv", None, "overflow", "qty", refused)]
        nights = remembered_nights(nights, date(2026, 2, day), 1000, refusals)
        assert jump(nights, date(2026, 2, day)) is None
    many = [Refusal("a.csv", None, "overflow", "qty", 40), Refusal("a.csv", None, REPEATED, None, 900)]
    said = jump(remembered_nights(nights, date(2026, 2, 4), 1000, many), date(2026, 2, 4))
    assert said == "40 of 1000 lines refused (4.0%; 1.1% in the month before): overflow (qty) 40"
    # A night that is repeated counts once, and after a month it is forgotten.
    assert len(remembered_nights(nights, date(2026, 2, 3), 1000, [])) == 3
    assert list(remembered_nights(nights, date(2026, 4, 1), 1000, [])) == ["2026-04-01"]
