"""Whether the tracking store can be reached, found out in seconds and said in one line.

MLflow's client tries a closed port for many minutes and then says so in hundreds of lines; an unattended night has
better to do. So it does with a file of SQLite that it cannot open. A server that hangs is given up after
`REQUEST_SECONDS`.
"""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pipeline.text import without_passwords

CONNECT_SECONDS = 10
REQUEST_SECONDS = 60
RETRIES = 3
SQLITE = "sqlite:///"
PORTS = {"http": 80, "https": 443}


class TrackingStoreError(ConnectionError):
    """The tracking store does not answer; the message names it and what to do."""


def check_reachable(uri: str) -> None:
    """Return if a server accepts a connection, or a file of SQLite can be opened; of other stores nothing is known.

    Raises: TrackingStoreError: nothing listens there, the name is unknown, or the file cannot be opened.
    """
    if uri.startswith(SQLITE):
        _check_opens(Path(uri.removeprefix(SQLITE)))
        return
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(REQUEST_SECONDS))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", str(RETRIES))
    address = urlsplit(uri)
    if address.scheme not in PORTS or address.hostname is None:
        return
    if address.scheme in getproxies() and not proxy_bypass(address.hostname):
        return  # reached through a proxy, which alone knows
    try:
        port = address.port or PORTS[address.scheme]
        socket.create_connection((address.hostname, port), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise TrackingStoreError(
            f"the tracking store {without_passwords(uri)} does not answer ({reason}); start it, or correct "
            "LARDER_TRACKING_URI"
        ) from None


def _check_opens(path: Path) -> None:
    """Return if SQLite can open the file, or would find no folder for it, which MLflow may make."""
    if not path.parent.is_dir():
        return
    try:
        with closing(sqlite3.connect(path, timeout=CONNECT_SECONDS)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        raise TrackingStoreError(
            f"the tracking store {path} cannot be opened ({error}); mend it, or correct LARDER_TRACKING_URI"
        ) from None
