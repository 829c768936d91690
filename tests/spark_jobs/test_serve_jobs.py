"""One Spark application for many jobs: nothing of one job reaches the next, and a job that is given up stops.

The jobs here are modules that the test writes; the server, the client and Spark are the real ones.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from pipeline.job_server.client import run_job
from pipeline.job_server.driver import submit_arguments
from pipeline.job_server.protocol import OWNER, Request
from pipeline.nightly.environment import spark_environment

JOB = """
import json, os, sys
from pathlib import Path
from pyspark.sql import SparkSession

def main(argv):
    spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 3).getOrCreate()
    seen = {
        "application": spark.sparkContext.applicationId,
        "server": os.getpid(),
        "view": spark.catalog.tableExists("left_behind"),
        "ansi": spark.conf.get("spark.sql.ansi.enabled"),
        "cached": spark.sparkContext._jsc.getPersistentRDDs().size(),
        "day": os.environ.get("DAY"),
        "left": os.environ.get("LEFT_BEHIND"),
        "folder": os.getcwd(),
        "argv": sys.argv[1:],
    }
    Path(argv[0]).write_text(json.dumps(seen))
    frame = spark.range(10).cache()
    frame.createOrReplaceTempView("left_behind")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    os.environ["LEFT_BEHIND"] = "1"
    os.chdir("/")
    print("counted", frame.count())
    what = argv[1] if len(argv) > 1 else ""
    if what == "refuse":
        sys.exit("job: the table is refused")
    if what == "die":
        os._exit(9)
    if what == "run":
        spark.sparkContext.parallelize(range(1), 1).map(slow).collect()

def slow(_):
    import time
    time.sleep(600)
"""


TASK = """
import json, sys
from pathlib import Path
from pipeline.job_server.client import run_job
from pipeline.job_server.protocol import Request
folder, *request = json.loads(sys.argv[1])
run_job(Path(folder), Request(*request), print)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """That of a night; the server ends with the process that owns it."""
    modules = tmp_path_factory.mktemp("modules")
    (modules / "some_job.py").write_text(JOB)
    variables = os.environ | spark_environment()
    with subprocess.Popen(["sleep", "600"]) as owner:
        yield variables | {
            "LARDER_JOBS_PYTHON": sys.executable,
            "PYTHONPATH": f"{modules}:{variables['PYTHONPATH']}",
            "PYSPARK_SUBMIT_ARGS": submit_arguments("1g", str(modules)),
            "SPARK_LOCAL_IP": "127.0.0.1",
            OWNER: str(owner.pid),
        }
        owner.kill()


def test_a_job_leaves_nothing_to_the_next_and_a_failure_ends_the_server(
    environment: dict[str, str], tmp_path: Path
) -> None:
    first, _ = _run(tmp_path, environment | {"DAY": "1"})
    second, said = _run(tmp_path, environment | {"DAY": "2"})
    assert said[-1] == "counted 10"
    assert first | {"day": "2"} == second
    assert {name: value for name, value in second.items() if name not in {"application", "server", "argv"}} == {
        "view": False,
        "ansi": "true",
        "cached": 0,
        "day": "2",
        "left": None,
        "folder": str(tmp_path),
    }
    refused: list[str] = []
    arguments = (str(tmp_path / "seen"), "refuse")
    assert run_job(tmp_path, Request("some_job", arguments, environment, str(tmp_path)), refused.append) == 1
    assert refused[-1] == "job: the table is refused"
    assert _gone(first["server"])
    assert _run(tmp_path, environment)[0]["application"] != first["application"]


def test_the_server_its_jvm_and_its_workers_end_with_the_client_that_left(
    environment: dict[str, str], tmp_path: Path
) -> None:
    request = Request("some_job", (str(tmp_path / "seen"), "run"), environment, str(tmp_path))
    values = json.dumps([str(tmp_path), *asdict(request).values()])
    with subprocess.Popen([sys.executable, "-c", TASK, values], env=environment) as task:
        while not (tmp_path / "seen").exists():
            time.sleep(0.1)
        time.sleep(1)
        server = json.loads((tmp_path / "seen").read_text())["server"]
        of_server = psutil.Process(server).children(recursive=True)
        assert any("java" in process.name() for process in of_server)
        task.kill()
    assert _gone(server, *(process.pid for process in of_server))


def _run(folder: Path, environment: dict[str, str]) -> tuple[dict[str, object], list[str]]:
    said: list[str] = []
    request = Request("some_job", (str(folder / "seen"),), environment, str(folder))
    assert run_job(folder, request, said.append) == 0, said
    return json.loads((folder / "seen").read_text()), said


def _gone(*pids: object) -> bool:
    """All these processes end within a few seconds."""
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(int(str(pid)))]  # type: ignore[arg-type]
    return psutil.wait_procs(alive, timeout=10)[1] == []
