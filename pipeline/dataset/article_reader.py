"""How articles of a table become arrays that a model of article vectors reads: the same on every later night."""

from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.item_fields import HAS_IMAGE, IDS, IMAGES, NUMBERS, TAGS
from models.ragged import positions_within
from pipeline.task import Batch

MOST_TAGS = 24
_MOST_SPREADS = 5.0


@dataclass(frozen=True)
class DescribedArticles:
    """What tables say of n articles.

    names: object [n]; tag_offsets: int64 [n + 1] and tags: object, the tags of each; numbers: float64 [n, 1 + m], the
    logarithm of the price, then those of the catalogue, NaN where unknown; images: uint8 [n, h, w, 3], float32 [n, v],
    or None; has_image: bool [n].
    """

    names: np.ndarray
    tag_offsets: np.ndarray
    tags: np.ndarray
    numbers: np.ndarray
    images: np.ndarray | None
    has_image: np.ndarray

    @classmethod
    def of_rows(cls, rows: pa.Table | pa.RecordBatch) -> "DescribedArticles":
        """From rows of `articles` with the columns `pixels` and `vector` of their images."""
        n = rows.num_rows
        tags, numbers = (_list_column(rows[name]) for name in ("tags", "numbers"))
        price = _floats(rows["price_cents"])
        with np.errstate(divide="ignore", invalid="ignore"):
            log_price = np.where(price > 0, np.log(price), np.nan)
        of_catalogue = _floats(pc.list_flatten(numbers)).reshape(n, -1) if n else np.zeros((0, 0))
        images, has = _images(rows)
        return cls(
            names=np.array(rows["product_id"].to_pylist(), object),
            tag_offsets=np.concatenate([[0], np.cumsum(pc.list_value_length(tags).to_numpy(zero_copy_only=False))]),
            tags=pc.list_flatten(tags).to_numpy(zero_copy_only=False),
            numbers=np.concatenate([log_price[:, None], of_catalogue], axis=1),
            images=images,
            has_image=has,
        )


@dataclass(frozen=True)
class ArticleReader:
    """What a model of article vectors knows of tags, numbers and articles; kept in its file.

    Args: tags: its tags, from 1 on; means, spreads: of each number, of the articles that were sold; own: articles with
          a part of their own, from 1 on; image_shape: (0,) without images.
    """

    tags: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    own: tuple[str, ...]
    image_shape: tuple[int, ...]

    @classmethod
    def of_config(cls, config: dict[str, Any]) -> "ArticleReader":
        """From what `to_config` gave."""
        return cls(**{name: tuple(value) for name, value in config.items()})

    def to_config(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {name: list(getattr(self, name)) for name in ("tags", "means", "spreads", "own", "image_shape")}

    def arrays(self, articles: DescribedArticles) -> Batch:
        """What the model reads of articles.

        Unknown tags are left out, and so is a number of which the model has none; one that is missing counts as usual.
        """
        n = len(articles.names)
        images, has = self._images(articles)
        return {
            TAGS: self._tags(articles),
            NUMBERS: self._numbers(articles.numbers),
            IMAGES: images,
            HAS_IMAGE: has,
            IDS: _index(articles.names, self.own).astype(np.int32) if n else np.zeros(0, np.int32),
        }

    def inputs_of(self, articles: DescribedArticles) -> list[list[str]]:
        """Which inputs the model has of each article: tags, numbers, image, purchases."""
        read = self.arrays(articles)
        numbers = np.isfinite(articles.numbers[:, : len(self.means)]).any(axis=1)
        has = {
            "tags": (read[TAGS] > 0).any(axis=1),
            "numbers": numbers,
            "image": read[HAS_IMAGE] > 0,
            "purchases": read[IDS] > 0,
        }
        return [[name for name in has if has[name][row]] for row in range(len(articles.names))]

    def _tags(self, articles: DescribedArticles) -> np.ndarray:
        lengths = np.diff(articles.tag_offsets)
        rows, codes = np.repeat(np.arange(len(lengths)), lengths), _index(articles.tags, self.tags)
        rows, codes = rows[codes > 0], codes[codes > 0]
        counts = np.bincount(rows, minlength=len(lengths))
        places = positions_within(counts)
        kept = places < MOST_TAGS
        width = int(np.clip(counts.max(initial=0), 1, MOST_TAGS))
        found = np.zeros((len(lengths), width), np.int32)
        found[rows[kept], places[kept]] = codes[kept]
        return found

    def _numbers(self, numbers: np.ndarray) -> np.ndarray:
        found = np.full((len(numbers), len(self.means)), np.nan)
        shared = min(numbers.shape[1], len(self.means))
        found[:, :shared] = numbers[:, :shared]
        scaled = (found - np.array(self.means)) / np.maximum(np.array(self.spreads), 1e-6)
        return np.clip(np.nan_to_num(scaled), -_MOST_SPREADS, _MOST_SPREADS).astype(np.float32)

    def _images(self, articles: DescribedArticles) -> tuple[np.ndarray, np.ndarray]:
        images, n = articles.images, len(articles.names)
        if images is None or images.shape[1:] != self.image_shape:
            return np.zeros((n, *self.image_shape), np.float32), np.zeros(n, np.float32)
        values = images.astype(np.float32)
        return values / 255.0 if images.dtype == np.uint8 else values, articles.has_image.astype(np.float32)


def _index(values: np.ndarray, known: tuple[str, ...]) -> np.ndarray:
    """Position of each value from 1 on, 0 for an unknown one; int64."""
    place = {name: number for number, name in enumerate(known, start=1)}
    return np.fromiter((place.get(value, 0) for value in values), np.int64, len(values))


def _list_column(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _floats(column: Any) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column, np.float64)


def _images(rows: pa.Table | pa.RecordBatch) -> tuple[np.ndarray | None, np.ndarray]:
    """Pictures as bytes, or outputs of an image network, zeros where there is none."""
    for name in ("pixels", "vector"):
        values = rows[name].to_pylist()
        has = np.array([value is not None for value in values], bool)
        if has.any():
            first = values[int(np.argmax(has))]
            if name == "pixels":
                side = isqrt(len(first) // 3)
                found = np.zeros((len(values), side, side, 3), np.uint8)
                for row in np.flatnonzero(has):
                    found[row] = np.frombuffer(values[row], np.uint8).reshape(side, side, 3)
                return found, has
            outputs = np.zeros((len(values), len(first)), np.float32)
            outputs[has] = np.array([value for value in values if value is not None], np.float32)
            return outputs, has
    return None, np.zeros(rows.num_rows, bool)
