"""A wrong name is refused with the known ones, and the closest is suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import look_up, unknown_name

KNOWN = {"stockouts": 1, "anomalies": 2, "baskets": 3}


@pytest.mark.parametrize(
    ("name", "closest"), [("stockout", "stockouts"), ("anomolies", "anomalies"), ("basket", "baskets")]
)
def test_the_closest_name_is_suggested(name: str, closest: str) -> None:
    message = f"unknown table '{name}'; known: stockouts, anomalies, baskets; did you mean '{closest}'?"
    with pytest.raises(ValueError, match="unknown table") as refused:
        look_up("table", name, KNOWN)
    assert str(refused.value) == message


def test_nothing_is_suggested_where_nothing_is_close() -> None:
    assert unknown_name("table", "xyz", KNOWN) == "unknown table 'xyz'; known: stockouts, anomalies, baskets"
    assert unknown_name("table", "xyz", []) == "unknown table 'xyz'; known: none"


@given(st.dictionaries(st.text(), st.integers(), min_size=1))
def test_every_known_name_is_found(known: dict[str, int]) -> None:
    assert {name: look_up("name", name, known) for name in known} == known
