"""The customer's style over time, and what is in store ranked by it.

A customer's style at a time is a vector in the space of the articles' vectors; the intent to buy an article is their
product. Beyond the paper (Heinz, Bracher, Vollgraf 2017, An LSTM-based dynamic customer model for fashion
recommendation), by switches of the configuration: profiles, and signals of sales and of own earlier purchases. All but
the own purchases stay a product of one vector of the customer with one of the article, so that ranking is a matrix
product; own purchases are few. The number of weights depends neither on the customers nor on the articles.
"""

from dataclasses import asdict, fields
from typing import Any, NamedTuple

import keras
from keras import ops

from models import style_fields as names
from models.heads.style_losses import STYLE_LOSSES
from models.multi_head_model import TOTAL
from models.names import look_up
from models.style_config import PROFILE_DECAYS, VIEW_DECAYS, StyleConfig
from models.tensors import Tensor, TensorBatch

_START_OF_PROFILES = 0.01
_START_OF_STYLE = 0.1


class Styles(NamedTuple):
    """One of each step; float32 [B, T, D] and [B, T, E + 1].

    Args: style: in the space of the articles' vectors; taste: in that of their signals.
    """

    style: Tensor
    taste: Tensor


@keras.saving.register_keras_serializable("larder")
class StyleModel(keras.Model):
    """The model of style.

    Shapes: as in `models/style_fields.py`.
    Args:   config: fields of StyleConfig; n_signals, n_own: S and O; vectors: which article vectors it was trained
            with; those of another space mean nothing to it; seasons: whether it was trained with the time of the year;
            reads_views: whether it was trained with what customers looked at, which needs `config.signals`.
    """

    def __init__(
        self,
        config: dict[str, Any],
        n_signals: int,
        n_own: int,
        vectors: str = "",
        seasons: bool = False,
        *,
        reads_views: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        known = {field.name for field in fields(StyleConfig)}
        self.config = StyleConfig(**{name: value for name, value in config.items() if name in known})
        self.n_signals, self.n_own, self.vectors, self.seasons = n_signals, n_own, vectors, seasons
        self.reads_views = reads_views and self.config.signals
        self.loss_of = look_up("loss", self.config.loss, STYLE_LOSSES)
        parts, start = self.config, keras.initializers.GlorotUniform
        self.lstm = keras.layers.LSTM(
            parts.units,
            return_sequences=True,
            kernel_initializer=start(parts.seed),
            recurrent_initializer=keras.initializers.Orthogonal(seed=parts.seed + 1),
            name="lstm",
        )
        self.drop = keras.layers.Dropout(parts.dropout, seed=parts.seed + 2)
        self.to_style = self._dense(parts.vector_units, 3, "to_style")
        self.lstm.build((None, None, parts.vector_units + names.N_TIME_FEATURES))
        self.to_style.build((None, None, parts.units))
        # Little at first: what is simpler, profiles and signals, is learned before it.
        self.to_style.kernel.assign(_START_OF_STYLE * self.to_style.kernel)
        if parts.profiles:
            # Intent grows with likeness to what was bought.
            self.of_profiles = self.add_weight(
                name="of_profiles",
                shape=(len(PROFILE_DECAYS), parts.vector_units),
                initializer=keras.initializers.Constant(_START_OF_PROFILES),
            )
        if parts.signals:
            # One unit more: what an article's signals say to every customer alike.
            self.to_taste = self._dense(parts.taste_units, 5, "to_taste")
            self.hidden_signals = self._dense(parts.signal_units, 6, "hidden_signals", activation="silu")
            self.signals_out = self._dense(parts.taste_units + 1, 7, "signals_out")
            self.hidden_own = self._dense(parts.signal_units, 8, "hidden_own", activation="silu")
            self.own_out = self._dense(1, 9, "own_out")
            self.to_taste.build((None, None, parts.units))
            self.hidden_signals.build((None, None, n_signals))
            self.signals_out.build((None, None, parts.signal_units))
            self.hidden_own.build((None, None, n_own + n_signals))
            self.own_out.build((None, None, parts.signal_units))
        if self.reads_views:
            self.of_viewed = self.add_weight(
                name="of_viewed",
                shape=(len(VIEW_DECAYS), parts.vector_units),
                initializer=keras.initializers.Constant(_START_OF_PROFILES),
            )
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> Styles:
        """Style and taste after everything before each step, as of the step's time."""
        parts = self.config
        steps = ops.concatenate([batch[names.PAST_VECTORS], batch[names.STEP_TIMES]], axis=-1)
        state = self.drop(self.lstm(steps), training=training)
        style = self.to_style(state)
        if parts.profiles:
            style = style + ops.sum(batch[names.PROFILES] * self.of_profiles, axis=2)
        if not parts.signals:
            return Styles(style, ops.zeros_like(style[..., :1]))
        taste = self.to_taste(state)
        return Styles(style, ops.concatenate([taste, ops.ones_like(taste[..., :1])], axis=-1))

    def signal_vectors(self, signals: Tensor) -> Tensor:
        """Where articles stand in the space of tastes; float32 [..., S] -> [..., E + 1]."""
        return self.signals_out(self.hidden_signals(signals))

    def own_scores(self, own: Tensor, signals: Tensor) -> Tensor:
        """What own earlier purchases and views add to the intent, 0 without; float32 [..., O], [..., S] -> [...]."""
        hidden = self.hidden_own(ops.concatenate([own, signals], axis=-1))
        known = own[..., 0]
        if self.reads_views:
            known = ops.maximum(known, own[..., -names.N_VIEW_SIGNALS])
        return self.own_out(hidden)[..., 0] * known

    def viewed_style(self, viewed: Tensor) -> Tensor:
        """What the articles viewed of late add to a style; float32 [..., K, D] -> [..., D]."""
        return ops.sum(viewed * self.of_viewed, axis=-2)

    def intents(self, batch: TensorBatch, training: bool = False) -> Tensor:
        """Intent to buy each candidate of each row; float32 [R, C]."""
        styles, rows = self(batch, training=training), batch[names.ROWS]
        style = _rows_of(styles.style, rows)
        if self.reads_views:
            style = style + self.viewed_style(batch[names.VIEWED])
        intents = ops.einsum("rd,rcd->rc", style, batch[names.CANDIDATE_VECTORS])
        if self.config.signals:
            signals = batch[names.CANDIDATE_SIGNALS]
            taste = _rows_of(styles.taste, rows)
            intents = intents + ops.einsum("re,rce->rc", taste, self.signal_vectors(signals))
            intents = intents + self.own_scores(batch[names.CANDIDATE_OWN], signals)
        return intents

    def losses(self, batch: TensorBatch, training: bool = False) -> dict[str, Tensor]:
        """Loss of a customer's purchases, heavier ones counting more, mean over the batch; float32 scalar.

        Every purchase counts alike in whatever batch it is: a mean over the purchases of a batch would weigh those of
        customers who buy rarely more, since batches hold customers of similar length.
        """
        intents, weights = self.intents(batch, training), batch[names.CANDIDATE_WEIGHTS]
        n_bought = ops.shape(weights)[1] - self.config.negatives
        loss = self.loss_of(intents[:, :n_bought], intents[:, n_bought:], weights[:, n_bought:])
        n_customers = ops.cast(ops.shape(batch[names.STEP_TIMES])[0], "float32")
        return {TOTAL: ops.sum(loss * weights[:, :n_bought]) / n_customers}

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            "name": self.name,
            "config": asdict(self.config),
            "n_signals": self.n_signals,
            "n_own": self.n_own,
            "vectors": self.vectors,
            "seasons": self.seasons,
            "reads_views": self.reads_views,
        }

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> keras.layers.Dense:
        start = keras.initializers.GlorotUniform(self.config.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)


def _rows_of(steps: Tensor, rows: Tensor) -> Tensor:
    """Those steps; float32 [B, T, D], int32 [R] -> [R, D]."""
    flat = ops.reshape(steps, (-1, ops.shape(steps)[-1]))
    return ops.take(flat, rows, axis=0)
