"""Start the TensorFlow workers as the tasks of one Spark barrier stage, and wait for the model.

Each task binds a free port, tells the others by `allGather`, and runs `pipeline.training.worker` as a process of its
own: TensorFlow's collectives must be configured before anything else happens in a process, and Spark reuses its
Python processes. A worker that dies fails its task; Spark then ends the others and starts the stage again, and all
resume from the chief's latest checkpoint.
"""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark import BarrierTaskContext
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import SparkSession

from models.refusal import Refusal
from pipeline.settings import TrainingSettings
from pipeline.task import KerasTask
from pipeline.training.spec import TrainingSpec
from pipeline.training.worker import DONE, REFUSED

LOG_LINES_SHOWN = 15


class TrainingFailed(Exception):
    """A worker ended without a model; the message carries the end of its log."""


def threads_per_worker(spark: SparkSession, workers: int) -> int:
    """TensorFlow threads of a worker: its share of this machine's cores in local mode, a task's cores on a cluster."""
    if _master(spark).startswith("local"):
        return max(1, (os.cpu_count() or 1) // workers)
    return int(spark.conf.get("spark.task.cpus", "1") or 1)


def executor_resources(settings: TrainingSettings) -> dict[str, str]:
    """Spark settings for executors that each can run a worker with its GPU; none where training asks for no GPU."""
    gpus = settings.gpus_per_worker
    return {"spark.executor.resource.gpu.amount": str(gpus)} if gpus else {}


def launch(spark: SparkSession, task: KerasTask, spec: TrainingSpec, *, timeout_minutes: int) -> Path:
    """Train on the session's cluster; returns the Keras file, whose history lies beside it.

    Repeating a finished training returns its model at once. Each worker sees only the GPU of its task
    (`training.gpus_per_worker`), from executors that have some (`executor_resources`); in local mode Spark hands out
    none.
    Raises: Refusal: if the session cannot run all workers at the same time, or a worker says why there is nothing to
            train; TrainingFailed: if a worker fails in every attempt.
    """
    model = spec.model_path
    path = spec.write()
    if model.is_file():
        return model
    workers = spec.settings.workers
    _check_slots(_master(spark), workers)
    task_class = f"{type(task).__module__}:{type(task).__qualname__}"
    wants_gpus = spec.settings.gpus_per_worker > 0 and not _master(spark).startswith("local")

    def work(_: Iterable[int]) -> Iterator[tuple[int, str | None]]:
        yield _run_worker(path, task_class, timeout_minutes * 60, wants_gpus)

    tasks = spark.sparkContext.parallelize(range(workers), workers)
    if wants_gpus:
        # Only these tasks ask for a GPU; the other stages of the cluster's jobs need none.
        requests = TaskResourceRequests().cpus(1).resource("gpu", spec.settings.gpus_per_worker)
        tasks = tasks.withResources(ResourceProfileBuilder().require(requests).build)
    stage = tasks.barrier().mapPartitions(work)
    try:
        # The shuffle makes this a map stage: Spark retries a failed barrier map stage but aborts a failed result stage.
        refusals = [refusal for _, refusal in stage.partitionBy(1).collect() if refusal]
    except Py4JJavaError as error:
        logs = "\n".join(f"{log}:\n{_end(log)}" for log in sorted(spec.folder.glob("worker-*.log")))
        raise TrainingFailed(f"the workers failed in every attempt; their logs end with\n{logs}") from error
    if refusals:
        raise Refusal(refusals[0])
    if not model.is_file():
        raise TrainingFailed(f"all workers ended, but {model} is missing: is {spec.folder} on storage that they share?")
    return model


def _master(spark: SparkSession) -> str:
    return str(spark.sparkContext.master)


def _check_slots(master: str, workers: int) -> None:
    """A local master has as many slots as its brackets say; a cluster is Spark's to judge."""
    if not master.startswith("local"):
        return
    inside = master.partition("[")[2].rstrip("]").partition(",")[0]
    slots = 1 if not inside else os.cpu_count() or 1 if inside == "*" else int(inside)
    if slots < workers:
        raise Refusal(
            f"training.workers is {workers} but master {master} runs {slots} task at a time; "
            f"use local[{workers}] or set LARDER_TRAINING__WORKERS={slots}"
        )


def _run_worker(spec_path: Path, task_class: str, timeout_seconds: int, wants_gpus: bool) -> tuple[int, str | None]:
    """Run this task's worker process to its end; returns 0, as a key, and why there was nothing to train, if so."""
    context = BarrierTaskContext.get()
    number = context.partitionId()
    hosts = [info.address.rpartition(":")[0] or info.address for info in context.getTaskInfos()]
    with socket.socket() as listener:
        listener.bind(("", 0))
        addresses = context.allGather(f"{hosts[number]}:{listener.getsockname()[1]}")
    environment = os.environ | {
        "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}),
        "CUDA_VISIBLE_DEVICES": ",".join(context.resources()["gpu"].addresses) if wants_gpus else "",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "KERAS_BACKEND": "tensorflow",
    }
    log = spec_path.parent / f"worker-{number}.log"
    command = [sys.executable, "-m", "pipeline.training.worker", str(spec_path), task_class]
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as process,
    ):
        try:
            refusal = await_worker(process, number, log, timeout_seconds)
            # No worker is ended while another one may still read from it.
            context.barrier()
        finally:
            process.kill()
    return 0, refusal


def await_worker(process: subprocess.Popen[bytes], number: int, log: Path, timeout_seconds: int) -> str | None:
    """Wait until the worker says that it is done, or why there is nothing to train, which is returned.

    Raises: TrainingFailed: when it dies or takes too long.
    """
    report = process.stdout
    assert report is not None
    if not select.select([report], [], [], timeout_seconds)[0]:
        raise TrainingFailed(f"worker {number} ran longer than {timeout_seconds} s; see {log}")
    said = report.readline()
    if said.startswith(REFUSED):
        return said.removeprefix(REFUSED).decode().strip()
    if said != DONE:
        raise TrainingFailed(f"worker {number} ended with {process.wait()}; the end of {log}:\n{_end(log)}")
    return None


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
