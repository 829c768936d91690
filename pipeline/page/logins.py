"""Who is logged in: kept here, on the server, so that a login can end.

The cookie holds a random number and nothing else. Logging out forgets the number, and a copied cookie with it. What a
person may do is confirmed by the provider every few minutes. A restart of the page forgets all logins: the provider
gives everyone a new one. One process serves the page, so memory is enough.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MOST_LOGINS = 10_000


@dataclass
class Login:
    """One login: `person` as `pipeline.page.people` has it, the provider's token, and when it was last confirmed."""

    person: dict[str, Any]
    subject: str
    token: dict[str, Any]
    ends_at: float
    confirmed_at: float
    lock: threading.Lock = field(default_factory=threading.Lock)


class Logins:
    """All logins of this process.

    Args: confirm: asks the provider about a login; the person as they are now, None where it does not confirm them.
          seconds: how long a login lasts; confirmed_seconds: how long a confirmation does.
    """

    def __init__(
        self,
        confirm: Callable[[Login], dict[str, Any] | None],
        seconds: float,
        confirmed_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._confirm, self._seconds, self._confirmed_seconds, self._clock = confirm, seconds, confirmed_seconds, clock
        self._logins: dict[str, Login] = {}
        self._lock = threading.Lock()

    def begin(self, person: dict[str, Any], subject: str, token: dict[str, Any]) -> str:
        """Remember a login that the provider has just confirmed; returns what its cookie holds."""
        now, number = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._logins = {one: login for one, login in self._logins.items() if login.ends_at > now}
            while len(self._logins) >= MOST_LOGINS:
                del self._logins[next(iter(self._logins))]  # the oldest
            self._logins[number] = Login(person, subject, token, now + self._seconds, now)
        return number

    def person(self, number: object) -> dict[str, Any] | None:
        """Who is logged in under that number; None where nobody is, or the provider no longer confirms it."""
        now = self._clock()
        if not isinstance(number, str):
            return None
        with self._lock:
            login = self._logins.get(number)
        if login is None or login.ends_at <= now:
            self.end(number)
            return None
        with login.lock:  # the provider is asked once, however many requests wait
            if now - login.confirmed_at >= self._confirmed_seconds:
                person = self._confirm(login)
                if person is None:
                    self.end(number)
                    return None
                login.person, login.confirmed_at = person, now
        with self._lock:
            return login.person if number in self._logins else None

    def end(self, number: object) -> None:
        """Forget a login, where there is one."""
        if isinstance(number, str):
            with self._lock:
                self._logins.pop(number, None)
