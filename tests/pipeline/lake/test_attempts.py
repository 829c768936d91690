"""Two attempts of one run never touch each other's version, wherever each of them is, and however it ends."""

import multiprocessing
import random
import shutil
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from pipeline.lake.lake import Lake, LakeError, Manifest
from tests.pipeline.lake.writer import FILES, NIGHT, TABLE, attempt_for_ever, publish, read, stage

FORK = multiprocessing.get_context("fork")
SEEDS = range(3)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def in_another_process(work: Callable[[], None]) -> BaseProcess:
    """A process that has done its work and stays alive."""
    done = FORK.Event()

    def run() -> None:
        work()
        done.set()
        time.sleep(600)

    process = FORK.Process(target=run)
    process.start()
    assert done.wait(60)
    return process


def begin(lake: Lake) -> None:
    lake.stage(TABLE, "run1").mkdir()


def describe(lake: Lake) -> None:
    stage(lake, "run1")


def audit(lake: Lake) -> None:
    lake.claim(TABLE, "run1")


@pytest.mark.parametrize("step", [begin, describe, audit])
def test_a_version_is_its_writers_until_it_is_published_or_the_writer_ends(
    lake: Lake, tmp_path: Path, step: Callable[[Lake], None]
) -> None:
    first = in_another_process(lambda: step(lake))
    try:
        for refused in (lambda: Lake(tmp_path).stage(TABLE, "run1"), lambda: Lake(tmp_path).publish(TABLE, "run1")):
            with pytest.raises(LakeError, match="being written by another process"):
                refused()
        lake.expire(TABLE, keep=2)
        assert (step is audit) or lake.folders(TABLE)
    finally:
        first.kill()
        first.join()
    publish(lake, "run1")
    assert read(lake) == "run1"


def test_what_an_ended_attempt_described_is_published_by_the_next(lake: Lake) -> None:
    first = in_another_process(lambda: describe(lake))
    first.kill()
    first.join()
    lake.publish(TABLE, "run1")
    assert read(lake) == "run1"


def test_a_published_version_is_not_staged_again(lake: Lake) -> None:
    publish(lake, "run1")
    with pytest.raises(LakeError, match="has version run1 already"):
        lake.stage(TABLE, "run1")
    assert read(lake) == "run1"
    assert not lake.is_staged(TABLE, "run1")


@pytest.mark.parametrize("leftover", [(), ("part-0",), ("part-0", "part-1")])
def test_a_folder_without_manifest_is_in_nobodys_way(lake: Lake, leftover: tuple[str, ...]) -> None:
    data = lake.root / TABLE / "versions" / "run1" / "data"
    data.mkdir(parents=True)
    for name in leftover:
        (data / name).write_text("half")
    assert lake.versions(TABLE) == []
    publish(lake, "run1")
    assert read(lake) == "run1"


@pytest.mark.parametrize("survived", [0, 1, 2, 5])
def test_removal_cut_short_leaves_nothing_for_ever(lake: Lake, survived: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        publish(lake, f"run{number}")
    stage(lake, "refused")
    real, calls = shutil.rmtree, iter(range(survived))

    def die(folder: Path, ignore_errors: bool = False) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        real(folder, ignore_errors=ignore_errors)

    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", die)
        if survived < 2:
            with pytest.raises(KeyboardInterrupt):
                lake.expire(TABLE, keep=2)
    lake.expire(TABLE, keep=2)
    assert lake.versions(TABLE) == ["run2", "run3"]
    assert sorted(path.name for path in (lake.root / TABLE).rglob("part-0")) == ["part-0"] * 3
    publish(lake, "run0")
    assert read(lake) == "run0"


@pytest.mark.parametrize(
    "version", ["../staged/refused", "..", ".", "", "/tmp", "a/b", ".hidden", "run1\n", "../../other/versions/run1"]
)
def test_a_name_that_leads_out_of_its_folder_names_no_version(lake: Lake, version: str) -> None:
    publish(lake, "run1")
    stage(lake, "refused")
    for use in (lake.rollback, lake.path, lake.manifest, lake.stage, lake.publish, lake.resolve, lake.claim):
        with pytest.raises(LakeError, match="names no version"):
            use(TABLE, version)
    with pytest.raises(LakeError, match="names no version"):
        lake.describe(Manifest(table=TABLE, version=version, business_date=NIGHT, rows=FILES))
    assert read(lake) == "run1"


@pytest.mark.parametrize("seed", SEEDS)
def test_attempts_killed_at_random_leave_whole_versions_and_nothing_else(lake: Lake, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    publish(lake, "first")
    attempts = [FORK.Process(target=attempt_for_ever, args=(tmp_path,)) for _ in range(2)]
    for process in attempts:
        process.start()
    for _ in range(20):
        until = time.monotonic() + chance.random() * 0.05
        while time.monotonic() < until:
            read(lake)
        number = chance.randrange(2)
        attempts[number].kill()
        attempts[number].join()
        attempts[number] = FORK.Process(target=attempt_for_ever, args=(tmp_path,))
        attempts[number].start()
    for process in attempts:
        process.kill()
        process.join()
    for folder in lake.folders(TABLE):
        if not lake.is_published(TABLE, folder.name):
            publish(lake, folder.name)
    for version in lake.versions(TABLE):
        assert [part.read_text() for part in lake.path(TABLE, version).iterdir()] == [version] * FILES
    lake.expire(TABLE, keep=5)
    assert [folder.name for folder in lake.folders(TABLE)] == sorted(lake.versions(TABLE))
    assert list((lake.root / TABLE / "removed").iterdir()) == []
