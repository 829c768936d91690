"""Which product comes next while a basket is decoded, or that the basket ends: generated or copied."""

from typing import Any

import keras
import numpy as np
from keras import ops

from models import fields
from models.heads.pointer import IMPOSSIBLE, PointerHead, ScoredCandidates
from models.layers.product_embedding import ProductEmbedding
from models.special_ids import FIRST_PRODUCT
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class NextSymbol(keras.layers.Layer):
    """The distribution of the next symbol: a mixture of generating from the vocabulary and copying a candidate.

    Without pointer units every symbol is generated.

    Shapes: B customers, C candidates each, S decoding steps, M of them real, V vocabulary, W width of the input.
    Args:   products: vectors shared with the backbone; input_units: W; pointer_units: width of the pointer head;
            trees: number and levels of the trees whose score it reads; number 0 for none.
    Source: See, Liu, Manning, "Get To The Point", ACL 2017 (pointer-generator).
    """

    def __init__(
        self,
        products: ProductEmbedding,
        input_units: int,
        pointer_units: int = 0,
        trees: tuple[int, int] = (0, 0),
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.products, self.input_units, self.pointer_units, self.seed = products, input_units, pointer_units, seed
        self.trees = trees
        self.copies = pointer_units > 0
        self.readout = _dense(products.units, seed + 4000, "readout")
        if self.copies:
            self.pointer_head = PointerHead(
                fields.N_CANDIDATE_FEATURES, pointer_units, *trees, seed=seed + 8000, name="pointer_head"
            )
            self.gate = _dense(1, seed + 9000, "gate")

    def build(self, input_shape: Any = None) -> None:
        """Build the readout, and the pointer head with its gate."""
        if not self.products.built:
            self.products.build()
        self.readout.build((None, self.input_units))
        if self.copies:
            self.pointer_head.build()
            self.gate.build((None, self.input_units))
        self.built = True

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Fit the standardisation to the candidate features of a batch; nothing without a pointer head."""
        if self.copies:
            is_candidate = batch[fields.CANDIDATES] >= FIRST_PRODUCT
            self.pointer_head.adapt(batch[fields.CANDIDATE_FEATURE_VALUES], is_candidate)

    def candidates(self, batch: TensorBatch) -> ScoredCandidates | None:
        """The batch's candidates with their scores; None without a pointer head."""
        if not self.copies:
            return None
        products, features = batch[fields.CANDIDATES], batch[fields.CANDIDATE_FEATURE_VALUES]
        copy_scores, inclusion_logits = self.pointer_head(self.pointer_head.inputs(features, batch[fields.FOLDS]))
        own_log_units = features[..., fields.OWN_LOG_UNITS]
        return ScoredCandidates(products, products >= FIRST_PRODUCT, copy_scores, inclusion_logits, own_log_units)

    def call(self, decoder_output: Tensor, candidates: ScoredCandidates | None, allowed: Tensor) -> Tensor:
        """Probability of each symbol to be the next; float32 [B, W] -> [B, V].

        Args: allowed: float32 [B, V]; 0 for products that the basket holds already.
        """
        generated = ops.softmax(self.products.logits(self.readout(decoder_output)))
        if candidates is None:
            return generated
        copied, any_left = candidates.copy_probabilities(allowed)
        log_copy, log_generate = self._log_gate(decoder_output, any_left)
        copied = candidates.over_vocabulary(copied, self.products.n_products)
        return ops.exp(log_generate)[:, None] * generated + ops.exp(log_copy)[:, None] * copied

    def log_likelihood(
        self, decoder_output: Tensor, targets: Tensor, positions: Tensor, candidates: ScoredCandidates | None
    ) -> Tensor:
        """Log probability of each true symbol; float32 [M].

        Args: decoder_output: float32 [M, W]; targets: int32 [B, S]; positions: int32 [M], where targets is not 0.
        """
        target = ops.take(ops.reshape(targets, (-1,)), positions)
        log_generated = self.products.log_likelihood(self.readout(decoder_output), target)
        if candidates is None:
            return log_generated
        matches = candidates.matches(targets)
        log_copied, any_left = candidates.log_copy_probability(matches, positions, ops.shape(targets)[1])
        log_copy, log_generate = self._log_gate(decoder_output, any_left)
        return ops.logaddexp(log_generate + log_generated, log_copy + log_copied)

    def inclusion(self, first: Tensor, size: Tensor, candidates: ScoredCandidates | None) -> Tensor:
        """Probability that a product is in the next basket; float32 [B, V], 0 for special indices.

        Training shuffles each basket's products, so the first symbol is one product drawn from the basket at random,
        and a basket of n products holds v with probability about 1 - (1 - p(v first)) ** n. For a candidate the
        pointer head predicts inclusion directly.

        Args: first: float32 [B, V], probabilities of the first symbol; size: float32 [B], expected products.
        """
        size = ops.maximum(size, 1.0)[:, None]
        inclusion = (1.0 - ops.exp(size * ops.log(1.0 - ops.minimum(first, 0.999999)))) * self.is_product(first)
        if candidates is None:
            return inclusion
        n_products = self.products.n_products
        is_candidate = candidates.over_vocabulary(ops.ones_like(candidates.inclusion_logits), n_products)
        of_candidates = candidates.over_vocabulary(ops.sigmoid(candidates.inclusion_logits), n_products)
        return inclusion * (1.0 - is_candidate) + of_candidates

    def is_product(self, like: Tensor) -> Tensor:
        """1 for products, 0 for special indices, in the dtype of `like`; [V]."""
        return ops.cast(ops.arange(self.products.n_products) >= FIRST_PRODUCT, like.dtype)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {
            "input_units": self.input_units,
            "pointer_units": self.pointer_units,
            "trees": self.trees,
            "seed": self.seed,
        }
        config: dict[str, Any] = (
            super().get_config() | {"products": keras.saving.serialize_keras_object(self.products)} | sizes
        )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "NextSymbol":
        """A layer of that configuration, with product vectors of its own."""
        return cls(**config | {"products": keras.saving.deserialize_keras_object(config["products"])})

    def _log_gate(self, decoder_output: Tensor, any_left: Tensor) -> tuple[Tensor, Tensor]:
        """Log probability to copy from the candidates, and to generate; [M, W], bool [M] -> 2 x [M]."""
        logit = ops.where(any_left, self.gate(decoder_output)[:, 0], IMPOSSIBLE)
        return -ops.softplus(-logit), -ops.softplus(logit)


def _dense(units: int, seed: int, name: str) -> keras.layers.Dense:
    return keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed), name=name)
