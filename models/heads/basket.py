"""The next basket: which products, how many units of each, and how many products in all."""

from typing import Any, NamedTuple

import keras
from keras import ops

from models import fields
from models.decoders.best_f1 import best_f1_basket
from models.decoders.kinds import DECODERS
from models.decoders.search import DecodeStep, Sampler, beam_search, sample
from models.heads.head import Head
from models.heads.mean import MeanHead
from models.heads.next_symbol import NextSymbol
from models.heads.pointer import ScoredCandidates
from models.layers.product_embedding import ProductEmbedding
from models.names import look_up
from models.special_ids import END, FIRST_PRODUCT, PADDING
from models.tensors import Tensor, TensorBatch


class BasketOutputs(NamedTuple):
    """What the losses of the true next baskets are computed from.

    log_likelihood: float32 [M], of each true symbol; quantity: float32 [M], expected units; size: float32 [B].
    """

    log_likelihood: Tensor
    quantity: Tensor
    size: Tensor
    candidates: ScoredCandidates | None


class FirstStep(NamedTuple):
    """The decoder after the begin symbol.

    output: float32 [B, W], beside the state of the funnel; states: the decoder's; probabilities: float32 [B, V], of the
    first symbol.
    """

    output: Tensor
    states: list[Tensor]
    probabilities: Tensor


@keras.saving.register_keras_serializable("larder")
class BasketHead(Head):
    """A decoder that decodes the products of the next basket one after another, with quantities and the size.

    Shapes: B funnels, S decoding steps, M of them real, K products predicted, V vocabulary, C state, W = D + C where D
            is the width of the decoder.
    Args:   products: vectors shared with the backbone; state_units: C; pointer_units: 0 for no pointer head; trees:
            number and levels of the trees that the pointer head reads.
    Raises: ValueError: for an unknown kind of decoder.
    Source: LENS, next session decoder and quantity head (section III). Differs in that scores share the product
            vectors, that the state also reaches the scores directly, and in the pointer head.
    """

    def __init__(
        self,
        products: ProductEmbedding,
        state_units: int,
        *,
        decoder_units: tuple[int, ...],
        decoder: str = "lstm",
        pointer_units: int = 0,
        trees: tuple[int, int] = (0, 0),
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "state_units": state_units,
            "decoder_units": list(decoder_units),
            "decoder": decoder,
            "pointer_units": pointer_units,
            "trees": list(trees),
            "seed": seed,
        }
        self.products = products
        self.decoder = look_up("decoder", decoder, DECODERS)(
            products.units, state_units, tuple(decoder_units), seed=seed + 3000, name="decoder"
        )
        width = decoder_units[-1] + state_units
        self.next_symbol = NextSymbol(products, width, pointer_units, trees, seed=seed, name="next_symbol")
        quantity_units = width + products.units + self.next_symbol.copies
        self.quantity = MeanHead(quantity_units, seed=seed + 5000, name="quantity")
        self.size = MeanHead(state_units, start=5.0, seed=seed + 6000, name="size")
        self.loss_names = ("content", "quantity", "size") + ("inclusion",) * self.next_symbol.copies

    def build(self, input_shape: Any = None) -> None:
        """Build each part."""
        for part in (self.next_symbol, self.decoder, self.quantity, self.size):
            part.build()
        self.built = True

    def call(self, state: Tensor, batch: TensorBatch, training: bool = False) -> BasketOutputs:
        """Teacher forcing: the decoder reads the true basket."""
        candidates = self.next_symbol.candidates(batch)
        targets, positions = batch[fields.TARGET_PRODUCTS], batch[fields.TARGET_POSITIONS]
        output = self._teacher_forced(state, targets, positions, training)
        log_likelihood = self.next_symbol.log_likelihood(output, targets, positions, candidates)
        inputs = [output, self.products(ops.take(ops.reshape(targets, (-1,)), positions))]
        if candidates is not None:
            own_units = ops.where(candidates.matches(targets), candidates.log_units[:, None], 0.0)
            inputs.append(ops.take(ops.reshape(ops.sum(own_units, axis=-1), (-1,)), positions)[:, None])
        quantity = self.quantity(ops.concatenate(inputs, axis=-1))
        return BasketOutputs(log_likelihood, quantity, self.size(state), candidates)

    def loss_per_example(self, outputs: BasketOutputs, batch: TensorBatch) -> dict[str, Tensor]:
        """Losses of each funnel, float32 [B]; 0 where no next basket was observed.

        `content` is the negative log likelihood of the whole next basket in nats, its end included: a sum over its
        products, so that large and small baskets count as often as they happen and sizes come out unbiased.
        `quantity` is a sum over its products likewise, `inclusion` one over the candidates.
        """
        by_step = {name: self._over_baskets(loss, batch) for name, loss in self._losses_by_step(outputs, batch).items()}
        return by_step | self._losses_by_basket(outputs, batch)

    def losses(self, outputs: BasketOutputs, batch: TensorBatch) -> dict[str, Tensor]:
        """Means over the batch; steps are summed directly, which spares their detour over examples."""
        n_examples = ops.cast(ops.shape(batch[fields.TARGET_PRODUCTS])[0], self.compute_dtype)
        by_step = {name: ops.sum(loss) / n_examples for name, loss in self._losses_by_step(outputs, batch).items()}
        return by_step | {name: ops.mean(loss) for name, loss in self._losses_by_basket(outputs, batch).items()}

    def predict(self, state: Tensor, batch: TensorBatch, max_products: int = 50, beams: int = 1) -> dict[str, Tensor]:
        """The most probable next basket by beam search, each product once; one beam is greedy.

        Returns: products int32 [B, K], 0 after the end; probabilities float32 [B, K] of being in the next basket;
                 quantities float32 [B, K], units if it is.
        """
        candidates = self.next_symbol.candidates(batch)
        first = self._first_step(state, candidates)
        decode_step = self._decode_step(state, candidates, beams)
        products = beam_search(first.probabilities, first.states, decode_step, max_products, beams)
        inclusion = self.next_symbol.inclusion(first.probabilities, self.size(state), candidates)
        output = self._beside_state(self.decoder(self._shifted(products), state), state, products)
        return {
            "products": products,
            "probabilities": ops.take_along_axis(inclusion, products, axis=-1),
            "quantities": self._quantities(products, output, candidates),
        }

    def rank(self, state: Tensor, batch: TensorBatch, k: int) -> tuple[Tensor, Tensor]:
        """The k products most likely in the next basket, int32 [B, k], and their inclusion probability, float32 [B, k].

        Ordered by the geometric mean of two estimates: the probability of being decoded first, which the listwise loss
        learns, and inclusion, which is learned per candidate. Where tastes shift after training they err in opposite
        directions; see docs/decisions/2026-11-29__rank_by_two_estimates.md.
        """
        candidates = self.next_symbol.candidates(batch)
        return self._ranked(self._first_step(state, candidates), state, candidates, k)

    def best_f1(self, state: Tensor, batch: TensorBatch, max_products: int) -> dict[str, Tensor]:
        """The next basket of the largest expected F1; returns what `predict` does, best products first."""
        candidates = self.next_symbol.candidates(batch)
        first = self._first_step(state, candidates)
        k = min(max_products, self.products.n_products - FIRST_PRODUCT)
        ranked, probabilities = self._ranked(first, state, candidates, k)
        products = best_f1_basket(ranked, probabilities, self.size(state))
        # Whether one of these products is bought says little about the others: each is decoded as if it came first.
        output = ops.repeat(first.output[:, None], k, axis=1)
        return {
            "products": products,
            "probabilities": ops.where(products != PADDING, probabilities, 0.0),
            "quantities": self._quantities(products, output, candidates),
        }

    def expected_units(self, state: Tensor, batch: TensorBatch) -> Tensor:
        """Expected units of every product in the next basket, its probability of being in it included; float32 [B, V].

        Nothing is cut: candidates by their own inclusion, all other products of the vocabulary by the first symbol.
        """
        candidates = self.next_symbol.candidates(batch)
        first = self._first_step(state, candidates)
        inclusion = self.next_symbol.inclusion(first.probabilities, self.size(state), candidates)
        n_products, own_units = self.products.n_products, None
        if candidates is not None:
            own_units = candidates.over_vocabulary(candidates.log_units, n_products)
        return inclusion * self.quantity.of_pairs(first.output, self.products(ops.arange(n_products)), own_units)

    def sample(self, state: Tensor, batch: TensorBatch, max_products: int, sampler: Sampler) -> Tensor:
        """A basket drawn from the decoder's distribution; int32 [B, K], END once where it ends, 0 after it."""
        candidates = self.next_symbol.candidates(batch)
        first = self._first_step(state, candidates)
        decode_step = self._decode_step(state, candidates, beams=1)
        return sample(first.probabilities, first.states, decode_step, max_products, sampler)

    def log_likelihood(self, state: Tensor, batch: TensorBatch, products: Tensor, training: bool = False) -> Tensor:
        """Log probability of decoding given baskets, int32 [B, S], one product after the other; float32 [B]."""
        positions = ops.cast(ops.nonzero(ops.reshape(products, (-1,)) != PADDING)[0], "int32")
        output = self._teacher_forced(state, products, positions, training)
        candidates = self.next_symbol.candidates(batch)
        of_steps = self.next_symbol.log_likelihood(output, products, positions, candidates)
        return _sum_over_steps(of_steps, positions, ops.shape(products))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        products = {"products": keras.saving.serialize_keras_object(self.products)}
        config: dict[str, Any] = super().get_config() | products | self._arguments
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "BasketHead":
        """A head of that configuration, with product vectors of its own."""
        return cls(**config | {"products": keras.saving.deserialize_keras_object(config["products"])})

    def _losses_by_step(self, outputs: BasketOutputs, batch: TensorBatch) -> dict[str, Tensor]:
        """Losses of each true symbol; float32 [M]."""
        positions = batch[fields.TARGET_POSITIONS]
        target = ops.take(ops.reshape(batch[fields.TARGET_PRODUCTS], (-1,)), positions)
        units = ops.take(ops.reshape(batch[fields.TARGET_QUANTITIES], (-1,)), positions)
        deviance = self.quantity.loss(outputs.quantity, units) * ops.cast(target != END, self.compute_dtype)
        return {"content": -outputs.log_likelihood, "quantity": deviance}

    def _losses_by_basket(self, outputs: BasketOutputs, batch: TensorBatch) -> dict[str, Tensor]:
        """Losses of each next basket as a whole; float32 [B]."""
        # Of whole baskets: a longer one is decoded in part, and what is left out of it was bought all the same.
        observed = batch[fields.TARGET_OBSERVED]
        losses = {"size": self.size.loss(outputs.size, batch[fields.TARGET_SIZES]) * observed}
        if outputs.candidates is not None:
            losses["inclusion"] = outputs.candidates.inclusion_loss(batch[fields.TARGET_CANDIDATES]) * observed
        return losses

    def _over_baskets(self, by_step: Tensor, batch: TensorBatch) -> Tensor:
        shape = ops.shape(batch[fields.TARGET_PRODUCTS])
        return _sum_over_steps(by_step, batch[fields.TARGET_POSITIONS], shape)

    def _teacher_forced(self, state: Tensor, targets: Tensor, positions: Tensor, training: bool) -> Tensor:
        """The decoder's output beside the state at each real step of given baskets; float32 [M, W].

        Only real steps go on: two thirds of a batch are padding, and scores are most of the work.
        """
        output = self.decoder(self._shifted(targets), state, training=training)
        steps = ops.shape(targets)[1]
        output = ops.take(ops.reshape(output, (-1, self.decoder.units[-1])), positions, axis=0)
        return ops.concatenate([output, ops.take(state, positions // steps, axis=0)], axis=-1)

    def _shifted(self, products: Tensor) -> Tensor:
        """Vectors that the decoder reads: the begin symbol, then each product but the last; [B, S] -> [B, S, E]."""
        return self.products(ops.pad(products[:, :-1], [[0, 0], [1, 0]], constant_values=END))

    def _beside_state(self, output: Tensor, state: Tensor, products: Tensor) -> Tensor:
        """The decoder's output [B, K, D] with the state of the funnel; float32 [B, K, W]."""
        return ops.concatenate([output, ops.repeat(state[:, None], ops.shape(products)[1], axis=1)], axis=-1)

    def _first_step(self, state: Tensor, candidates: ScoredCandidates | None) -> FirstStep:
        begin = ops.zeros_like(state[:, 0], dtype="int32") + END
        output, states = self.decoder.step(self.products(begin), self.decoder.initial_states(state))
        output = ops.concatenate([output, state], axis=-1)
        allowed = ops.ones((ops.shape(state)[0], self.products.n_products), dtype=self.compute_dtype)
        return FirstStep(output, states, self.next_symbol(output, candidates, allowed))

    def _decode_step(self, state: Tensor, candidates: ScoredCandidates | None, beams: int) -> DecodeStep:
        """How each of so many beams of a funnel goes on."""
        if beams > 1:
            state = ops.repeat(state, beams, axis=0)
            candidates = candidates.repeat(beams) if candidates is not None else None

        def decode_step(products: Tensor, states: list[Tensor], allowed: Tensor) -> tuple[Tensor, list[Tensor]]:
            output, states = self.decoder.step(self.products(products), states)
            return self.next_symbol(ops.concatenate([output, state], axis=-1), candidates, allowed), states

        return decode_step

    def _ranked(
        self, first: FirstStep, state: Tensor, candidates: ScoredCandidates | None, k: int
    ) -> tuple[Tensor, Tensor]:
        """The k products of the best rank, see `rank`, and the inclusion probability of each; [B, k]."""
        # 0 for special indices.
        inclusion = self.next_symbol.inclusion(first.probabilities, self.size(state), candidates)
        _, product_ids = ops.top_k(first.probabilities * inclusion, k)
        return ops.cast(product_ids, "int32"), ops.take_along_axis(inclusion, product_ids, axis=1)

    def _quantities(self, products: Tensor, output: Tensor, candidates: ScoredCandidates | None) -> Tensor:
        """Expected units of products [B, K] given the decoder's output beside the state [B, K, W]; 0 at padding."""
        inputs = [output, self.products(products)]
        if candidates is not None:
            own_units = ops.where(candidates.matches(products), candidates.log_units[:, None], 0.0)
            inputs.append(ops.sum(own_units, axis=-1, keepdims=True))
        return ops.where(products != PADDING, self.quantity(ops.concatenate(inputs, axis=-1)), 0.0)


def _sum_over_steps(values: Tensor, positions: Tensor, shape: Any) -> Tensor:
    """Sums over the steps of each basket; float32 [M], int32 [M] within [B, S] -> float32 [B]."""
    flat = ops.scatter(positions[:, None], values, (shape[0] * shape[1],))
    return ops.sum(ops.reshape(flat, shape), axis=1)
