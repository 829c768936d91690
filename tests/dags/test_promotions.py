"""A DAG's gate of a candidate ends no night for a tracking store that does not answer."""

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("rendered", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_every_promotion_is_unattended(rendered: Path) -> None:
    promotions = [line for line in rendered.read_text().splitlines() if "model promote" in line]
    assert all("model promote --unattended " in line for line in promotions)
