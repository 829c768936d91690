"""Vectors of articles: by a trained model, or by their tags alone where there is none."""

from typing import Any

import numpy as np
from scipy import sparse

from models.keys import keys_of
from models.ragged import offsets_of, ranges
from pipeline.dataset.article_reader import ArticleReader, DescribedArticles

_AT_ONCE = 2048
TAG_UNITS = 128


class Centre:
    """What vectors are shifted and scaled by: their mean, and the root of the mean square around it.

    Around the mean: what all have in common ranks none above another.
    """

    def __init__(self, vectors: np.ndarray) -> None:
        self.mean = vectors.mean(axis=0)
        self.scale = max(float(np.sqrt(np.mean((vectors - self.mean) ** 2))), 1e-6)

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """float32 [n, D]."""
        return ((vectors - self.mean) / self.scale).astype(np.float32)


def vectors_by(model: Any, articles: DescribedArticles) -> np.ndarray:
    """Vectors of all articles around their centre; float32 [V, D]."""
    vectors = raw_vectors(Forward(model), articles)
    return Centre(vectors)(vectors)


class Forward:
    """A trained model, compiled once, and how it reads articles."""

    def __init__(self, model: Any) -> None:
        from pipeline.dataset.tensors import compiled

        self.reader, self.vectors = ArticleReader.of_config(model.reader), compiled(model)


def raw_vectors(forward: Forward, articles: DescribedArticles) -> np.ndarray:
    """Vectors as the model gives them; float32 [V, D]."""
    n = len(articles.names)
    parts = [
        forward.vectors(forward.reader.arrays(articles_at(articles, np.arange(first, min(first + _AT_ONCE, n)))))
        for first in range(0, n, _AT_ONCE)
    ]
    return np.concatenate(parts).astype(np.float32)


def tag_vectors(articles: DescribedArticles) -> np.ndarray:
    """Sums of a random direction of each tag, the same on every machine, rows of length 1; float32 [n, TAG_UNITS].

    Their products are near those of the tags themselves (Johnson and Lindenstrauss 1984). Zeros without tags.
    """
    names, codes = np.unique(articles.tags.astype(str), return_inverse=True)
    seeds = keys_of(names).astype(np.uint64)
    directions = np.stack([np.random.default_rng(seed).normal(size=TAG_UNITS) for seed in seeds]) if len(names) else 0
    shape = len(articles.names), len(names)
    has = sparse.csr_matrix((np.ones(len(codes)), codes, articles.tag_offsets), shape=shape)
    sums = np.asarray(has @ directions) if len(names) else np.zeros((shape[0], TAG_UNITS))
    return (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def articles_at(articles: DescribedArticles, rows: np.ndarray) -> DescribedArticles:
    """Some of them, by position."""
    lengths = np.diff(articles.tag_offsets)[rows]
    return DescribedArticles(
        articles.names[rows],
        offsets_of(lengths),
        articles.tags[ranges(articles.tag_offsets[rows], lengths)],
        articles.numbers[rows],
        None if articles.images is None else articles.images[rows],
        articles.has_image[rows],
    )
