"""Readers never see half a version: not while versions are published in a loop, not after a writer was killed."""

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.lake.lake import Lake, LakeError
from tests.pipeline.lake.writer import TABLE, publish, publish_for_ever, read, stage

KILLS = 25
# A forked writer starts in milliseconds, so that kills meet it in every step of its loop.
FORK = multiprocessing.get_context("fork")


@contextmanager
def writers(root: Path, *prefixes: str) -> Iterator[None]:
    """Processes that publish for ever, killed with SIGKILL at the end."""
    started = [FORK.Process(target=publish_for_ever, args=(root, prefix)) for prefix in prefixes]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.join()


def test_readers_see_whole_versions_while_two_writers_publish(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    publish(lake, "first")
    with writers(tmp_path, "a", "b"):
        seen: set[str] = set()
        # Until several versions of both writers passed by under the reader's eyes.
        while sum(version.startswith("a") for version in seen) < 20 or sum(v.startswith("b") for v in seen) < 20:
            seen.add(read(lake))


def test_a_killed_writer_leaves_the_old_data_or_the_new(tmp_path: Path) -> None:
    lake, chance = Lake(tmp_path), random.Random(7)
    publish(lake, "first")
    for kill in range(KILLS):
        before = lake.versions(TABLE)
        with writers(tmp_path, f"kill{kill}"):
            while lake.versions(TABLE) == before:
                read(lake)
            time.sleep(chance.random() * 0.02)
        current, own = read(lake), f"kill{kill}-"
        assert set(before) < set(lake.versions(TABLE))
        # What the killed one left does not stand in the way of the next attempt, which ends with its version current.
        # A writer killed before it moved the pointer at all is to write its first version again.
        number = int(current.removeprefix(own)) + 1 if current.startswith(own) else 0
        retried = f"{own}{number:05d}"
        publish(lake, retried)
        assert read(lake) == retried


def test_a_version_that_another_process_writes_is_refused(tmp_path: Path) -> None:
    writing = FORK.Event()

    def write_and_wait() -> None:
        Lake(tmp_path).stage(TABLE, "run1")
        writing.set()
        time.sleep(600)

    other = FORK.Process(target=write_and_wait)
    other.start()
    try:
        assert writing.wait(60)
        with pytest.raises(LakeError, match="being written by another process"):
            Lake(tmp_path).stage(TABLE, "run1")
    finally:
        other.kill()
        other.join()
    stage(Lake(tmp_path), "run1")
