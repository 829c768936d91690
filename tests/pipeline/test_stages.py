"""A run's record of stages stays readable whatever ended the one who wrote it."""

import errno
import os
from pathlib import Path

import pytest

from pipeline.stages import read_stages, stage


def test_half_a_line_is_removed_before_the_next(tmp_path: Path) -> None:
    with stage("first", tmp_path):
        pass
    path = tmp_path / "stages.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with stage("second", tmp_path) as record:
        record.rows_out = 3
    assert [(one.name, one.status) for one in read_stages(tmp_path)] == [
        ("first", "running"),
        ("second", "running"),
        ("second", "done"),
    ]


def test_a_line_without_room_is_written_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage("first", tmp_path):
        pass
    before = (tmp_path / "stages.jsonl").read_bytes()
    write = os.write
    # A full disk takes what it has room for; only its being full needs a stand-in.
    monkeypatch.setattr("pipeline.stages.os.write", lambda handle, line: write(handle, line[:10]))
    with pytest.raises(OSError, match="No space left") as caught, stage("second", tmp_path):
        pass
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / "stages.jsonl").read_bytes() == before
