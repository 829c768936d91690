"""Whether the tracking store can be reached, found out in seconds and said in one line.

MLflow's client tries a closed port for many minutes and then says so in hundreds of lines; an unattended night has
better to do. A server that hangs is given up after `REQUEST_SECONDS`.
"""

import os
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pipeline.text import without_passwords

CONNECT_SECONDS = 10
REQUEST_SECONDS = 60
RETRIES = 3
PORTS = {"http": 80, "https": 443}


class TrackingStoreError(ConnectionError):
    """The tracking store does not answer; the message names it and what to do."""


def check_reachable(uri: str) -> None:
    """Return if a server accepts a connection, or the store is none that has one (a file).

    Raises: TrackingStoreError: nothing listens there, or the name is unknown.
    """
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
