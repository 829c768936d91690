"""A trial's findings become sentences that name the key to set; where all is well nothing is said."""

import pytest

from pipeline.sources.hints import Trial, hints
from pipeline.sources.source import Source

SOURCE = Source.model_validate(
    {
        "name": "till",
        "files": "*.csv",
        "timezone": "UTC",
        "time_format": "%Y-%m-%d",
        "columns": {"sold_at": "day", "customer": "card", "product": "sku", "quantity": "qty", "amount": "total"},
    }
)


def test_nothing_is_said_where_all_is_well() -> None:
    assert hints(SOURCE, Trial(100, {})) == []


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        (Trial(3, {("duplicate_line", None): 2}), 'set `duplicates = "keep"`'),
        (Trial(9, {("negative_amount", "total"): 1}), '`negative_amounts = "discount"`'),
        (Trial(9, {("unparseable_number", "total"): 9}), '`decimal = ","`'),
        (Trial(9, {}, shortened={"product": "4.01E+12"}), "column 'sku': an id like 4.01E+12 was shortened"),
        (Trial(10, {}, without_customer=3), "30.0% of the lines have no customer"),
        (Trial(10, {}, guests=["77"]), "customer 77 has so many lines"),
        (Trial(10, {}, unusable=["file a.csv: 9 of 9"]), "the night would stop: file a.csv: 9 of 9"),
        (Trial(10, {}, missing_days=["2026-02-03: no lines came"]), "did not come: 2026-02-03"),
    ],
)
def test_each_finding_is_one_sentence(trial: Trial, said: str) -> None:
    (sentence,) = hints(SOURCE, trial)
    assert said in sentence
    assert "\n" not in sentence
