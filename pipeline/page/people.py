"""Who is asking, and whether they may change anything."""

import getpass
from dataclasses import dataclass

from flask import g

from pipeline.settings import Settings

PERSON = "person"  # where a login leaves who it was, for the request that it lets in


class NotAllowed(Exception):
    """A reader tries what only editors may; the message says so."""


@dataclass(frozen=True)
class Person:
    """`name` signs what is changed."""

    name: str
    may_edit: bool


def person(settings: Settings) -> Person:
    """The person who sends the request: as logged in, else the user who runs the page on this machine."""
    if known := g.get(PERSON):
        return Person(known["name"], known["may_edit"] and not settings.page.read_only)
    return Person(getpass.getuser(), not settings.page.read_only)


def editor(settings: Settings) -> Person:
    """Whoever sends the request, if they may change things. Raises: NotAllowed."""
    asking = person(settings)
    if not asking.may_edit:
        raise NotAllowed(f"{asking.name} may read the alerts and not change them")
    return asking
