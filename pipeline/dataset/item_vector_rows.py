"""Rows of `item_vectors` from rows of articles with their images, in Spark's executors."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.dataset.article_reader import DescribedArticles
from pipeline.dataset.article_vectors import Centre, Forward, raw_vectors, tag_vectors
from pipeline.dataset.style_data import read_articles
from pipeline.tables.item_vectors import ITEM_VECTORS
from pipeline.task import PredictionInput

_SAMPLE = 20_000
TAGS_ALONE, NO_MODEL = "tags", "no_model"


@dataclass(frozen=True)
class ItemVectorPredictor:
    """Vectors of some articles: by the champion, around the centre of all, or by tags alone before the first one.

    Args: model: a Keras file.
    """

    business_date: date
    version: str
    model: bytes | None = None
    centre: Centre | None = None

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """One row of the table for each row."""
        articles = DescribedArticles.of_rows(rows)
        if self.model is None or self.centre is None:
            vectors = tag_vectors(articles)
            has_tags = np.diff(articles.tag_offsets) > 0
            inputs = [["tags"] if has else [] for has in has_tags]
        else:
            forward = _forward_of(self.version, self.model)
            vectors, inputs = self.centre(raw_vectors(forward, articles)), forward.reader.inputs_of(articles)
        n = len(articles.names)
        yield pa.RecordBatch.from_pydict(
            {
                "product_id": pa.array(articles.names.tolist(), pa.string()),
                "vector": list_array(vectors),
                "inputs": pa.array(inputs, pa.list_(pa.string())),
                "fallback": pa.array([None if self.model else NO_MODEL] * n, pa.string()),
                "model_version": pa.array([self.version] * n, pa.string()),
                "business_date": pa.array([self.business_date] * n, pa.date32()),
            },
            schema=pa.schema(list(_SCHEMA.items())),
        )


_SCHEMA = dict(
    zip(
        ITEM_VECTORS.column_names,
        (pa.string(), pa.list_(pa.float32()), pa.list_(pa.string()), pa.string(), pa.string(), pa.date32()),
        strict=True,
    )
)


def item_vector_predictor(given: PredictionInput) -> ItemVectorPredictor:
    """The champion with the centre of tonight's articles, or tags alone."""
    if given.model is None:
        return ItemVectorPredictor(given.business_date, TAGS_ALONE)
    from models.saved_files import load_item_vector_model

    model = load_item_vector_model(given.model.model_path)
    # What all articles have in common needs no more of them.
    rows = read_articles(given.tables["articles"], given.tables["article_images"], _SAMPLE)
    centre = Centre(raw_vectors(Forward(model), DescribedArticles.of_rows(rows)))
    return ItemVectorPredictor(given.business_date, given.model.version, given.model.model_path.read_bytes(), centre)


def list_array(values: np.ndarray) -> pa.Array:
    """Rows of a matrix as lists; float32 [n, D]."""
    offsets = np.arange(len(values) + 1, dtype=np.int32) * np.int32(values.shape[1])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.astype(np.float32).ravel()))


_loaded: dict[str, Forward] = {}


def _forward_of(version: str, model: bytes) -> Forward:
    """The model; it is loaded once per Python worker."""
    if version not in _loaded:
        from models.saved_files import load_item_vector_model

        _loaded.clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(model)
            _loaded[version] = Forward(load_item_vector_model(file))
    return _loaded[version]
