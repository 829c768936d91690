"""Whatever others wrote stays one visible line that no terminal, digest or spreadsheet obeys, without passwords."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import FORMULA_BEGINNINGS, harmless, one_line, without_passwords

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@given(ANYTHING)
def test_any_text_is_one_line_without_anything_that_is_obeyed(text: str) -> None:
    line = one_line(text)
    assert len(line) == len(text)
    assert len(line.splitlines()) <= 1
    assert not [
        c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c not in "\u200c\u200d"
    ]
    assert one_line(line) == line


@given(st.text(st.characters(categories=("L", "M", "N", "S", "P")), max_size=60))
def test_what_people_write_stays(text: str) -> None:
    assert one_line(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Milk\nnew: Bread, s1, critical, 9,999.00: gone", "Milk new: Bread, s1, critical, 9,999.00: gone"),
        ("a\r\nb\tc\u2028d\u2029e\x85f", "a  b c d e f"),
        ("\x1b[31mred\x00", "�[31mred�"),
        ("\u202egnp.exe\u2066", "�gnp.exe�"),
        ("کتاب\u200cها", "کتاب\u200cها"),
    ],
)
def test_forgeries_that_were_seen(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(ANYTHING)
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = harmless(text)
    assert not cell.lstrip().startswith(FORMULA_BEGINNINGS)
    assert cell in (one_line(text), "'" + one_line(text))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://larder:{}@db:5432/larder",
        "https://user:{}@mlflow.example.com/path?a=b",
        "https://{}@mlflow.example.com",
        "mysql+pymysql://:{}@db/x",
        "postgresql://db/larder?user=a&password={}",
        "https://host/x?access_token={}&b=1",
    ],
)
@given(password=st.text(st.characters(categories=("L", "N")), min_size=8).map(lambda text: f"q{text}"))
def test_an_address_is_shown_without_its_password(address: str, password: str) -> None:
    shown = without_passwords(f'{{"uri": "{address.format(password)}"}}')
    assert password not in shown
    assert without_passwords(shown) == shown


@pytest.mark.parametrize("password", ["a/b", "a:b", "a@b", "a#b?c"])
def test_a_password_of_any_signs_is_masked(password: str) -> None:
    assert without_passwords(f"postgresql://u:{password}@db/x") == "postgresql://u:***@db/x"


@pytest.mark.parametrize("text", ["sqlite:////home/me@corp/alerts.db", "https://host:5000/a", "mail me@corp.com"])
def test_what_holds_no_password_stays(text: str) -> None:
    assert without_passwords(text) == text
