"""MLflow down before, during and after a night's training: alerts are delivered all the same.

A server of MLflow's is started and stopped between the night's jobs. Without it nothing is trained or registered,
predictions come from frequencies, and the records say why.
"""

import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from pipeline.alerts.queries import publications
from pipeline.lake.lake import Lake
from pipeline.settings import REPOSITORY, Settings
from pipeline.stages import read_stages
from tests.campaign import jobs
from tests.campaign.bench import Bench, add, environment
from tests.campaign.whole_night import delivered
from tests.killing import kill_all

SECONDS_TO_START = 120
NAMES = [step.name for step in jobs.steps()]
TRAINING, PROMOTION, PREDICTION = (NAMES.index(name) for name in ("train_model", "promote_model", "predict_baskets"))
# The jobs, by number, for which the server is up.
UP = {
    "down all night": range(0),
    "down until the training is over": range(PROMOTION, len(NAMES)),
    "down from the promotion on": range(PROMOTION),
    "down from the predictions on": range(PREDICTION),
}


def down(bench: Bench) -> Counter[str]:
    """One night a step."""
    state = bench.state()
    counted = Counter(state.get("counted", {"nights without alerts": 0, "tracebacks": 0, "nights without a reason": 0}))
    finished: set[str] = set(state.get("finished", []))
    for name, up in UP.items():
        if name in finished or bench.is_over():
            continue
        counted.update(_night(bench, name, up))
        finished.add(name)
        bench.keep(counted=dict(counted), finished=sorted(finished))
    return counted if finished == set(UP) else add(counted, {"unfinished": 1})


def _night(bench: Bench, name: str, up: range) -> Counter[str]:
    """A night in which the server is up for those jobs alone."""
    data, said = delivered(bench, "data"), ""
    port = _free_port()
    # MLflow would try for minutes, in which a night has better to do.
    more = {"LARDER_TRACKING_URI": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"}
    edges = sorted({0, up.start, up.stop, len(NAMES)}) if up else [0, len(NAMES)]
    for first, end in pairwise(edges):
        with _server(data, port) if first in up else _nothing():
            done = jobs.attempt(data, "run", *NAMES[first:end], **more)
        said += done.stdout
        if done.returncode:
            print(f"{name}: {done.stdout[-3000:]}")
            break
    settings = Settings(data_dir=data)
    lake = Lake(data / "shop" / "lake")
    has_alerts = bool(lake.current("stockouts")) and bool(publications(settings, "shop"))
    details = str([stage.details for stage in read_stages(data / "shop" / "runs" / "run")])
    return Counter(
        {
            "nights": 1,
            "nights without alerts": int(not has_alerts),
            "nights without a reason": int("the tracking store" not in details),
            "tracebacks": said.count("Traceback (most recent call last)"),
        }
    )


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _server(data: Path, port: int) -> Iterator[None]:
    """MLflow's own server, as `larder up` starts it."""
    line = [str(Path(sys.executable).with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port)]
    line += ["--workers", "1", "--artifacts-destination", str(data / "artifacts")]
    more = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{data}/server.db", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (data / "server.log").open("ab") as log:
        process = subprocess.Popen(line, env=environment(data, **more), cwd=REPOSITORY, stdout=log, stderr=log)
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not _answers(port):
            assert process.poll() is None, (data / "server.log").read_text()[-2000:]
            assert time.monotonic() < until, "MLflow's server does not start"
            time.sleep(0.5)
        yield
    finally:
        kill_all(str(data))  # the server and its workers: no job is at work here
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
