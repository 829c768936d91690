"""Vectors of articles from what is known of them, so that a product with a customer's vector says who buys them.

Fashion DNA (Bracher, Heinz, Vollgraf 2016): image, tags and numbers of an article pass dense layers into a bottleneck
f; sigmoid(f . s_k + b_k) is the probability that frequent customer k buys it. It is a logistic factorisation whose
factors of articles are clamped to what is known of them: a new article gets its vector by a forward pass.
"""

import json
from dataclasses import asdict, fields
from typing import Any

import keras
from keras import ops

from models.item_fields import BOUGHT, HAS_IMAGE, IDS, IMAGES, NUMBERS, TAGS
from models.item_vector_config import ItemVectorConfig
from models.layers.residual_images import ResidualImages
from models.multi_head_model import TOTAL
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class ItemVectorModel(keras.Model):
    """The model. Tags are read as sums of their rows of a table; a dense one-hot matrix is never made.

    Args: config: fields of ItemVectorConfig; n_tags, n_numbers, n_ids, n_customers: sizes of the arrays; image_shape:
          (v,), (0,) without images, or (h, w, 3) for pictures, which a residual network is trained to read; reader:
          what the arrays mean, kept with the model for whoever makes them later (tags, articles, means by name).
    """

    def __init__(
        self,
        config: dict[str, Any],
        *,
        n_tags: int,
        n_numbers: int,
        image_shape: tuple[int, ...],
        n_ids: int,
        n_customers: int,
        reader: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        known = {field.name for field in fields(ItemVectorConfig)}
        self.config = parts = ItemVectorConfig(**{name: value for name, value in config.items() if name in known})
        # As text: Keras would wrap lists and dictionaries that are attributes.
        self._reader = json.dumps(reader or {})
        self._sizes: dict[str, Any] = {
            "n_tags": n_tags,
            "n_numbers": n_numbers,
            "image_shape": list(image_shape),
            "n_ids": n_ids,
            "n_customers": n_customers,
        }
        self.has_images, n_image = image_shape[0] > 0, image_shape[-1]
        self.hidden = self._dense(parts.units, 0, "hidden", activation="silu")
        self.bottleneck = self._dense(parts.vector_units, 1, "bottleneck")
        self.drop = keras.layers.Dropout(parts.dropout, seed=parts.seed + 2)
        self.of_tags = self._table(1 + n_tags, parts.tag_units, 3, 0.1, "of_tags")
        self.of_ids = self._table(1 + n_ids, parts.vector_units, 4, 0.01, "of_ids")
        self.popularities = self.add_weight(name="popularities", shape=(1 + n_ids,), initializer="zeros")
        self.of_customers = self._table(n_customers, parts.vector_units, 5, 0.05, "of_customers")
        self.propensities = self.add_weight(
            name="propensities", shape=(n_customers,), initializer=keras.initializers.Constant(-5.0)
        )
        self.keep_id = keras.layers.Dropout(parts.id_dropout, noise_shape=(None, 1), seed=parts.seed + 6)
        width = parts.tag_units + n_numbers
        self.reads_pictures = len(image_shape) > 1
        if self.reads_pictures:
            self.pictures = ResidualImages(seed=parts.seed + 8, name="pictures")
            self.pictures.build((None, *image_shape))
            n_image = self.pictures.channels[-1]
        if self.has_images:
            self.of_image = self._dense(parts.image_units, 7, "of_image", activation="silu")
            self.of_image.build((None, n_image))
            width += parts.image_units + 1
        self.hidden.build((None, width))
        self.bottleneck.build((None, parts.units))
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> Tensor:
        """Vectors of articles; float32 [B, D]."""
        tags = batch[TAGS]
        known = ops.cast(tags > 0, "float32")
        rows = ops.take(self.of_tags, tags, axis=0) * known[..., None]
        parts = [ops.sum(rows, axis=1) / ops.sqrt(1.0 + ops.sum(known, axis=1, keepdims=True)), batch[NUMBERS]]
        if self.has_images:
            has = batch[HAS_IMAGE][:, None]
            images = self.pictures(batch[IMAGES]) if self.reads_pictures else batch[IMAGES]
            parts += [self.of_image(images) * has, has]
        vectors = self.bottleneck(self.drop(self.hidden(ops.concatenate(parts, axis=-1)), training=training))
        if not self.config.own_part:
            return vectors
        ids = batch[IDS]
        own = ops.take(self.of_ids, ids, axis=0) * ops.cast(ids > 0, "float32")[:, None]
        # Dropout of whole rows, without its scaling up: the part is there or it is not.
        kept = self.keep_id(own, training=training)
        return vectors + (kept * (1.0 - self.config.id_dropout) if training else kept)

    def popularity(self, batch: TensorBatch) -> Tensor:
        """What everyone's purchases say of articles beside their vectors; float32 [B], 0 without an own part."""
        popularity = ops.take(self.popularities, batch[IDS], axis=0)
        return popularity * ops.cast(batch[IDS] > 0, "float32") * float(self.config.own_part)

    def losses(self, batch: TensorBatch, training: bool = False) -> dict[str, Tensor]:
        """Cross entropy over the frequent customers, summed for each article; float32 scalar, mean over articles."""
        vectors = self(batch, training=training)
        logits = ops.matmul(vectors, ops.transpose(self.of_customers)) + self.propensities
        logits = logits + self.popularity(batch)[:, None]
        loss = ops.softplus(logits) - batch[BOUGHT] * logits
        return {TOTAL: ops.mean(ops.sum(loss, axis=1))}

    @property
    def reader(self) -> dict[str, Any]:
        """What the arrays mean; empty where nothing was kept."""
        found: dict[str, Any] = json.loads(self._reader)
        return found

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"name": self.name, "config": asdict(self.config), "reader": self.reader} | self._sizes

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> keras.layers.Dense:
        start = keras.initializers.GlorotUniform(self.config.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)

    def _table(self, rows: int, units: int, offset: int, spread: float, name: str) -> Any:
        start = keras.initializers.RandomNormal(stddev=spread, seed=self.config.seed + offset)
        return self.add_weight(name=name, shape=(rows, units), initializer=start)
