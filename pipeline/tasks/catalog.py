"""Every task by name, and its settings."""

from typing import Any, Protocol

from models.names import look_up
from pipeline.action_rules import ActionRules
from pipeline.offer_rules import OfferRules
from pipeline.settings import Settings
from pipeline.task import Task
from pipeline.tasks.customer_values import CustomerValues
from pipeline.tasks.item_vectors import ItemVectors
from pipeline.tasks.next_basket import NextBasket
from pipeline.tasks.next_offers import NextOffers
from pipeline.tasks.returns import Returns
from pipeline.tasks.sale_actions import SaleActions
from pipeline.tasks.styles import Styles

NEXT_BASKET = NextBasket()
NEXT_OFFERS = NextOffers()
SALE_ACTIONS = SaleActions()
CUSTOMER_VALUES = CustomerValues()
RETURNS = Returns()
ITEM_VECTORS = ItemVectors()
STYLES = Styles()

TASKS: dict[str, Task] = {
    each.name: each for each in (NEXT_BASKET, NEXT_OFFERS, SALE_ACTIONS, CUSTOMER_VALUES, RETURNS, ITEM_VECTORS, STYLES)
}


class SourceRules(Protocol):
    """What training needs of a source's description."""

    @property
    def offers(self) -> OfferRules:
        """`[offers]`."""

    @property
    def action_rules(self) -> ActionRules:
        """Of `[actions]`, how cases teach."""

    @property
    def return_days(self) -> int:
        """Days after a sale within which goods may come back."""


def find_task(name: str) -> Task:
    """The task called `name`; ValueError with the known names otherwise."""
    return look_up("task", name, TASKS)


def task_and_settings(name: str, settings: Settings, source: SourceRules | None = None) -> tuple[Any, Settings]:
    """A task, and the settings with its own `[tasks.<name>]` in place.

    Args:   source: that the settings are for; its description says what offers, actions and returns are about.
    Raises: ValueError: for an unknown task, also one that `[tasks]` names: a misspelt one is never silently ignored.
    """
    for named in settings.tasks:
        find_task(named)
    task = find_task(name)
    of_task = settings.of_task(name, task.training_defaults)
    if source is not None:
        rules = {"offers": source.offers, "actions": source.action_rules, "return_days": source.return_days}
        of_task = of_task.model_copy(update={"training": of_task.training.model_copy(update=rules)})
    return task, of_task
