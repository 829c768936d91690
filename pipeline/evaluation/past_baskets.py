"""Predicted baskets of past mornings held against what came, in Spark's executors: histories in, sums out.

Two callables on Arrow batches of customers' histories as of tonight, one row per customer and past morning: one scores
what was published on the morning, one predicts by tonight's champion as of it. No customer's own figures leave here.

Neither reads anything on or after the morning but the truth. What later days do change: which products the vocabulary
knows, and that a history which `sequences.max_baskets` cuts is shorter by the baskets since.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models import fields
from models.baselines.frequency import PersonalTop
from models.basket_sequences import BasketSequences
from models.days import epoch_day
from models.keys import keys_of, rows_of
from models.ragged import positions_within
from models.special_ids import FIRST_PRODUCT, PADDING, UNKNOWN
from pipeline.dataset.batch import targets
from pipeline.dataset.candidates import CandidateSource, sequences_of
from pipeline.dataset.histories import Histories, read_histories
from pipeline.dataset.next_baskets import knows_any, translated
from pipeline.dataset.prediction_rows import SentModel, basket_forecaster
from pipeline.evaluation.basket_sums import BoughtBaskets, StatedBaskets, basket_sums
from pipeline.settings import PredictionSettings
from pipeline.tables.basket_backtests import REPLAY

SUMS = "origin string, as_of date, sums array<bigint>"
_WHOLE_BASKETS = np.iinfo(np.int32).max


@dataclass(frozen=True)
class PublishedBaskets:
    """Scores what earlier nights published.

    Rows: the columns of histories, empty for who has not come back, and as_of, origin, next_sold_on, `stated` (product
    and probability, most probable first).

    Args: product_ids: object [V], tonight's vocabulary by index.
    """

    business_date: date
    product_ids: np.ndarray

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Sums by origin and morning, in the columns of SUMS."""
        histories, days = read_histories(rows), _days(rows["as_of"])
        origins = np.asarray(rows["origin"].to_pylist(), object)
        due, (products, probabilities) = _days(rows["next_sold_on"]), self._stated(rows["stated"])
        for day in np.unique(days):
            for origin in np.unique(origins[days == day]):
                of = np.flatnonzero((days == day) & (origins == origin))
                stated = StatedBaskets(products[of], probabilities[of], np.maximum(due[of] - day, 0))
                bought = bought_next(histories, of, day, n_products=len(self.product_ids), width=products.shape[1])
                yield _row(origin, int(day), basket_sums(stated, bought, epoch_day(self.business_date) - day))

    def _stated(self, lists: Any) -> tuple[np.ndarray, np.ndarray]:
        """Products by tonight's indices and probabilities, [B, K] each, 0 padded."""
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        lines = lists.flatten()
        names = pc.struct_field(lines, "product_id").to_pylist()
        row, position = np.repeat(np.arange(len(lengths)), lengths), positions_within(lengths)
        products = np.full((len(lengths), lengths.max(initial=0)), PADDING, np.int32)
        probabilities = np.zeros(products.shape)
        products[row, position] = rows_of(keys_of(names), keys_of(self.product_ids), missing=UNKNOWN)
        probabilities[row, position] = pc.struct_field(lines, "probability").to_numpy(zero_copy_only=False)
        return products, probabilities


@dataclass(frozen=True)
class ReplayedBaskets:
    """Predicts by tonight's champion as of past mornings whomever it would have predicted then, and scores that.

    Rows: the columns of histories of customers, and as_of.

    Args:
        product_ids: object [V], tonight's vocabulary by index.
        champion: as it predicts tonight; remembered: what it is to remember instead as of each morning.
        min_baskets: of a customer with a sequence.
    """

    business_date: date
    settings: PredictionSettings
    product_ids: np.ndarray
    champion: SentModel
    remembered: Mapping[date, BasketSequences]
    min_baskets: int

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Sums by morning, in the columns of SUMS."""
        histories, days = read_histories(rows), _days(rows["as_of"])
        forecaster = basket_forecaster(self.champion, self.settings)
        own_keys = keys_of(self.product_ids)
        renamed = translated(histories, own_keys, forecaster.product_keys)
        tonight = rows_of(forecaster.product_keys, own_keys, missing=UNKNOWN)
        tonight[:FIRST_PRODUCT] = np.arange(FIRST_PRODUCT)
        memories = {epoch_day(each): known for each, known in self.remembered.items()}
        for day in np.unique(days):
            ends, starts = histories.baskets_before(day), histories.basket_offsets[:-1]
            last = histories.sold_on[np.maximum(ends - 1, 0)]
            # Of others tonight's table holds only those who came back since: that must not be known.
            suits = (days == day) & (ends - starts >= self.min_baskets) & knows_any(renamed, ends)
            of = np.flatnonzero(suits & (last >= day - self.settings.active_days))
            if not len(of):
                continue
            memory = CandidateSource.of_histories(memories[int(day)], self.champion.n_candidates)
            by = replace(forecaster, memory=memory)
            decoded = by.forecast(renamed, of, day - last[of], self.settings.batch_size, ends[of])
            due = last[of] + np.round(decoded["due_days"]).astype(np.int64)
            stated = StatedBaskets(
                tonight[decoded["products"]],
                np.clip(decoded["probabilities"].astype(np.float64), 0.0, 1.0),
                np.maximum(due - day, 0),
            )
            width = stated.products.shape[1]
            bought = bought_next(histories, of, day, n_products=len(self.product_ids), width=width)
            yield _row(REPLAY, int(day), basket_sums(stated, bought, epoch_day(self.business_date) - day))


def bought_next(histories: Histories, funnels: np.ndarray, day: int, *, n_products: int, width: int) -> BoughtBaskets:
    """First baskets of the funnels on `day` (since 1970-01-01) or later, and `width` own products from before it."""
    ends = histories.baskets_before(day)[funnels]
    came = ends < histories.basket_offsets[funnels + 1]
    ends, funnels = ends[came], funnels[came]
    if not len(ends):
        none = np.zeros((0, 1), np.int32)
        return BoughtBaskets(came, none[:, 0], none, none[:, 0], none)
    truth = targets(histories, ends, _WHOLE_BASKETS)
    own = PersonalTop().rank(sequences_of(histories, funnels, ends, n_products), width).products
    days = histories.sold_on[ends].astype(np.int64) - day
    return BoughtBaskets(came, days, truth[fields.TARGET_PRODUCTS], truth[fields.TARGET_SIZES], own)


def _row(origin: str, day: int, sums: np.ndarray) -> pa.RecordBatch:
    """One row in the columns of SUMS."""
    return pa.RecordBatch.from_pydict(
        {
            "origin": pa.array([origin], pa.string()),
            "as_of": pa.array([day], pa.int32()).cast(pa.date32()),
            "sums": pa.array([sums.tolist()], pa.list_(pa.int64())),
        }
    )


def _days(column: Any) -> np.ndarray:
    """Days since 1970-01-01; int64 [B]."""
    days: np.ndarray = column.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64)
    return days
