"""A training worker killed at many steps, and a checkpoint of which half is there: the same weights in the end.

The worker's own process, without Spark: what becomes of the barrier stage around it is in
tests/pipeline/training/test_resume.py, with two workers.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from pipeline.settings import REPOSITORY, TrainingSettings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.training.spec import TrainingSpec
from pipeline.training.worker import DONE
from tests.campaign.bench import Bench, add, environment
from tests.factories import BUSINESS_DATE
from tests.pipeline.dataset.sequences import random_sequences, write_sequences
from tests.pipeline.training.test_resume import metrics, same_weights

KILLS = 10
SPOILED = 3
# More steps than kills, so that each kill meets another one.
SETTINGS = TrainingSettings(
    architecture="lens_mean", epochs=3, batch_size=16, max_baskets=5, max_products=8, checkpoint_steps=1, workers=1
)
TASK = f"{type(NEXT_BASKET).__module__}:{type(NEXT_BASKET).__qualname__}"
POLL_SECONDS = 0.005


def killed_and_spoiled(bench: Bench) -> Counter[str]:
    """Kills in one training, after some of which the newest checkpoint is cut in half or emptied."""
    state = bench.state()
    undisturbed, disturbed = _spec(bench.folder, "undisturbed"), _spec(bench.folder, "disturbed")
    if "left" not in state:
        _run(undisturbed, bench.folder)
        bench.keep(left=KILLS, spoiled=0)
        state = bench.state()
    left, spoiled, chance = state["left"], state["spoiled"], random.Random(bench.seed)
    while left and not bench.is_over() and _kill_after_next_checkpoint(disturbed, bench.folder):
        left -= 1
        if spoiled < SPOILED:
            spoiled += _spoil_newest(disturbed, chance)
        bench.keep(left=left, spoiled=spoiled)
    counted = Counter(kills=KILLS - left)
    if left and not disturbed.model_path.is_file():
        return add(counted, {"unfinished": 1})
    _run(disturbed, bench.folder)
    counted["half checkpoints"] = spoiled
    counted["other weights"] = int(not same_weights(undisturbed.model_path, disturbed.model_path))
    counted["other metrics"] = int(metrics(undisturbed) != metrics(disturbed))
    return counted


def _spec(folder: Path, name: str) -> TrainingSpec:
    data = folder / "tables"
    if not data.is_dir():
        write_sequences(data, random_sequences(80), 25)
    return TrainingSpec(
        folder=folder / name,
        task=NEXT_BASKET.name,
        tables={"sequences": data / "sequences", "vocabulary": data / "vocabulary"},
        business_date=BUSINESS_DATE,
        settings=SETTINGS,
    )


def _start(spec: TrainingSpec, folder: Path) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "pipeline.training.worker", str(spec.write()), TASK]
    more = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}
    with (spec.folder / "worker-0.log").open("ab") as log:
        return subprocess.Popen(
            line,
            env=environment(folder, **more),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )


def _run(spec: TrainingSpec, folder: Path) -> None:
    """To the end. Raises: AssertionError: with the end of the worker's log."""
    process = _start(spec, folder)
    assert process.stdout is not None
    said = process.stdout.readline()
    process.kill()
    process.wait()
    assert said == DONE, (spec.folder / "worker-0.log").read_text()[-3000:]


def _kill_after_next_checkpoint(spec: TrainingSpec, folder: Path) -> bool:
    """Start the worker, and end it as soon as it has written another checkpoint; False where it was done before."""
    before = _newest(spec)
    process = _start(spec, folder)
    while process.poll() is None and _newest(spec) <= before and not spec.model_path.is_file():
        time.sleep(POLL_SECONDS)
    ended_by_itself, is_done = process.poll() is not None, spec.model_path.is_file()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert is_done or not ended_by_itself, (spec.folder / "worker-0.log").read_text()[-3000:]
    return not is_done


def _newest(spec: TrainingSpec) -> int:
    """Step of the newest checkpoint; 0 before the first."""
    return max((int(path.stem.rpartition("-")[2]) for path in spec.checkpoints.glob("ckpt-*.index")), default=0)


def _spoil_newest(spec: TrainingSpec, chance: random.Random) -> int:
    """Leave half, or nothing, of a file of the newest checkpoint, as a power cut can; whether there is an older one."""
    if len(list(spec.checkpoints.glob("ckpt-*.index"))) < 2:
        return 0
    for path in spec.checkpoints.glob(f"ckpt-{_newest(spec)}.*"):
        if path.suffix != ".index" or chance.random() < 0.5:
            os.truncate(path, path.stat().st_size // chance.choice((2, 10**9)))
    return 1
