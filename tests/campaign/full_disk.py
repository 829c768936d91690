"""The disk full at each job of a night: one line, nothing half, and the job done once there is room again.

The data folder is a file system of its own in memory (root alone may mount one; without root the part is skipped, and
says so). Before each job it is filled to the last byte; the job must end with one line that names the reason, readers
must have what they had, and with room the same job makes what an undisturbed night makes.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.campaign import jobs
from tests.campaign.bench import Bench, spark_arguments
from tests.campaign.reader import reading
from tests.campaign.whole_night import REFERENCE, differing, undisturbed

MEGABYTES = 256
FILLER = "filler"
REASON = "No space left on device"


def at_each_job(bench: Bench) -> Counter[str]:
    """All jobs in one process: filled, refused, emptied, repeated."""
    if os.geteuid() != 0:
        print("full-disk: skipped, since only root can mount a small file system")
        return Counter({"skipped for want of root": 1, "half versions": 0, "tracebacks": 0, "other tables": 0})
    reference = undisturbed(bench)
    with _small_disk(bench.fresh("disk")) as data:
        shutil.copytree(reference / "shop" / "raw", data / "shop" / "raw")
        with reading(data, "shop") as read:
            aside = {"PYSPARK_SUBMIT_ARGS": spark_arguments(bench.fresh("spark"))}
            done = jobs.attempt(data, REFERENCE, LARDER_CAMPAIGN_FILLER=str(data / FILLER), **aside)
        other = differing(data, REFERENCE, reference) if done.returncode == 0 else ["the night did not end"]
    (bench.folder / "said.log").write_text(done.stdout)
    tried = [line.split("|") for line in done.stdout.splitlines() if line.startswith(jobs.FULL)]
    print(f"other tables: {other}")
    return Counter(
        {
            "jobs on a full disk": len(tried),
            "refused in one line": sum(REASON in said and kind == "SystemExit" for _, _, kind, said in tried),
            "done all the same": sum(kind == "done" for _, _, kind, _ in tried),
            "other refusals": sum(kind == "SystemExit" and REASON not in said for _, _, kind, said in tried),
            "tracebacks": sum(kind not in ("SystemExit", "done") for _, _, kind, _ in tried),
            "other tables": len(other),
            "half versions": read["half versions"] + read["half nights"],
            # SQLite needs room for its index of the write-ahead log: the page then says that it cannot read.
            "alerts unreadable while full": read["unreadable nights"],
        }
    )


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "larder-campaign", str(folder)]
    subprocess.run(["mount", *options], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until there is no room for another byte."""
    for size in (1 << 20, 1 << 12, 1):
        with suppress(OSError), path.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * size)
