"""A killed process's temporary folder is removed by the next process; a living one's never is."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pipeline.temporary_folder import PREFIX, TemporaryFolder, remove_stale

SCRIPT = (
    "import sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
    "from pipeline.temporary_folder import TemporaryFolder\n"
    "folder = TemporaryFolder(); (folder.path / 'ckpt-5').touch(); print(folder.path, flush=True); sys.stdin.read()"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def age(folder: Path) -> None:
    os.utime(folder, (time.time() - 3600,) * 2)


def test_a_folder_goes_when_its_process_was_killed_and_not_before(temporary: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(temporary)]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        age(folder)
        remove_stale(temporary)
        assert (folder / "ckpt-5").is_file(), "its process lives"
        process.send_signal(signal.SIGKILL)
        process.wait()
    own = TemporaryFolder()
    assert list(temporary.iterdir()) == [own.path]
    own.remove()
    own.remove()
    assert list(temporary.iterdir()) == []


def test_what_was_made_a_moment_ago_or_is_no_folder_of_ours_stays(temporary: Path) -> None:
    new, other, link = temporary / f"{PREFIX}new", temporary / "else", temporary / f"{PREFIX}link"
    new.mkdir()
    other.mkdir()
    age(other)
    link.symlink_to(other)
    remove_stale(temporary)
    assert sorted(temporary.iterdir()) == sorted([new, other, link])
