"""Examples of the tasks item_vectors and styles: what is learned, and the question that the held-out days answer."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.days import epoch_day
from models.refusal import Refusal
from models.style_config import StyleConfig
from pipeline.dataset.article_vectors import vectors_by
from pipeline.dataset.item_examples import ItemExamples, scaled
from pipeline.dataset.long_epochs import LongEpochs
from pipeline.dataset.style_data import StyleData, has_seasons, read_vectors
from pipeline.dataset.style_examples import StyleExamples
from pipeline.dataset.style_ranking import StyleRanking
from pipeline.dataset.style_steps import Histories
from pipeline.evaluation.style_baselines import Content, Popularity
from pipeline.evaluation.style_problem import Problem, Shop, problem_at
from pipeline.evaluation.style_scorecard import measure_baselines, measure_ranking, profile_scores
from pipeline.settings import TrainingSettings
from pipeline.task import Metrics, Tables

if TYPE_CHECKING:
    from models.item_vectors import ItemVectorModel
    from models.style import StyleModel

MOST_CUSTOMERS = 3000


@dataclass(frozen=True)
class HeldOut:
    """A night's data before the held-out days, and the question that these answer.

    past: purchases before them; problem: which articles customers whose purchases teach no vectors bought in them.
    """

    data: StyleData
    problem: Problem

    @classmethod
    def open(
        cls, tables: Tables, business_date: date, settings: TrainingSettings, *, images: bool, views: bool
    ) -> "HeldOut":
        """Cut the data. Raises: Refusal: there is nothing to learn or to measure."""
        data = StyleData.open(tables, business_date, images, views)
        first = epoch_day(business_date) - settings.holdout_days
        shop = Shop(data.purchases, data.articles, assortment=data.dated, views=data.views)
        try:
            problem = problem_at(shop, first, days=settings.holdout_days)
            return cls(data, _asked_of(problem, np.flatnonzero(~data.teaches_vectors)))
        except ValueError as error:
            raise Refusal(
                f"{error}; deliver more history or set training.holdout_days of the task to a time in which customers "
                "come back"
            ) from error

    @property
    def past(self) -> "StyleData":
        """The data without the held-out days."""
        return replace(self.data, purchases=self.problem.past, views=self.problem.views)


class ItemVectorExamples(LongEpochs):
    """Articles that were sold before the held-out days, against frequent customers."""

    def __init__(self, held_out: HeldOut, training: ItemExamples) -> None:
        super().__init__(training)
        self.held_out, self.training = held_out, training

    @classmethod
    def open(cls, tables: Tables, business_date: date, settings: TrainingSettings) -> "ItemVectorExamples":
        """Cut the examples. Raises Refusal: as `HeldOut`."""
        held_out = HeldOut.open(tables, business_date, settings, images=True, views=False)
        past = held_out.past.purchases
        teaching = past.take(held_out.data.teaches_vectors[past.customers])
        if not len(teaching):
            raise Refusal("too few customers bought before the held-out days to learn article vectors of them")
        training = ItemExamples(held_out.problem.articles, teaching, most_customers=MOST_CUSTOMERS, seed=settings.seed)
        return cls(held_out, training)

    @property
    def n_held_out(self) -> int:
        """Customers who bought before the held-out days and in them, and teach no vectors."""
        return len(self.held_out.problem.customers)

    def measure(self, model: "ItemVectorModel", limit: int) -> Metrics:
        """How well likeness to what was bought ranks what is in store, by the model's vectors."""
        vectors = vectors_by(model, self.held_out.data.described)
        return measure_ranking(self.held_out.problem, lambda part: profile_scores(part, vectors), limit)

    def measure_baselines(self, limit: int) -> dict[str, Metrics]:
        """The same of likeness by tags."""
        return measure_baselines(self.held_out.problem, limit, {"content": Content()})


class StyleTaskExamples(LongEpochs):
    """Steps of customers before the held-out days, of those whose purchases teach no vectors."""

    def __init__(self, held_out: HeldOut, vectors: np.ndarray, vectors_version: str, config: StyleConfig) -> None:
        self.held_out, self.vectors_version, self.config = held_out, vectors_version, config
        past = held_out.past
        self._vectors, self.seasons = vectors, has_seasons(past.purchases)
        self.histories = Histories(past.purchases, vectors, config, seasons=self.seasons)
        self.numbers = scaled(past.described.numbers, np.flatnonzero(past.purchases.sold()))
        self.training = StyleExamples(
            self.histories,
            past.assortment(past.purchases),
            float(held_out.problem.cutoff),
            self.numbers,
            customers=np.flatnonzero(~past.teaches_vectors),
            seed=config.seed,
            views=past.views,
        )
        super().__init__(self.training)

    @classmethod
    def open(
        cls, tables: Tables, business_date: date, settings: TrainingSettings, config: StyleConfig
    ) -> "StyleTaskExamples":
        """Cut the examples. Raises Refusal: as `HeldOut`."""
        held_out = HeldOut.open(tables, business_date, settings, images=False, views=True)
        vectors, version = read_vectors(tables, held_out.data.described.names)
        config = replace(config, vector_units=vectors.shape[1], seed=settings.seed)
        return cls(held_out, vectors, version, config)

    @property
    def n_held_out(self) -> int:
        """Customers who bought before the held-out days and in them, and teach no vectors."""
        return len(self.held_out.problem.customers)

    @cached_property
    def n_signals(self) -> int:
        """Signals of an article."""
        return self.training.signals.width

    def measure(self, model: "StyleModel", limit: int) -> Metrics:
        """How well the model ranks what is in store; nothing of a model that other vectors trained."""
        if model.vectors != self.vectors_version:
            return {}
        problem, past = self.held_out.problem, self.held_out.past.purchases
        histories = Histories(past, self._vectors, model.config, seasons=model.seasons)
        ranking = StyleRanking(model, histories, self.training.signals, self.held_out.problem.views)
        return measure_ranking(
            problem, lambda part: ranking.intents(part.customers, part.store, float(part.cutoff)), limit
        )

    def measure_baselines(self, limit: int) -> dict[str, Metrics]:
        """The same of what sells, and of likeness by tags."""
        methods: dict[str, Popularity | Content] = {"popularity": Popularity(), "content": Content()}
        return measure_baselines(self.held_out.problem, limit, methods)


def _asked_of(problem: Problem, customers: np.ndarray) -> Problem:
    """The question of some customers alone. Raises: ValueError: none of them is asked."""
    kept = np.isin(problem.customers, customers)
    if not kept.any():
        raise ValueError("every customer who came back in the held-out days teaches article vectors")
    row = np.cumsum(kept) - 1
    chosen = kept[problem.rows]
    return replace(
        problem,
        customers=problem.customers[kept],
        rows=row[problem.rows[chosen]],
        columns=problem.columns[chosen],
    )
