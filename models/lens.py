"""LENS: the next basket of a funnel, what is in it, how much of each, and when.

A session encoder reads each basket's products into one vector, a behaviour encoder reads the baskets over time into the
funnel's state, and heads answer from that state: the next session decoder writes products one after another, others
give quantities, the size of the basket and the days until it. With `pointer_units` candidates stand beside the decoder,
the customer's own products and those that similar customers and transitions name: each written product is copied from
the candidates or generated from the vocabulary, by a learned gate.

A batch is a dictionary of arrays (see `pipeline/dataset/batch.py`), its real baskets packed:

    product_ids     int32   [N, P]  products of each real basket of all funnels, 0 padded on the right
    quantities      float32 [N, P]  units
    basket_features float32 [N, F]  gap, amounts, sizes, weekday
    basket_rows     int32   [B, T]  1 + the row of each basket, oldest first; 0 is padding, on the right
    customer_ids    int32   [B]     0 for a customer not seen in training
    attributes      int32   [B, A]  of the customer, hashed; 0 is padding
    elapsed_days    float32 [B]     days since the last basket without another; 0 in training
    candidates      int32   [B, C]  products to point to, each once, and candidate_features float32 [B, C, F] for each
    target_products int32   [B, S]  the true next basket, then END, then 0
    target_places   int32   [M]     where target_products, flattened, is not 0
    target_quantities float32 [B, S], target_gap_days float32 [B]
    target_observed float32 [B]     1; 0 where no basket had come by target_gap_days, and the other targets are empty

Source: LENS (hierarchical encoder-decoder for next session, time and quantity), section III and Table 1. Differs in
that scores share the product vectors, that the funnel's state also reaches the scores directly, in the time head, and
in the pointer head, which the paper's architectures do without.
"""

from dataclasses import asdict
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

from models.config import LensConfig
from models.decoders.best_f1 import best_f1_basket
from models.decoders.decoder import Decoder
from models.decoders.recurrent_decoder import RecurrentDecoder
from models.decoders.search import Advance, Choose, drawn_basket, likeliest_basket
from models.decoders.transformer_decoder import TransformerDecoder
from models.encoders.encoder import Encoder
from models.encoders.mean_encoder import MeanEncoder
from models.encoders.recurrent_encoder import RecurrentEncoder
from models.encoders.transformer_encoder import TransformerEncoder
from models.heads.mean import MeanHead
from models.heads.pointer import IMPOSSIBLE, PointerHead, Pointers
from models.heads.time_to_next import time_head
from models.keys import rows_of
from models.layers.customer_embedding import CustomerEmbedding
from models.layers.known_keys import KnownKeys
from models.layers.product_embedding import ProductEmbedding
from models.special_ids import END, FIRST_PRODUCT, PADDING

N_BASKET_FEATURES = 6
N_CANDIDATE_FEATURES = 31
OWN_UNITS = 9  # column of the candidate features: log(1 + units at a time)

Part = TypeVar("Part")


@keras.saving.register_keras_serializable("larder")
class Lens(keras.Model):
    """The hierarchical encoder-decoder.

    Shapes: B funnels, N baskets, P products of a basket, T baskets of a funnel, S decoding steps, V vocabulary, K
            products predicted, C context.
    Args:   n_products: V, special indices included; n_customers: customers seen in training, plus one.
    """

    def __init__(self, config: dict[str, Any], n_products: int, n_customers: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = LensConfig(**{name: _tuple(value) for name, value in config.items()})
        self.n_products, self.n_customers = n_products, n_customers
        parts, seed = self.config, self.config.seed
        self.keys = KnownKeys(n_products, n_customers, name="keys")
        self.products = ProductEmbedding(
            n_products, parts.product_units, frozen=parts.products_frozen, seed=seed, name="products"
        )
        self.customers = CustomerEmbedding(
            n_customers, parts.customer_units, parts.attribute_buckets, seed + 1, name="customers"
        )
        session_encoder = _known(_ENCODERS, "session_encoder", parts.session_encoder)
        self.session_encoder = session_encoder(
            parts.product_units + 1, parts.session_units, ordered=False, seed=seed + 1000, name="session_encoder"
        )
        behaviour_encoder = _known(_ENCODERS, "behaviour_encoder", parts.behaviour_encoder)
        read = self.session_encoder.output_units + N_BASKET_FEATURES
        self.behaviour_encoder = behaviour_encoder(
            read, parts.behaviour_units, seed=seed + 2000, name="behaviour_encoder"
        )
        context = self.behaviour_encoder.output_units + parts.customer_units
        decoder = _known(_DECODERS, "decoder", parts.decoder)
        self.decoder = decoder(parts.product_units, context, parts.decoder_units, seed=seed + 3000, name="decoder")
        written = parts.decoder_units[-1] + context
        self.readout = keras.layers.Dense(
            parts.product_units, kernel_initializer=keras.initializers.GlorotUniform(seed + 4000), name="readout"
        )
        self.points = parts.pointer_units > 0
        quantity_units = written + parts.product_units + self.points
        self.quantity = MeanHead(quantity_units, seed=seed + 5000, name="quantity")
        self.size = MeanHead(context, start=5.0, seed=seed + 6000, name="size")
        self.time_to_next = time_head(parts.time_head, context, seed=seed + 7000)
        for part in (self.products, self.customers, self.session_encoder, self.behaviour_encoder, self.decoder):
            part.build()
        for part in (self.quantity, self.size, self.time_to_next):
            part.build()
        self.readout.build((None, written))
        if self.points:
            self.pointer_head = PointerHead(N_CANDIDATE_FEATURES, parts.pointer_units, seed=seed + 8000, name="pointer")
            self.pointer_head.build()
            self.gate = keras.layers.Dense(
                1, kernel_initializer=keras.initializers.GlorotUniform(seed + 9000), name="gate"
            )
            self.gate.build((None, written))
        self.built = True

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Fit the standardisation to the candidate features of a batch, before any training."""
        if self.points:
            self.pointer_head.adapt(batch["candidate_features"], batch["candidates"] >= FIRST_PRODUCT)

    def context(self, batch: dict[str, Any], training: bool = False) -> Any:
        """The funnel's state: behaviour encoder's state and customer vector; float32 [B, C]."""
        product_ids, rows = batch["product_ids"], batch["basket_rows"]
        read = [self.products(product_ids), ops.log(1.0 + batch["quantities"])[..., None]]
        _, sessions = self.session_encoder(ops.concatenate(read, -1), mask=product_ids != PADDING, training=training)
        baskets = ops.concatenate([sessions, batch["basket_features"]], axis=-1)
        padded = ops.pad(baskets, [[1, 0], [0, 0]])
        timeline = ops.take(padded, rows, axis=0)
        _, state = self.behaviour_encoder(timeline, mask=rows > 0, training=training)
        return ops.concatenate([state, self.customers(batch["customer_ids"], batch["attributes"])], axis=-1)

    def losses(self, batch: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Mean losses over the examples of the batch.

        `content` is the negative log likelihood of the whole next basket in nats, its end included: a sum over its
        products, so that large and small baskets count as often as they happen and sizes come out unbiased.
        """
        context = self.context(batch, training)
        times = self.time_to_next(context)
        gap = self.time_to_next.loss(times, batch["target_gap_days"], batch["target_observed"])
        weights = {"content": self.config.content_weight, "quantity": self.config.quantity_weight}
        weights |= {"size": self.config.size_weight, "presence": self.config.presence_weight}
        weights["gap"] = self.config.gap_weight
        losses = {"gap": ops.mean(gap)}
        if self.config.content_weight > 0:
            losses |= self._basket_losses(context, batch, training)
        return {"total": sum(weights[name] * loss for name, loss in losses.items())} | losses

    def rank(self, batch: dict[str, Any], k: int) -> tuple[Any, Any]:
        """The k products most likely in the next basket, int32 [B, k], and the probabilities of that, float32 [B, k].

        Ordered by the chance to be written first: it weighs products against each other, as a ranking must, while
        each probability of being in the basket is learned on its own.
        """
        context = self.context(batch)
        pointers = self.pointers(batch)
        _, _, first = self._first_step(context, pointers)
        return self._ranked(first, context, pointers, k)

    def best_basket(self, batch: dict[str, Any], max_products: int) -> dict[str, Any]:
        """The next basket of the largest expected F1, and when; returns what `decode` does, best products first."""
        context = self.context(batch)
        pointers = self.pointers(batch)
        written, _, first = self._first_step(context, pointers)
        k = min(max_products, self.n_products - FIRST_PRODUCT)
        ranked, probabilities = self._ranked(first, context, pointers, k)
        products = best_f1_basket(ranked, probabilities, self.size(context))
        # Whether one of these products is bought says little about the others: each is told as if it came first.
        written = ops.repeat(written[:, None], k, axis=1)
        found = {"products": products, "probabilities": ops.where(products != PADDING, probabilities, 0.0)}
        return found | self._amounts_and_days(products, written, context, pointers, batch)

    def decode(self, batch: dict[str, Any], max_products: int, beams: int = 1) -> dict[str, Any]:
        """Write the likeliest next basket, each product once, and say when; greedily, or by more beams than one.

        Returns: products int32 [B, K], 0 after the end; probabilities float32 [B, K] of being in the next basket;
                 quantities float32 [B, K], units if it is; gap_days float32 [B], median days from the last basket to
                 the next; due_days float32 [B], the same given the elapsed days, and never less than those.
        """
        context = self.context(batch)
        pointers = self.pointers(batch)
        _, states, first = self._first_step(context, pointers)
        advance = self._advance(context, pointers, beams)
        products = likeliest_basket(first, states, advance, max_products, beams)
        inclusion = self._inclusion(first, context, pointers)
        before = ops.pad(products[:, :-1], [[0, 0], [1, 0]], constant_values=END)
        written = self.decoder(self.products(before), context)
        written = ops.concatenate([written, ops.repeat(context[:, None], ops.shape(products)[1], axis=1)], axis=-1)
        found = {"products": products, "probabilities": ops.take_along_axis(inclusion, products, axis=-1)}
        return found | self._amounts_and_days(products, written, context, pointers, batch)

    def draw(self, batch: dict[str, Any], max_products: int, choose: Choose) -> Any:
        """A next basket by the model's own probabilities; int32 [B, K], END once where it ends, 0 after it."""
        context = self.context(batch)
        pointers = self.pointers(batch)
        _, states, first = self._first_step(context, pointers)
        return drawn_basket(first, states, self._advance(context, pointers, 1), max_products, choose)

    def log_likelihood(self, batch: dict[str, Any], products: Any, training: bool = False) -> Any:
        """Log probability of writing given baskets, int32 [B, S], one product after the other; float32 [B]."""
        written = ops.reshape(products, (-1,)) != PADDING
        places = ops.cast(ops.nonzero(written)[0], "int32")
        context = self.context(batch, training)
        found, _ = self._read(products, places, context, self.pointers(batch), training)
        shape = ops.shape(products)
        of_place = ops.scatter(places[:, None], found, (shape[0] * shape[1],))
        return ops.sum(ops.reshape(of_place, shape), axis=1)

    def gap_days(self, batch: dict[str, Any]) -> Any:
        """Expected or median days from the last basket to the next; float32 [B]."""
        times = self.time_to_next(self.context(batch))
        return self.time_to_next.median(times, ops.zeros_like(times[:, 0]))

    def log_survival(self, batch: dict[str, Any], days: Any) -> Any:
        """Log probability that the next basket comes after each of the days; float32 [1 or B, D] -> [B, D].

        Raises: AttributeError: with a head that only regresses.
        """
        return self.time_to_next.log_survival(self.time_to_next(self.context(batch)), days)

    def call(self, batch: dict[str, Any], training: bool = False) -> Any:
        """The funnel's state; float32 [B, C]."""
        return self.context(batch, training)

    def adopt(self, other: "Lens") -> None:
        """Take over another model's weights; product and customer rows are matched by key, new ones keep their start.

        Raises: ValueError: if the architectures differ.
        """
        if asdict(self.config) | {"seed": 0} != asdict(other.config) | {"seed": 0}:
            raise ValueError("weights can be taken over only between models of one architecture")
        own_rows = [self.products.vectors, self.products.bias, self.customers.vectors]
        other_rows = [other.products.vectors, other.products.bias, other.customers.vectors]
        by_row = {id(weight) for weight in own_rows}
        for own, theirs in zip(self.trainable_weights, other.trainable_weights, strict=True):
            if id(own) not in by_row:
                own.assign(theirs)
        if self.points:
            for name in ("mean", "deviation"):
                getattr(self.pointer_head, name).assign(getattr(other.pointer_head, name))
        keys = [(self.keys.product_keys, other.keys.product_keys)] * 2
        keys.append((self.keys.customer_keys, other.keys.customer_keys))
        for own, theirs, (own_keys, their_keys) in zip(own_rows, other_rows, keys, strict=True):
            own.assign(_matched(ops.convert_to_numpy(own), ops.convert_to_numpy(theirs), own_keys, their_keys))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"n_products": self.n_products, "n_customers": self.n_customers}
        return {"name": self.name, "config": asdict(self.config)} | sizes

    def pointers(self, batch: dict[str, Any]) -> Pointers | None:
        """What the pointer head says of each customer's candidates; None without that head."""
        if not self.points:
            return None
        products, candidate_features = batch["candidates"], batch["candidate_features"]
        copy, presence = self.pointer_head(candidate_features)
        return Pointers(products, products >= FIRST_PRODUCT, copy, presence, candidate_features[..., OWN_UNITS])

    def _basket_losses(self, context: Any, batch: dict[str, Any], training: bool) -> dict[str, Any]:
        """What is lost by naming the next basket's products, units and size, where there is one, over all examples."""
        targets, observed = batch["target_products"], batch["target_observed"]
        sizes = ops.sum(ops.cast(targets >= FIRST_PRODUCT, self.compute_dtype), axis=-1)
        pointers = self.pointers(batch)
        log_likelihood, read = self._read(targets, batch["target_places"], context, pointers, training)
        target = ops.take(ops.reshape(targets, (-1,)), batch["target_places"])
        units = ops.take(ops.reshape(batch["target_quantities"], (-1,)), batch["target_places"])
        deviance = self.quantity.loss(self.quantity(read), units) * ops.cast(target != END, self.compute_dtype)
        n_examples = ops.cast(ops.shape(targets)[0], self.compute_dtype)
        losses = {
            "content": -ops.sum(log_likelihood) / n_examples,
            "quantity": ops.sum(deviance) / n_examples,
            "size": ops.mean(self.size.loss(self.size(context), sizes) * observed),
        }
        if pointers is not None:
            is_bought = ops.any(pointers.holds(targets), axis=1)
            losses["presence"] = ops.mean(pointers.loss(is_bought) * observed)
        return losses

    def _read(
        self, targets: Any, places: Any, context: Any, pointers: Pointers | None, training: bool
    ) -> tuple[Any, Any]:
        """Log likelihood of each symbol of given baskets, and what their quantities are told from.

        Only real steps are scored: two thirds of a batch are padding, and scores are most of the work.

        Args:    targets: int32 [B, S]; places: int32 [M], where targets, flattened, is not 0.
        Returns: float32 [M] and [M, ...].
        """
        before = ops.pad(targets[:, :-1], [[0, 0], [1, 0]], constant_values=END)
        written = self.decoder(self.products(before), context, training=training)
        steps = ops.shape(targets)[1]
        written = ops.take(ops.reshape(written, (-1, self.config.decoder_units[-1])), places, axis=0)
        written = ops.concatenate([written, ops.take(context, places // steps, axis=0)], axis=-1)
        target = ops.take(ops.reshape(targets, (-1,)), places)
        log_likelihood = self.products.log_likelihood(self.readout(written), target)
        read = [written, self.products(target)]
        if pointers is not None:
            same = pointers.holds(targets)
            log_copied, any_left = pointers.log_copied(same, places, steps)
            log_gate, log_closed = self._log_gate(written, any_left)
            log_likelihood = ops.logaddexp(log_closed + log_likelihood, log_gate + log_copied)
            own_units = ops.sum(ops.where(same, pointers.log_units[:, None], 0.0), axis=-1)
            read.append(ops.take(ops.reshape(own_units, (-1,)), places)[:, None])
        return log_likelihood, ops.concatenate(read, axis=-1)

    def _first_step(self, context: Any, pointers: Pointers | None) -> tuple[Any, list[Any], Any]:
        """Write the first symbol: what was written [B, W], the decoder's states, and shares [B, V]."""
        begin = ops.zeros_like(context[:, 0], dtype="int32") + END
        written, states = self.decoder.step(self.products(begin), self.decoder.initial_states(context))
        allowed = ops.ones((ops.shape(context)[0], self.n_products), dtype=self.compute_dtype)
        written, shares = self._shares(written, context, pointers, allowed)
        return written, states, shares

    def _advance(self, context: Any, pointers: Pointers | None, beams: int) -> Advance:
        """How each of so many baskets of a funnel goes on."""
        if beams > 1:
            context = ops.repeat(context, beams, axis=0)
            pointers = pointers.repeated(beams) if pointers is not None else None

        def advance(products: Any, states: list[Any], allowed: Any) -> tuple[Any, list[Any]]:
            written, states = self.decoder.step(self.products(products), states)
            return self._shares(written, context, pointers, allowed)[1], states

        return advance

    def _ranked(self, first: Any, context: Any, pointers: Pointers | None, k: int) -> tuple[Any, Any]:
        """The k products likeliest to be written first, and the probability of each to be in the basket, [B, k]."""
        _, product_ids = ops.top_k(first * self._is_product(first), k)
        probabilities = ops.take_along_axis(self._inclusion(first, context, pointers), product_ids, axis=1)
        return ops.cast(product_ids, "int32"), probabilities

    def _amounts_and_days(
        self, products: Any, written: Any, context: Any, pointers: Pointers | None, batch: dict[str, Any]
    ) -> dict[str, Any]:
        """Quantities and days of `decode`, of products [B, K] where the decoder's output was `written` [B, K, W]."""
        read = [written, self.products(products)]
        if pointers is not None:
            own_units = ops.where(pointers.holds(products), pointers.log_units[:, None], 0.0)
            read.append(ops.sum(own_units, axis=-1, keepdims=True))
        quantities = self.quantity(ops.concatenate(read, axis=-1))
        times = self.time_to_next(context)
        return {
            "quantities": ops.where(products != PADDING, quantities, 0.0),
            "gap_days": self.time_to_next.median(times, ops.zeros_like(times[:, 0])),
            "due_days": self.time_to_next.median(times, batch["elapsed_days"]),
        }

    def _shares(self, written: Any, context: Any, pointers: Pointers | None, allowed: Any) -> tuple[Any, Any]:
        """The decoder's output beside the context, and the probability of each next symbol."""
        written = ops.concatenate([written, context], axis=-1)
        generated = ops.softmax(self.products.logits(self.readout(written)))
        if pointers is None:
            return written, generated
        copied, any_left = pointers.copied(allowed)
        log_gate, log_closed = self._log_gate(written, any_left)
        copied = pointers.over_vocabulary(copied, self.n_products)
        return written, ops.exp(log_closed)[:, None] * generated + ops.exp(log_gate)[:, None] * copied

    def _log_gate(self, written: Any, any_left: Any) -> tuple[Any, Any]:
        """Log probability that the next product is copied from the candidates, and that it is not; [M, W], bool [M]."""
        opened = ops.where(any_left, self.gate(written)[:, 0], IMPOSSIBLE)
        return -ops.softplus(-opened), -ops.softplus(opened)

    def _inclusion(self, first: Any, context: Any, pointers: Pointers | None) -> Any:
        """Probability that a product is in the next basket; float32 [B, V], 0 for special indices.

        Training shuffles each basket's products, so the first symbol is one product drawn from the basket at random,
        and a basket of n products holds v with about 1 - (1 - share of v) ** n. A candidate is judged by the pointer
        head, which learns just that.
        """
        size = ops.maximum(self.size(context), 1.0)[:, None]
        inclusion = (1.0 - ops.exp(size * ops.log(1.0 - ops.minimum(first, 0.999999)))) * self._is_product(first)
        if pointers is None:
            return inclusion
        is_candidate = pointers.over_vocabulary(ops.ones_like(pointers.presence), self.n_products)
        judged = pointers.over_vocabulary(ops.sigmoid(pointers.presence), self.n_products)
        return inclusion * (1.0 - is_candidate) + judged

    def _is_product(self, like: Any) -> Any:
        """1 for products, 0 for special indices; [V]."""
        return ops.cast(ops.arange(self.n_products) >= FIRST_PRODUCT, like.dtype)


_DECODERS: dict[str, type[Decoder]] = {"lstm": RecurrentDecoder, "transformer": TransformerDecoder}
_ENCODERS: dict[str, type[Encoder]] = {"lstm": RecurrentEncoder, "transformer": TransformerEncoder, "mean": MeanEncoder}


def _known(choices: dict[str, Part], part: str, kind: str) -> Part:
    if kind not in choices:
        raise ValueError(f"unknown {part} {kind!r}; known: {', '.join(choices)}")
    return choices[kind]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _matched(own: np.ndarray, theirs: np.ndarray, own_keys: np.ndarray, their_keys: np.ndarray) -> np.ndarray:
    """Own rows, replaced where the other model knows the key; rows without a key (special ones) go by position."""
    rows = rows_of(own_keys, their_keys, missing=-1)
    special = own_keys == 0
    rows[special] = np.flatnonzero(special) if special.any() else rows[special]
    return np.where((rows >= 0).reshape(-1, *[1] * (own.ndim - 1)), theirs[rows], own)
