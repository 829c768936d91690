"""What stands around a value is taken off, whoever wrote it; a value that needs nothing is left as it is."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.cleaning import EDGES, clean, clean_id
from pipeline.sources.layout import Layout

IDS = st.text(alphabet="abcXYZ019-_/äé", min_size=1, max_size=8).filter(lambda each: each.lower() not in ("na", "n/a"))
AROUND = st.text(alphabet=EDGES, max_size=3)


def cleaned(ours: str, *values: str, **layout: object) -> list[str | None]:
    return clean(ours, pa.array(values, pa.string()), Layout.model_validate(layout)).to_pylist()


@given(each=IDS, before=AROUND, after=AROUND, form=st.sampled_from(["NFC", "NFD"]))
def test_an_id_is_one_whatever_blanks_surround_it_and_however_its_letters_are_composed(
    each: str, before: str, after: str, form: str
) -> None:
    written = before + unicodedata.normalize(form, each) + after
    assert cleaned("customer", written, each) == [each, each]
    assert clean_id(written) == each


@given(number=st.integers(-(10**14), 10**14), zeros=st.integers(1, 4))
def test_a_whole_number_that_became_a_decimal_one_is_the_same_id(number: int, zeros: int) -> None:
    written = f"{number}.{'0' * zeros}"
    assert cleaned("product", written, "1.50", "v1.0", "4.01E+12") == [str(number), "1.50", "v1.0", "4.01E+12"]
    assert clean_id(written) == str(number)
    # Where the comma is the decimal mark, pandas and Excel write it so.
    written = written.replace(".", ",")
    assert cleaned("customer", written, "1,50", decimal=",") == [str(number), "1,50"]
    assert clean_id(written, ",") == str(number)
    assert cleaned("customer", written) == [written]


@pytest.mark.parametrize(
    "mark", ["NULL", "null", "None", "nan", "NaN", "N/A", "\\N", "<na>", "[NULL]", "<null>", " NULL\u00a0"]
)
def test_a_mark_of_nothing_is_nothing_in_ids_and_stays_in_numbers(mark: str) -> None:
    for ours in ("customer", "product", "category", "attribute_age"):
        assert cleaned(ours, mark, "c1") == [None, "c1"]
    assert cleaned("quantity", mark) == [mark.strip("\u00a0 ")]
    assert cleaned("customer", mark.strip("\u00a0 "), null_values=("guest",)) == [mark.strip("\u00a0 ")]


@pytest.mark.parametrize(
    ("written", "thousands", "expected"),
    [
        ("3.00-", "", "-3.00"),
        ("3.00 -", "", "-3.00"),
        ("(1.00)", "", "-1.00"),
        ("- 0,50", "", "-0,50"),
        ("( 1,5 )", "", "-1,5"),
        ("\u22122", "", "-2"),
        ("1\u00a0234,50", " ", "1 234,50"),
        ("1\u202f234", " ", "1 234"),
        ("1\u2019234", "'", "1'234"),
        ("-(1)", "", "-(1)"),
        ("--3", "", "--3"),
        ("abc-", "", "abc-"),
    ],
)
def test_numbers_get_their_sign_in_front_and_plain_groups(written: str, thousands: str, expected: str) -> None:
    assert cleaned("amount", written, "7", thousands=thousands) == [expected, "7"]
