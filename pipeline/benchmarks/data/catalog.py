"""Data sets of the next-basket benchmark, by their names on the command line."""

from collections.abc import Sequence
from pathlib import Path

from models.names import unknown_name
from pipeline.benchmarks.data.folds import Dataset


def open_dataset(words: Sequence[str]) -> Dataset:
    """Open `reality-check PATH`, `tafeng` (the fetched file), or the lake of a source.

    Raises: ValueError or SourceError: for anything else; FileNotFoundError or LakeError: where the data are missing.
    """
    match list(words):
        case ["reality-check", path]:
            from pipeline.benchmarks.data.reality_check import RealityCheck

            return RealityCheck(Path(path))
        case ["tafeng"]:
            from pipeline.benchmarks.data.tafeng import TaFeng
            from pipeline.benchmarks.data.tafeng_lines import fetched_file

            return TaFeng(fetched_file())
        case [source]:
            from pipeline.benchmarks.data.lake_sequences import LakeSequences
            from pipeline.settings import Settings
            from pipeline.sources.source import load_source
            from pipeline.workspace import Workspace

            name = load_source(source).name
            return LakeSequences(name, Workspace.of(Settings(), name).lake)
    raise ValueError(unknown_name("data set", " ".join(words), ["reality-check PATH", "tafeng", "a source"]))
