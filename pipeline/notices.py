"""Messages to people, to the Apprise addresses that somebody configured; off by default.

`LARDER_NOTIFY_URLS`, or a file named by `LARDER_NOTIFY_URLS_FILE`, holds the addresses, one per line (mail, Slack,
Teams and some hundred others). They contain passwords, so they are read when a message is sent and never logged.
Airflow's environment and the jobs' both import this.
"""

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


def send(title: str, body: str) -> bool | None:
    """Send to every configured address: whether all took it, None where there is none. Never an error of its own."""
    try:
        addresses = configured_addresses()
    except OSError as error:
        log.error("the file that LARDER_NOTIFY_URLS_FILE names cannot be read: %s", error.strerror)
        return False
    if not addresses:
        return None
    import apprise

    messenger = apprise.Apprise()
    accepted = [messenger.add(address) for address in addresses]
    if all(accepted) and messenger.notify(title=title, body=body):
        return True
    log.error("a notice could not be sent to all %d addresses of LARDER_NOTIFY_URLS", len(addresses))
    return False


def configured_addresses() -> list[str]:
    """Apprise addresses from the file or the environment; none by default."""
    named = os.environ.get("LARDER_NOTIFY_URLS_FILE")
    text = Path(named).read_text() if named else os.environ.get("LARDER_NOTIFY_URLS", "")
    return [line.strip() for line in text.splitlines() if line.strip()]
