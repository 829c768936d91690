"""The environment in which Airflow runs here: one machine, embedded defaults, both virtual environments.

Airflow's variables are defaults: one that is already set (`AIRFLOW_CONN_SPARK_DEFAULT`, ...) wins, so that a Spark
cluster is one variable away. Keys are drawn once per installation and kept in files that only their owner reads;
Airflow gets them by a command that prints the file, so that they appear in no environment and no command line.
"""

import base64
import importlib.util
import json
import os
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.job_server.driver import LOCAL_MASTER, TEMPORARY, submit_arguments
from pipeline.job_server.protocol import FOLDER, OWNER
from pipeline.settings import REPOSITORY, Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.temporary_folder import TemporaryFolder

SERVICE = "service"  # the Airflow that `larder up` starts
ONCE = "once"  # the Airflow of `larder nightly`; of its own, since a running scheduler would take up the run as well
SPARK_CONNECTION = "AIRFLOW_CONN_SPARK_DEFAULT"
METADATA_DATABASE = "AIRFLOW__DATABASE__"


class SetupError(Exception):
    """Something that `make setup` provides is missing."""


def airflow_program() -> str:
    """The Airflow command of the environment beside ours, or the one that LARDER_AIRFLOW names."""
    program = Path(os.environ.get("LARDER_AIRFLOW", REPOSITORY / ".venv-airflow" / "bin" / "airflow"))
    if not program.is_file():
        raise SetupError(f"there is no {program}; run `make setup`, or name Airflow's command in LARDER_AIRFLOW")
    return str(program)


def airflow_environment(settings: Settings, role: str) -> dict[str, str]:
    """Environment variables for an Airflow process of that role, those of the caller included."""
    home = Path(settings.data_dir).resolve() / "airflow" / role
    home.mkdir(parents=True, exist_ok=True)
    port = os.environ.get("LARDER_AIRFLOW_PORT", "8080")
    defaults = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Else a file that does not name Airflow, since a factory makes its DAG, is not even read.
        "AIRFLOW__CORE__DAG_DISCOVERY_SAFE_MODE": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": shop_timezone(settings),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # Two jobs at a time fill a small machine; the third process is for notices, which no busy job may hold up.
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "2",
        "AIRFLOW__CORE__FERNET_KEY_CMD": _print_key(home / "fernet.key"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY_CMD": _print_key(home / "api.key"),
        "AIRFLOW__API_AUTH__JWT_SECRET_CMD": _print_key(home / "jwt.key"),
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    }
    if SPARK_CONNECTION not in os.environ:
        local = {"conn_type": "spark", "host": LOCAL_MASTER}
        defaults |= {SPARK_CONNECTION: json.dumps(local), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment = {**defaults, **os.environ}
    if role == ONCE:
        environment = {name: value for name, value in environment.items() if not name.startswith(METADATA_DATABASE)}
        environment["AIRFLOW_HOME"] = str(home)
    ours = {
        "LARDER_DATA_DIR": str(Path(settings.data_dir).resolve()),
        "LARDER_SPARK_DRIVER_MEMORY": settings.spark_driver_memory,
        "LARDER_JOBS_PYTHON": sys.executable,
    }
    return environment | ours | spark_environment()


@contextmanager
def spark_temporary() -> Iterator[dict[str, str]]:
    """Variables by which Spark applications on this machine write aside into a folder that ends with this process.

    None where a cluster is configured, whose executors have folders of their own. After a kill the next one removes
    the folder.
    """
    if SPARK_CONNECTION in os.environ:
        yield {}
        return
    folder = TemporaryFolder()
    try:
        yield {TEMPORARY: str(folder.path)}
    finally:
        folder.remove()


@contextmanager
def shared_spark(settings: Settings) -> Iterator[dict[str, str]]:
    """Variables by which the jobs of a night share one Spark application, which ends with this process.

    Where a cluster is configured, or the setting says no, each job is submitted by itself.
    """
    with spark_temporary() as temporary:
        if not settings.share_spark or not temporary:
            yield temporary
            return
        # A short path, as sockets need, that only its owner may enter.
        path = temporary[TEMPORARY]
        submit = submit_arguments(settings.spark_driver_memory, path)
        yield temporary | {FOLDER: path, OWNER: str(os.getpid()), "PYSPARK_SUBMIT_ARGS": submit, "TMPDIR": path}


def shop_timezone(settings: Settings) -> str:
    """The time zone of the configured source's stores, in which the schedule's hours are meant.

    In UTC the night of a shop in Los Angeles would run on the evening before the morning it is about. UTC where the
    source's description is not to be read here.
    """
    try:
        return load_source(settings.source).timezone
    except SourceError:
        return "UTC"


def spark_environment() -> dict[str, str]:
    """Variables with which a process runs this checkout's jobs: this Python, and the Spark installed beside it."""
    spark_home = _spark_home()
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_HOME": spark_home,
        "PATH": os.pathsep.join([f"{spark_home}/bin", os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])),
    }


def _spark_home() -> str:
    """The Spark inside the jobs' environment; found without importing it."""
    found = importlib.util.find_spec("pyspark")
    if found is None or not found.submodule_search_locations:
        raise SetupError("pyspark is not installed beside larder; run `make setup`")
    return str(found.submodule_search_locations[0])


def _print_key(path: Path) -> str:
    """The command that prints a random key, which is drawn when first asked for."""
    random_key(path)
    return f"cat {shlex.quote(str(path))}"


def random_key(path: Path) -> str:
    """The random key in a file that only its owner reads; drawn when first asked for."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
    return path.read_text()
