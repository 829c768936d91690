"""With what the driver of a job on one machine starts: memory, and options for jobs of seconds.

Read from the environment, all with a default:
    LARDER_JOBS_PYTHON          Python of the jobs' environment (default `.venv/bin/python` beside the repository)
    LARDER_SPARK_DRIVER_MEMORY  memory of a job's driver (default 2g)
    LARDER_SPARK_JAVA_OPTIONS   options of a job's driver JVM (default: a quick compiler with room, one collector,
                                and the archive of Spark's classes that set-up made beside the jobs' Python)
"""

import os
import shlex
from pathlib import Path

from pipeline.settings import REPOSITORY

LOCAL_MASTER = "local[2]"
PYTHON_DAEMON = "spark_jobs.python_daemon"
TEMPORARY = "LARDER_SPARK_TEMPORARY"
JOBS_PYTHON = Path(os.environ.get("LARDER_JOBS_PYTHON", REPOSITORY / ".venv" / "bin" / "python"))


def driver_memory() -> str:
    """Memory of a job's driver; in local mode, of the job."""
    return os.environ.get("LARDER_SPARK_DRIVER_MEMORY", "2g")


def lean_driver(temporary: str | None = None) -> dict[str, str]:
    """Spark settings: a job of seconds needs neither a web UI nor a metastore.

    Args: temporary: in place of LARDER_SPARK_TEMPORARY.
    """
    options = os.environ.get("LARDER_SPARK_JAVA_OPTIONS", _lean_java_options())
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.log.level": "WARN",
        "spark.python.daemon.module": PYTHON_DAEMON,
        "spark.driver.extraJavaOptions": options,
    }
    folder = temporary or os.environ.get(TEMPORARY)
    if folder is not None:
        settings["spark.local.dir"] = folder
        settings["spark.driver.extraJavaOptions"] = f"{options} -Djava.io.tmpdir={folder}"
    return settings


def submit_arguments(memory: str, temporary: str | None = None) -> str:
    """PYSPARK_SUBMIT_ARGS: the same for a Spark application that a Python process starts by itself."""
    settings = lean_driver(temporary)
    options = [option for key, value in settings.items() for option in ("--conf", f"{key}={value}")]
    return shlex.join(["--master", LOCAL_MASTER, "--driver-memory", memory, *options, "pyspark-shell"])


def _lean_java_options() -> str:
    """For jobs of seconds: Java's optimizing compiler would take longer than the job, and so would loading classes.

    Without that compiler the smallest job costs half the CPU time; clear the options where jobs run for an hour. An
    archive that does not fit the Java at hand is ignored, silently.
    """
    options = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"
    archive = JOBS_PYTHON.parents[1] / "spark.jsa"
    if archive.is_file():
        options += f" -XX:SharedArchiveFile={archive} -Xlog:disable -Xlog:all=error:stderr"
    return options
