"""A file is replaced whole or not at all, and nothing stays aside."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.files import check_writable, replace_text, replacing


def test_the_new_text_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "pointer"
    for text in ("v1", "v2 ä"):
        replace_text(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]


def write_half(path: Path) -> None:
    with replacing(path) as aside:
        aside.write_text("half of the n")
        raise RuntimeError("disk is full")


def test_a_failed_writer_leaves_the_old_file_and_nothing_aside(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    replace_text(path, "old")
    with pytest.raises(RuntimeError, match="disk is full"):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    replace_text(path, "old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    replace_text(path, "old")
    script = (
        "import os, signal, sys; from pathlib import Path; from pipeline.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as aside:\n"
        "    aside.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], env=os.environ | {"PYTHONPATH": "."}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    script = "import sys; from pathlib import Path; from pipeline.files import replace_text\n" + (
        "[replace_text(Path(sys.argv[1]), sys.argv[2] * 5000) for _ in range(100)]"
    )
    environment = os.environ | {"PYTHONPATH": "."}
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), each], env=environment) for each in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen |= {path.read_text()} if path.exists() else set()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen | {path.read_text()} <= {"a" * 5000, "b" * 5000}


def test_a_folder_that_may_not_be_written_is_found_out_at_once_and_nothing_stays(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        check_writable(tmp_path / "file" / "inside")
