"""The job server of a night: one Spark application and one warm Python, in which its jobs run one after another.

A job of a small night works for a second or two; starting its JVM, its session and its Python with pandas and Great
Expectations takes ten. Here they start once. Each job gets a session of its own (settings, views and functions are not
shared), the environment, working directory and output that its client sends, and leaves no cached table behind. A job
that failed, and a client that left, end the server: the next job starts with a clean one.

The listening socket is standard input. Who starts and asks: `pipeline.job_server.client`.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline.job_server.protocol import OWNER, Request, receive

IDLE_SECONDS = 600
LOST = 70  # status of a server whose JVM is gone; it sends no reply


def main() -> None:
    """Serve until a job fails, its client leaves, the owner ends, or nobody asked for ten minutes."""
    listener = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDONLY)
    os.dup2(quiet, 0)
    _end_with(int(os.environ[OWNER]))
    listener.settimeout(IDLE_SECONDS)
    threading.Thread(target=_import_ahead, daemon=True).start()
    spark = SparkSession.builder.appName("larder").getOrCreate()
    status = 0
    with suppress(TimeoutError):
        while status == 0:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                status = _serve(spark, connection, listener)
    with suppress(Exception):
        spark.stop()  # removes Spark's temporary files
    leave(0)


def _import_ahead() -> None:
    """Import what every night needs and takes seconds, while the JVM starts and the first jobs wait for it."""
    for module in ("pandas", "great_expectations", "mlflow"):
        importlib.import_module(module)


def _serve(spark: SparkSession, connection: socket.socket, listener: socket.socket) -> int:
    """Run the job that a client asks for, and tell it the exit status."""
    connection.settimeout(None)
    request, output = receive(connection)
    done = threading.Event()
    threading.Thread(target=_watch, args=(connection, done), daemon=True).start()
    with _process_state_of(request, output):
        status = run(request)
    done.set()
    if status != 0 and not _is_alive(spark):
        leave(LOST)
    if status == 0:
        _forget(spark)
    else:
        listener.close()  # nobody else is served by what is left of a failed job
    connection.sendall(f"{status}\n".encode())
    return status


def run(request: Request) -> int:
    """The exit status with which the job's process would have ended, its message on standard error."""
    session = SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    _make_current(session.newSession())
    try:
        importlib.import_module(request.module).main(list(request.arguments))
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        _make_current(session)
    return 0


@contextmanager
def _process_state_of(request: Request, output: int) -> Iterator[None]:
    """The environment, working directory, arguments and output of the job's client, until the job is done."""
    kept = os.environ.copy(), Path.cwd(), sys.argv, os.dup(1), os.dup(2)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    sys.argv = [request.module, *request.arguments]
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.environ.clear()
        os.environ.update(kept[0])
        os.chdir(kept[1])
        sys.argv = kept[2]
        for stream, saved in ((1, kept[3]), (2, kept[4])):
            os.dup2(saved, stream)
            os.close(saved)


def _make_current(session: SparkSession) -> None:
    """Make it the session that `SparkSession.builder.getOrCreate()` returns."""
    SparkSession._instantiatedSession = session
    SparkSession._activeSession = session
    jvm = session._jvm
    assert jvm is not None
    jvm.SparkSession.setDefaultSession(session._jsparkSession)
    jvm.SparkSession.setActiveSession(session._jsparkSession)


def _forget(spark: SparkSession) -> None:
    """Leave neither cached tables nor garbage to the next job, least of all to training, which needs the memory."""
    spark.catalog.clearCache()
    for rdd in spark.sparkContext._jsc.getPersistentRDDs().values():
        rdd.unpersist()
    gc.collect()
    gc.freeze()  # what is left are libraries: looked through again after each job they cost a tiny night 8 seconds
    assert spark._jvm is not None
    spark._jvm.System.gc()


def _is_alive(spark: SparkSession) -> bool:
    gateway = spark.sparkContext._gateway
    return gateway is not None and gateway.proc.poll() is None


def _watch(connection: socket.socket, done: threading.Event) -> None:
    """Leave when the client does: nobody waits for the job any more, and it must not go on writing."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    poll.poll()
    if not done.is_set():
        leave(1)


def _end_with(owner: int) -> None:
    """Leave when the process that the night belongs to ends, however it ends."""
    try:
        handle = os.pidfd_open(owner)
    except ProcessLookupError:
        leave(1)

    def wait() -> None:
        select.select([handle], [], [])
        leave(1)

    threading.Thread(target=wait, daemon=True).start()


def leave(status: int) -> None:
    """End at once, and the JVM with us: a Spark task must not write on behind a job that is over."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is not None:
        with suppress(OSError):
            os.kill(gateway.proc.pid, signal.SIGKILL)
    os._exit(status)


if __name__ == "__main__":
    main()
