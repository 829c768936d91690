"""The same date five times, each from the same files in a new folder and a new process: one hash per table.

Nothing may follow from the order of a set, the clock, the process or a folder's name: the processes have different hash
seeds, the folders other names, and the last is a night of `larder nightly`.
"""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from pipeline.settings import REPOSITORY
from tests.campaign import jobs
from tests.campaign.bench import Bench, add, environment
from tests.campaign.whole_night import REFERENCE, delivered, differing, undisturbed

TIMES = 5


def five_times(bench: Bench) -> Counter[str]:
    """One night a step; the undisturbed night is the first, one of `larder nightly` the last."""
    reference, state = undisturbed(bench), bench.state()
    counted = Counter(state.get("counted", {"nights": 1, "other tables": 0}))
    while counted["nights"] < TIMES and not bench.is_over():
        number = counted["nights"] + 1
        data = delivered(bench, f"night-{number}")
        if number < TIMES:
            run_id = f"run{number}"
            jobs.finish(data, run_id, PYTHONHASHSEED=str(bench.seed * 100 + number))
        else:
            run_id = _nightly(data)
        other = differing(data, run_id, reference)
        print(f"night {number}: {other or 'the same'} ({REFERENCE})")
        counted["other tables"] += len(other)
        counted["nights"] += 1
        bench.keep(counted=dict(counted))
        shutil.rmtree(data)
    return counted if counted["nights"] == TIMES else add(counted, {"unfinished": 1})


def _nightly(data: Path) -> str:
    line = [sys.executable, "-m", "pipeline.cli", "nightly"]
    done = subprocess.run(line, env=environment(data), cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return next((data / "shop" / "runs").glob("nightly-*")).name
