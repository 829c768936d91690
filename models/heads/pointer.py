"""Scores of the candidates: products of the customer's own past, and those of similar customers and transitions."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from models.heads.tree_scores import TreeScores
from models.tensors import Tensor

IMPOSSIBLE = -1e9  # a log probability
_SAME = 1e-3  # a standard deviation below which a column is constant
# RMSprop moves every weight about as far. Weights that start smaller and are read enlarged move the scores further a
# step: these few learn four times as fast as the recurrent layers can bear.
_GAIN = 4.0
_START_LOG_ODDS = -2.5  # about one product of the past in thirteen is in the next basket


class ScoredCandidates(NamedTuple):
    """The candidates of B customers, C each, with the scores of the pointer head.

    products: int32 [B, C]; is_candidate: bool [B, C], False where padded; copy_scores, inclusion_logits: float32
    [B, C], see PointerHead; log_units: float32 [B, C], log(1 + units at a time), 0 where never bought.
    """

    products: Tensor
    is_candidate: Tensor
    copy_scores: Tensor
    inclusion_logits: Tensor
    log_units: Tensor

    def matches(self, products: Tensor) -> Tensor:
        """Which candidate each of the products is; int32 [B, S] -> bool [B, S, C]."""
        return ops.logical_and(products[:, :, None] == self.products[:, None], self.is_candidate[:, None])

    def repeat(self, times: int) -> "ScoredCandidates":
        """Every customer so many times, one after another."""
        return ScoredCandidates(*(ops.repeat(part, times, axis=0) for part in self))

    def log_copy_probability(self, matches: Tensor, positions: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Log probability that the true product is the one copied, and whether any is left to copy; [M], [M].

        Args: matches: bool [B, S, C], of the true baskets; positions: int32 [M], among all B x S steps; steps: S.
        """
        counted = ops.cast(matches, "int32")
        already = ops.cumsum(counted, axis=1) - counted
        left = ops.logical_and(self.is_candidate[:, None], already == 0)
        width = ops.shape(self.products)[1]
        matches, left = (ops.take(ops.reshape(each, (-1, width)), positions, axis=0) for each in (matches, left))
        scores = ops.where(left, ops.take(self.copy_scores, positions // steps, axis=0), IMPOSSIBLE)
        of_target = ops.logsumexp(ops.where(matches, scores, IMPOSSIBLE), axis=-1)
        log_probability = of_target - ops.logsumexp(scores, axis=-1)
        return ops.where(ops.any(matches, axis=-1), log_probability, IMPOSSIBLE), ops.any(left, axis=-1)

    def copy_probabilities(self, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """Probability of each candidate to be the one copied, and whether any is left; [B, C], [B].

        Args: allowed: float32 [B, V], 0 for products that the basket holds already.
        """
        unused = ops.take_along_axis(allowed, self.products, axis=1) > 0
        left = ops.logical_and(self.is_candidate, unused)
        probabilities = ops.softmax(ops.where(left, self.copy_scores, IMPOSSIBLE), axis=-1)
        return ops.where(left, probabilities, 0.0), ops.any(left, axis=-1)

    def over_vocabulary(self, values: Tensor, n_products: int) -> Tensor:
        """Values of candidates in their columns, 0 elsewhere; float32 [B, C] -> [B, V]."""
        values = ops.where(self.is_candidate, values, 0.0)
        rows = ops.broadcast_to(ops.arange(ops.shape(self.products)[0])[:, None], ops.shape(self.products))
        indices = ops.stack([ops.reshape(rows, (-1,)), ops.reshape(self.products, (-1,))], axis=1)
        shape = (ops.shape(self.products)[0], n_products)
        return ops.scatter(indices, ops.reshape(values, (-1,)), shape)

    def inclusion_loss(self, is_bought: Tensor) -> Tensor:
        """Of each customer; bool [B, C] -> float32 [B]."""
        return _inclusion_loss(self.inclusion_logits, self.is_candidate, is_bought)


@keras.saving.register_keras_serializable("larder")
class PointerHead(keras.layers.Layer):
    """Two scores for each candidate: of being the next product copied, and of being in the next basket at all.

    Why beside the decoder: a vector that sums up a history no longer says what was in it, and most of what methods by
    frequency and neighbours know about a next basket is what came before, of this customer and of similar ones.

    With boosted trees each score is the mean of two: the network's, and that of the trees on the same scale. Trees cut
    where a network bends, and the mean of two estimates that err apart is nearer to the truth than either (Krogh and
    Vedelsby, "Neural network ensembles, cross validation, and active learning", NIPS 1994). Each is learned alone: a
    network that also read the score of the trees would lean on it and repeat their errors.

    Shapes: B customers, C candidates each, F columns of `models.fields.CANDIDATE_FEATURES`, I inputs: F + 1 with trees,
            else F.
    Args:   input_units: F; units: width of the hidden layers; n_trees: 0 for none; tree_levels: of each.
    Source: pointer networks as in See, Liu, Manning, "Get To The Point", ACL 2017; repeat and explore modes as in Ren
            et al., "RepeatNet", AAAI 2019. Differs in reading counts and times of purchases instead of positions, and
            in pointing to what similar customers bought as well.
    """

    def __init__(
        self, input_units: int, units: int, n_trees: int = 0, tree_levels: int = 0, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.input_units, self.units, self.seed = input_units, units, seed
        self.n_trees, self.tree_levels = n_trees, tree_levels
        self.trees = TreeScores(n_trees, tree_levels, name="trees") if n_trees > 0 else None
        self.of_candidate = self._dense(units, 0, "of_candidate")
        self.hidden = self._dense(units, 1, "hidden")
        self.copy = self._dense(1, 2, "copy", use_bias=False)
        start = keras.initializers.Constant(_START_LOG_ODDS)
        self.inclusion = self._dense(1, 3, "inclusion", bias_initializer=start)
        if self.trees is not None:
            # A forest may know nothing of customers that it has not seen, but not the opposite of what is true.
            slope = keras.initializers.Constant(1.0 / _GAIN)
            rising: dict[str, Any] = {"kernel_initializer": slope, "kernel_constraint": keras.constraints.NonNeg()}
            self.tree_copy = keras.layers.Dense(1, use_bias=False, name="tree_copy", **rising)
            self.tree_inclusion = keras.layers.Dense(1, bias_initializer=start, name="tree_inclusion", **rising)

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers and the standardisation."""
        self.of_candidate.build((None, self.input_units))
        if self.trees is not None:
            self.trees.build()
            for layer in (self.tree_copy, self.tree_inclusion):
                layer.build((None, 1))
        for layer in (self.hidden, self.copy, self.inclusion):
            layer.build((None, self.units))
        shape = (self.input_units,)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape=shape, initializer="ones", trainable=False, name="deviation")
        self.built = True

    def adapt(self, candidate_features: np.ndarray, is_candidate: np.ndarray) -> None:
        """Standardise by these features from now on; float32 [B, C, F], bool [B, C].

        Without it, numbers that vary little among candidates are learned slowly, and the ranking suffers most by that.
        """
        known = candidate_features[is_candidate]
        if len(known) > 1:
            deviation = known.std(axis=0)
            self.mean.assign(known.mean(axis=0))
            # A constant column carries no information, and must not be enlarged when it first differs.
            self.deviation.assign(np.where(deviation > _SAME, deviation, 1.0))

    def inputs(self, candidate_features: Tensor, folds: Tensor) -> Tensor:
        """The features, then the score of the trees, which `call` reads; float32 [B, C, F], int32 [B] -> [B, C, I].

        Args: folds: of the customers in training, see models/folds.py; 0 for everyone to come.
        """
        if self.trees is None:
            return candidate_features
        return ops.concatenate([candidate_features, self.trees(candidate_features, folds)[..., None]], axis=-1)

    def call(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Log scores of being copied next and log odds of inclusion; float32 [B, C, I] -> 2 x [B, C]."""
        estimates = self._estimates(inputs)
        copy_scores, inclusion_logits = (sum(of) / len(estimates) for of in zip(*estimates, strict=True))
        return copy_scores, inclusion_logits

    def losses(self, inputs: Tensor, is_candidate: Tensor, is_bought: Tensor) -> Tensor:
        """Of each example, what it takes to train the head alone; float32 [B, C, I], 2 x bool [B, C] -> float32 [B].

        The cross-entropy of inclusion, and the negative log probability of copying each product that was bought first;
        of each estimate alone.
        """
        of_each = []
        for copy_scores, inclusion_logits in self._estimates(inputs):
            log_copy = ops.log_softmax(ops.where(is_candidate, copy_scores, IMPOSSIBLE), axis=-1)
            copied = -ops.sum(ops.where(is_bought, log_copy, 0.0), axis=-1)
            of_each.append(copied + _inclusion_loss(inclusion_logits, is_candidate, is_bought))
        return sum(of_each)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {
            "input_units": self.input_units,
            "units": self.units,
            "n_trees": self.n_trees,
            "tree_levels": self.tree_levels,
            "seed": self.seed,
        }
        config: dict[str, Any] = super().get_config() | sizes
        return config

    def _estimates(self, inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Both scores by the network, then by the trees where there are any."""
        features = inputs[..., : self.input_units]
        hidden = ops.silu(self.of_candidate(_GAIN * (features - self.mean) / self.deviation))
        hidden = _GAIN * ops.silu(self.hidden(_GAIN * hidden))
        found = [(self.copy(hidden)[..., 0], self.inclusion(hidden)[..., 0])]
        if self.trees is not None:
            score = _GAIN * inputs[..., self.input_units :]
            found.append((self.tree_copy(score)[..., 0], self.tree_inclusion(score)[..., 0]))
        return found

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> keras.layers.Dense:
        start = keras.initializers.VarianceScaling(_GAIN**-2, "fan_avg", "uniform", seed=self.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)


def _inclusion_loss(logits: Tensor, is_candidate: Tensor, is_bought: Tensor) -> Tensor:
    """Binary cross-entropy summed over each customer's candidates; float32 [B, C], 2 x bool [B, C] -> float32 [B]."""
    cross_entropy = ops.softplus(logits) - ops.where(is_bought, logits, 0.0)
    return ops.sum(ops.where(is_candidate, cross_entropy, 0.0), axis=-1)
