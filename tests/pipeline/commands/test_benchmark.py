"""What stands beside a benchmark's scores: a command that anyone can run, without a path of the machine."""

import pytest

from pipeline.commands.benchmark import _described, seeds_of


@pytest.mark.parametrize("dataset", ["/home/me/uci-half.toml", "uci-half.toml", "../sources/uci-half.toml"])
def test_a_source_of_ones_own_is_named_and_its_folder_is_not(dataset: str) -> None:
    described = _described("2026-01-05", "next-basket", dataset, seeds="0", models=None)
    assert described["dataset"] == "uci-half"
    assert described["command"] == "larder benchmark next-basket --dataset uci-half --seeds 0"


def test_a_path_is_written_as_path() -> None:
    described = _described("2026-01-05", "next-basket", "reality-check", "/data/rc", out="rc")
    assert described["command"] == "larder benchmark next-basket --dataset reality-check PATH --out rc"


@pytest.mark.parametrize("text", ["", "a", "0..", "1,x"])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a range"):
        seeds_of(text)
