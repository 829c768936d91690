"""Every task by name, and its settings."""

from typing import Any

from models.names import look_up
from pipeline.settings import Settings
from pipeline.task import Task
from pipeline.tasks.next_basket import NextBasket

NEXT_BASKET = NextBasket()

TASKS: dict[str, Task] = {each.name: each for each in (NEXT_BASKET,)}


def find_task(name: str) -> Task:
    """The task called `name`; ValueError with the known names otherwise."""
    return look_up("task", name, TASKS)


def task_and_settings(name: str, settings: Settings) -> tuple[Any, Settings]:
    """A task, and the settings with its own `[tasks.<name>]` in place.

    Raises: ValueError: for an unknown task, also one that `[tasks]` names: a misspelt one is never silently ignored.
    """
    for named in settings.tasks:
        find_task(named)
    return find_task(name), settings.of_task(name)
