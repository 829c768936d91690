"""What the training of styles costs is measured on a shop, whatever its size."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.benchmarks.styles.growth import measure, table
from pipeline.benchmarks.styles.methods import PLAN
from pipeline.benchmarks.styles.neural import Training
from pipeline.simulator.fashion_shop import FashionSettings, simulate_fashion


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_fashion(FashionSettings(customers=60, articles=40, days=80), tmp_path_factory.mktemp("fashion"))


def test_a_cost_says_how_large_the_shop_was(raw: Path) -> None:
    plan = replace(PLAN, items=Training(2, 1e-3, 16), styles=Training(2, 1e-3, 8))
    early, late = (measure(raw, cutoff, plan) for cutoff in (40, 70))
    assert 0 < early.customers == late.customers <= 60
    assert early.articles == late.articles == 40
    assert 0 < early.purchases < late.purchases
    assert min(early.vectors, early.styles, early.peak_mb) > 0
    shown = table([early, late]).splitlines()
    assert len(shown) == 4
    assert shown[2].startswith(f"| {early.customers} | 40 | {early.purchases} |")
