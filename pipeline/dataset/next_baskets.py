"""Next baskets of many funnels by one forecaster, a model or the frequencies: histories in, named products out."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from models.days import epoch_day
from models.keys import keys_of, rows_of
from models.saved_files import load_model
from pipeline.dataset.batch import Batch, Cut, pasts
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.histories import Histories
from pipeline.settings import PredictionSettings
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, PADDING_INDEX, UNKNOWN_INDEX

if TYPE_CHECKING:
    from models.lens import Lens

Decode = Callable[[Batch], dict[str, np.ndarray]]
Read: TypeAlias = "Callable[[Lens, Batch], dict[str, Any]]"


@dataclass(frozen=True)
class Forecaster:
    """A way to predict next baskets, and the vocabulary it reads and writes.

    Args:
        decode: a batch to products, probabilities, quantities [B, K], gap_days and due_days [B].
        product_keys: int64 [V], key of each of its product indices.
        customer_keys: int64 [C], key of each of its customer indices; empty where it knows none.
        cut: how much of a past it reads.
        memory: what names candidates.
    """

    decode: Decode
    product_keys: np.ndarray
    customer_keys: np.ndarray
    cut: Cut
    memory: CandidateSource = field(default_factory=CandidateSource)

    def forecast(
        self,
        histories: Histories,
        funnels: np.ndarray,
        elapsed_days: np.ndarray,
        batch_size: int,
        ends: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """What `decode` returns for those funnels, most probable products first; funnels of similar length together.

        Args: ends: int64 [n], baskets before which are read, as positions among all; by default all of each funnel.
        """
        ends = histories.basket_offsets[funnels + 1] if ends is None else ends
        found = list(self.decoded(histories, funnels, ends, elapsed_days, batch_size))
        order, parts = [rows for rows, _ in found], [_by_probability(part) for _, part in found]
        back = np.argsort(np.concatenate(order))
        return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}

    def decoded(
        self, histories: Histories, funnels: np.ndarray, ends: np.ndarray, elapsed_days: np.ndarray, batch_size: int
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """What `decode` returns for the baskets of each funnel before `ends`, batch by batch, each with its rows.

        Args: funnels, ends, elapsed_days: int64 [n]; rows of `histories`, positions among all baskets, and days since.
        """
        order = np.argsort(ends - histories.basket_offsets[funnels], kind="stable")
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            candidates = self.memory.find(histories, funnels[rows], ends[rows])
            batch = pasts(histories, ends[rows], funnels[rows], self.cut, candidates)
            keys = keys_of(histories.ids[funnels[rows]])
            batch["customer_ids"] = rows_of(keys, self.customer_keys, missing=0)
            batch["elapsed_days"] = elapsed_days[rows].astype(np.float32)
            yield rows, self.decode(batch)


def translated(histories: Histories, product_keys: np.ndarray, known: np.ndarray) -> Histories:
    """Histories of one vocabulary in another's; products that it does not know become the unknown product.

    Args: product_keys, known: int64, the key of each product index of the one and of the other.
    """
    rows = rows_of(product_keys, known, missing=UNKNOWN_INDEX)
    rows[:FIRST_PRODUCT_INDEX] = np.arange(FIRST_PRODUCT_INDEX)
    return histories.renamed(rows)


def load_forecaster(model: bytes, read: Read, cut: Cut, memory: CandidateSource) -> Forecaster:
    """A forecaster from the bytes of a Keras file; slow the first time in a process, because TensorFlow starts.

    Args: read: what is read off the model for a batch.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(model)
        return forecaster_of(load_model(path), read, cut, memory)


def forecaster_of(lens: "Lens", read: Read, cut: Cut, memory: CandidateSource) -> Forecaster:
    """A forecaster by a model in memory."""
    from pipeline.dataset.tensors import compiled

    decode = compiled(lambda batch: read(lens, batch))
    return Forecaster(decode, lens.keys.product_keys, lens.keys.customer_keys, cut, memory)


def predicted_basket(settings: PredictionSettings) -> Read:
    """The next basket by the model, decoded as the settings say."""

    def read(lens: "Lens", batch: Batch) -> dict[str, Any]:
        if settings.basket == "best_f1":
            return lens.best_basket(batch, settings.max_products)
        return lens.decode(batch, settings.max_products, settings.beams)

    return read


def days_since(histories: Histories, business_date: date) -> np.ndarray:
    """Days from each funnel's last basket to the business date; int64 [n]."""
    last = histories.sold_on[histories.basket_offsets[1:] - 1]
    return epoch_day(business_date) - last.astype(np.int64)


def knows_any(histories: Histories, ends: np.ndarray | None = None) -> np.ndarray:
    """Whether a funnel has a known product in any basket; bool [n].

    Args: ends: int64 [n], baskets before which are looked at, as positions among all; by default all of each funnel.
    """
    before = np.concatenate([[0], np.cumsum(histories.known_lines)])
    return before[histories.basket_offsets[1:] if ends is None else ends] > before[histories.basket_offsets[:-1]]


def _by_probability(decoded: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Most probable products first, padding last."""
    order = np.argsort(np.where(decoded["products"] == PADDING_INDEX, 1.0, -decoded["probabilities"]), kind="stable")
    wide = ("products", "probabilities", "quantities")
    return decoded | {name: np.take_along_axis(decoded[name], order, axis=1) for name in wide}
