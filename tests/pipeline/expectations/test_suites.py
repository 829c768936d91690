"""Great Expectations judges the counts, and one site shows every audit of a source."""

from pathlib import Path

import pytest

from pipeline.expectations import suites
from pipeline.expectations.profile import Profile
from pipeline.expectations.suites import RESULTS, Failure, RowBounds, failures_of, index_page

EXPECTATION = "expect_column_values_to_be_between"


def test_failures_and_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test for all of it: a judgement costs seconds."""
    monkeypatch.setattr(suites, "KEPT_RESULTS", 1)
    docs, bounds = tmp_path / "docs", RowBounds(2, 4, "2 to 4, as version run0 has 3")
    good = Profile(3, {"price is not null": 0, "price is at least 0": 0}, {})
    assert failures_of(good, bounds, "products", "run1", docs) == []

    bad = Profile(5, {"price is not null": 0, "price is at least 0": 7}, {})
    assert failures_of(bad, bounds, "products", "run2", docs) == [
        Failure(EXPECTATION, "rows", 5),
        Failure(EXPECTATION, "price is at least 0", 7),
    ]
    assert failures_of(Profile(0, {}, {}), RowBounds(1, None, "at least 1"), "baskets", "run2", docs) == [
        Failure(EXPECTATION, "rows", 0)
    ]

    index = index_page(docs).read_text()
    (refused,) = docs.glob("validations/products/run2/*/*.html")
    assert "price is at least 0" in refused.read_text()
    for audit in ("products/run1", "products/run2", "baskets/run2"):
        assert f"validations/{audit}" in index

    failures_of(good, bounds, "products", "run3", docs)
    assert "validations/products/run1" not in index_page(docs).read_text()

    # As a full disk leaves them.
    stored = list((docs / RESULTS).rglob("*.json")) + list((docs / RESULTS).rglob(".ge_store_backend_id"))
    assert len(stored) > 4
    for number, path in enumerate(stored):
        path.write_bytes(path.read_bytes()[: 20 * (number % 2)] if path.suffix else b"")
    assert failures_of(good, bounds, "products", "run4", docs) == []
    assert "validations/products/run4" in index_page(docs).read_text()
