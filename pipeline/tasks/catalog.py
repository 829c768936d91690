"""Every task by name, and its settings."""

from typing import Any

from models.names import look_up
from pipeline.offer_rules import OfferRules
from pipeline.settings import Settings
from pipeline.task import Task
from pipeline.tasks.next_basket import NextBasket
from pipeline.tasks.next_offers import NextOffers

NEXT_BASKET = NextBasket()
NEXT_OFFERS = NextOffers()

TASKS: dict[str, Task] = {each.name: each for each in (NEXT_BASKET, NEXT_OFFERS)}


def find_task(name: str) -> Task:
    """The task called `name`; ValueError with the known names otherwise."""
    return look_up("task", name, TASKS)


def task_and_settings(name: str, settings: Settings, offers: OfferRules | None = None) -> tuple[Any, Settings]:
    """A task, and the settings with its own `[tasks.<name>]` in place.

    Args:   offers: of the source that the settings are for.
    Raises: ValueError: for an unknown task, also one that `[tasks]` names: a misspelt one is never silently ignored.
    """
    for named in settings.tasks:
        find_task(named)
    task = find_task(name)
    of_task = settings.of_task(name, task.training_defaults)
    if offers is not None:
        of_task = of_task.model_copy(update={"training": of_task.training.model_copy(update={"offers": offers})})
    return task, of_task
