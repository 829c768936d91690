"""Every setting of the nightly run, validated once, in one place.

Read, strongest first: environment variables (`LARDER_TRAINING__EPOCHS=3`), a `.env` file, then the TOML file that
`LARDER_CONFIG` names (default `larder.toml`, optional). Secrets (`database_url`, `customer_key`) come from the
environment, `.env` or a file under `LARDER_SECRETS_DIR` only, and are masked wherever settings are shown or logged.
"""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from models.names import unknown_name
from models.refusal import Refusal
from pipeline.action_rules import ActionRules
from pipeline.offer_rules import OfferRules

REPOSITORY = Path(__file__).resolve().parents[1]

ImageNetwork = Literal["ResNet50", "ResNet50V2", "MobileNetV2"]
Finetune = Literal["none", "policy-gradient"]


class Section(BaseModel):
    """A group of settings; an unknown name is an error, so that a misspelt one is never silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SequenceSettings(Section):
    """How baskets become model input."""

    min_baskets: int = Field(2, ge=1, description="funnels with fewer baskets get no sequence")
    max_baskets: int = Field(50, ge=1, description="only the latest baskets of a funnel are kept")
    max_products: int = Field(60, ge=1, description="largest lines of a basket kept, by quantity")
    min_product_count: int = Field(5, ge=1, description="products bought in fewer baskets share the unknown id")
    max_unknown_share: float = Field(
        0.02, ge=0, le=1, description="recent basket lines the kept vocabulary may miss beyond a rebuilt one"
    )


class TrainingSettings(Section):
    """The distributed training of one candidate model."""

    architecture: str = Field("lens", description="a name in models/catalog.py")
    workers: int = Field(2, ge=1, description="tasks of the barrier stage, each one TensorFlow worker")
    gpus_per_worker: int = Field(0, ge=0, le=1, description="requested through Spark resources; none in local mode")
    epochs: int = Field(8, ge=1, description="passes over the customers; training stops earlier when validation does")
    max_steps: int = Field(1200, ge=1, description="batches in all, even where an epoch is not over by then")
    repeat_until_step: int | None = Field(
        None,
        ge=1,
        description="a pass after the first is taken only if it ends by this batch; unset: up to `epochs`; the task "
        "`next_basket` has 75 of its own: LARDER_TASKS__NEXT_BASKET__TRAINING__REPEAT_UNTIL_STEP",
    )
    pointer_steps: int = Field(
        1500,
        ge=0,
        description="batches at most on which the pointer head is trained alone before the rest, after its trees; "
        "0: neither",
    )
    rhythm_steps: int = Field(
        1600,
        ge=0,
        description="batches at most on which the rhythm head, of the days until the next basket, is trained alone "
        "before the rest; 0: not",
    )
    patience: int = Field(2, ge=1, description="epochs without a better validation loss before training stops")
    batch_size: int = Field(128, ge=1, le=128, description="examples per global batch (paper: at most 128)")
    learning_rate: float = Field(1e-3, gt=0, description="RMSprop step at first (paper: 1e-3), falling to zero")
    finetune: Finetune = Field(
        "none", description="what follows supervised training: policy gradient on decoded baskets, or nothing"
    )
    finetune_epochs: int = Field(2, ge=1, description="passes over the customers in fine-tuning")
    finetune_learning_rate: float = Field(1e-4, gt=0, description="RMSprop step in fine-tuning, falling to zero")
    max_baskets: int = Field(20, ge=1, description="latest baskets of a prefix that the encoders read")
    max_products: int = Field(20, ge=1, description="products per basket that the encoders and the decoder read")
    candidates: int = Field(128, ge=1, description="candidates of each customer: own products, then other customers'")
    memory_customers: int = Field(
        20_000,
        ge=0,
        description="customers whose histories are searched for candidates (neighbours, transitions); 0: own products",
    )
    memory_snapshots: int = Field(
        4, ge=0, description="earlier days, holdout_days apart, as of which those histories serve training examples"
    )
    holdout_days: int = Field(14, ge=1, description="last days of history kept from training, for the scorecard")
    scorecard_customers: int = Field(20_000, ge=1, description="held-out customers measured, the first of the table")
    checkpoint_steps: int = Field(50, ge=1, description="steps between checkpoints")
    worker_timeout_minutes: int = Field(90, ge=1, description="a worker that runs longer is ended")
    seed: int = Field(0, ge=0, description="of weights, prefixes and order of examples")
    offers: OfferRules = OfferRules()
    """The source's `[offers]`: a job of the source sets them (`task_and_settings`)."""
    actions: ActionRules = ActionRules()
    """What the source's `[actions]` says of training, likewise."""
    return_days: int = Field(30, ge=1, description="days in which a line may come back; the source's `return_days`")

    def steps(self, steps_per_epoch: int) -> int:
        """Batches that a training takes at most, where a pass over the examples has so many."""
        epochs = self.epochs
        if self.repeat_until_step is not None:
            epochs = max(1, min(epochs, self.repeat_until_step // steps_per_epoch))
        return min(epochs * steps_per_epoch, self.max_steps)


class PromotionSettings(Section):
    """The gate a candidate passes before it becomes champion."""

    metric: str | None = Field(
        None, description="scorecard metric that the gate compares; unset: the task's own (`next_basket`: recall@10)"
    )
    baseline: str = Field(
        "best", description="the scorecard's baseline that a candidate must beat; `best`: whichever is best tonight"
    )
    min_gain_over_baseline: float = Field(0.0, description="metric better than the baseline's, absolute")
    max_loss_to_champion: float = Field(0.005, ge=0, description="metric that a candidate may lose to the champion")
    guards: dict[str, float] = Field(
        {"days_brier": 0.01},
        description="other metrics, and how much of each a candidate may lose to the champion and the best baseline",
    )


class TaskSettings(Section):
    """What one task has otherwise than all: `[tasks.next_basket.training]` with `epochs = 4`, for example."""

    training: dict[str, Any] = Field({}, description="settings of [training] for this task alone")
    promotion: dict[str, Any] = Field({}, description="settings of [promotion] for this task alone")


class PredictionSettings(Section):
    """Next-basket prediction of every active funnel."""

    active_days: int = Field(90, ge=1, description="funnels whose latest basket is older are not predicted")
    max_products: int = Field(20, ge=1, description="upper bound of a predicted basket")
    basket: Literal["best_f1", "written"] = Field(
        "best_f1", description="products of the largest expected F1, or the paper's: decoded one after another"
    )
    beams: int = Field(1, ge=1, le=16, description="width of the beam search for decoded baskets; 1: greedy")
    batch_size: int = Field(256, ge=1, description="funnels predicted at once")


Share = Annotated[float, Field(ge=0, le=1)]


class DemandSettings(Section):
    """Expected demand and stock-outs."""

    horizon_days: int = Field(7, ge=1, le=60, description="days ahead, the business date first")
    residual: Literal["cumulative", "per_day"] = Field(
        "cumulative", description="opening stock and cumulated residual, or the paper's per-day residual"
    )
    history_days: int = Field(112, ge=14, description="trailing days of sales from which the level is estimated")
    route: Literal["store", "model", "paper"] = Field(
        "store",
        description="from the store's sales, blended with the model's expectation, or the paper's sums alone",
    )
    model_weights: tuple[Share, Share, Share] | None = Field(
        None,
        description="route `model`: its share of the mean of products that sell on most days, weekly, and rarely; "
        "unset: in each store what it earned in the last four weeks",
    )
    customer_weight: float = Field(
        0.0, ge=0, le=1, description="route `store`: share of the mean taken from predicted baskets"
    )
    decoding: Literal["spread", "predicted_day"] = Field(
        "spread", description="predicted baskets spread over days, or the paper's: all on the predicted day"
    )
    plan_cover_days: int = Field(7, ge=1, description="days of trailing demand in a derived opening stock")
    plan_history_days: int = Field(28, ge=7, description="trailing days from which a derived plan is made")
    add_expected_returns: bool = Field(
        False, description="units expected back by the latest forecast of returns count as supply, too"
    )
    min_probability: float = Field(0.35, ge=0, le=1, description="probability of being short at which an alert is made")
    max_share_out_of_bounds: float = Field(
        0.05, ge=0, le=1, description="share of products, or stores, with an absurd forecast at which it is refused"
    )


class AnomalySettings(Section):
    """Behaviour anomalies: the pluggable parts of LENS Algorithm 1 (models/behaviour)."""

    distance: str = Field("affinity", description="d_A, prediction against what happened")
    embedding: str = Field("category_frequency", description="f_E, a funnel's vector")
    clustering: str = Field("one_cluster", description="f_k, with its distance d_K")
    clusters: int = Field(8, ge=1, description="clusters of funnels, fewer where there are few funnels")
    cluster_distance: str = Field("upper_tail", description="d_B, a funnel against its cluster")
    recent_days: int = Field(10, ge=1, description="last days whose baskets, and missing baskets, are scored")
    min_baskets: int = Field(5, ge=3, description="funnels with fewer baskets have no pattern to leave")
    max_baskets: int = Field(60, ge=10, description="latest baskets of a funnel that are compared")
    alerts_per_thousand: float = Field(30.0, gt=0, le=1000, description="rate of alerts the operator wants")


class AlertSettings(Section):
    """The life cycle of alerts, and the digest of a night."""

    stockout_resolve_nights: int = Field(
        1, ge=1, description="published nights without the alert after which a stock-out incident resolves"
    )
    anomaly_resolve_nights: int = Field(
        3, ge=1, description="the same of a behaviour incident, whose alerts come and go at the limit of the rate"
    )
    digest_lines: int = Field(20, ge=1, le=200, description="incidents named in a night's digest, the worst first")
    page_url: str | None = Field(None, description="address of the alert page, for the digest to name")


class PageSettings(Section):
    """The page on which merchandisers read the alerts."""

    host: str = Field("127.0.0.1", description="address to listen on; any but this machine's own needs a login")
    port: int = Field(8050, ge=0, le=65535, description="port to listen on")
    due_hour: int = Field(6, ge=0, le=23, description="hour of the shop's day by which the morning's alerts are due")
    read_only: bool = Field(False, description="nobody may change anything; a database user that only reads suffices")
    issuer: str | None = Field(None, description="OpenID Connect provider; with it, everyone must log in")
    client_id: str = Field("larder", description="the page's name at the provider; redirects to <page_url>/login/done")
    name_claim: str = Field("email", description="claim that names a person, and signs what is changed")
    roles_claim: str = Field("groups", description="claim that lists a person's groups or roles")
    reader_role: str | None = Field(None, description="group that may read; default: everyone who can log in")
    editor_role: str = Field("larder-editors", description="group that may also acknowledge, snooze, judge, comment")
    session_hours: int = Field(10, ge=1, le=168, description="a login lasts so long at most")
    confirm_minutes: int = Field(5, ge=1, le=60, description="the provider confirms a login's roles so often")


class SegmentSettings(Section):
    """Customers who shop alike, products that meet the same need."""

    customers: int = Field(6, ge=1, le=50, description="segments of customers")
    products: int = Field(12, ge=1, le=200, description="segments of products")
    min_baskets: int = Field(3, ge=1, description="customers with fewer baskets are in no segment")


class ValueSettings(Section):
    """What a customer is worth."""

    discount_rate: float = Field(0.1, ge=0, le=1, description="of a year, by which later spend is worth less")
    years: int = Field(3, ge=1, le=10, description="that the lifetime value looks ahead")


class StyleSettings(Section):
    """Article vectors and styles."""

    best: int = Field(20, ge=1, le=1000, description="articles in store that are ranked for each customer")
    diversity: float = Field(
        0.0, ge=0.0, lt=1.0, description="what a list gives of intent so that its articles are less alike; 0: nothing"
    )
    image_weights: Path | None = Field(
        None, description="file with weights of image_network; without it a small network is trained along"
    )
    image_network: ImageNetwork = Field(
        "ResNet50", description="network of keras.applications to which image_weights belong"
    )


class Settings(BaseSettings):
    """All settings; `larder settings` prints them resolved, secrets masked."""

    model_config = SettingsConfigDict(
        env_prefix="LARDER_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    data_dir: Path = Field(REPOSITORY / "var", description="raw files, lake, runs, logs and embedded databases")
    source: str = Field("shop", description="a shipped source (shop, tafeng, csv) or a path to a TOML description")
    database_url: SecretStr | None = Field(None, description="alert store; default SQLite under data_dir")
    customer_key: SecretStr | None = Field(None, description="key of customers' pseudonyms, where a source wants them")
    page_client_secret: SecretStr | None = Field(None, description="the page's secret at the OpenID Connect provider")
    page_session_key: SecretStr | None = Field(
        None, description="signs the page's sessions; default: drawn once, under data_dir"
    )
    tracking_uri: str | None = Field(None, description="MLflow; default SQLite under data_dir")
    keep_versions: int = Field(5, ge=2, description="published versions kept per table")
    spark_driver_memory: str = Field("2g", description="memory of a job's driver (local mode: of the job)")
    share_spark: bool = Field(
        True, description="jobs of `larder nightly` share one Spark application where no cluster is configured"
    )
    shuffle_partitions: int = Field(4, ge=1, description="Spark shuffle partitions; raise it on a cluster")

    sequences: SequenceSettings = SequenceSettings()
    training: TrainingSettings = TrainingSettings()
    promotion: PromotionSettings = PromotionSettings()
    tasks: dict[str, TaskSettings] = Field(
        {}, description="by task, what it has otherwise than all: LARDER_TASKS__NEXT_BASKET__TRAINING__EPOCHS=4"
    )
    prediction: PredictionSettings = PredictionSettings()
    demand: DemandSettings = DemandSettings()
    anomalies: AnomalySettings = AnomalySettings()
    segments: SegmentSettings = SegmentSettings()
    values: ValueSettings = ValueSettings()
    styles: StyleSettings = StyleSettings()
    alerts: AlertSettings = AlertSettings()
    page: PageSettings = PageSettings()

    def __init__(self, **values: Any) -> None:
        """Read environment, files and defaults; `values` win over all of them.

        Raises: Refusal: for a wrong value or an unknown name, in one line that shows no value: it may be a secret.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise Refusal(_in_words(error)) from None
        except Refusal:
            raise
        except ValueError as error:  # a file that is no TOML, a variable that is no JSON
            raise Refusal(f"the settings cannot be read: {error}") from None

    @model_validator(mode="after")
    def _tasks_are_valid(self) -> "Settings":
        """A wrong name or value under `[tasks]` is refused as it is under `[training]`."""
        for name in self.tasks:
            self.of_task(name)
        return self

    def of_task(self, name: str, training_defaults: Mapping[str, Any] | None = None) -> "Settings":
        """These settings as they are for one task: `[tasks.<name>]` over the task's defaults, over the shared ones.

        Raises: Refusal: that names the task, for an unknown setting or a value out of its range.
        """
        own = self.tasks.get(name, TaskSettings())
        try:
            training = TrainingSettings.model_validate(
                self.training.model_dump() | dict(training_defaults or {}) | own.training
            )
            promotion = PromotionSettings.model_validate(self.promotion.model_dump() | own.promotion)
        except ValidationError as error:
            raise Refusal(f"[tasks.{name}]: {_in_words(error)}") from None
        return self.model_copy(update={"training": training, "promotion": promotion})

    @cached_property
    def alert_database_url(self) -> str:
        """SQLAlchemy URL of the alert store, its password included: never print it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir}/alerts.db"

    @cached_property
    def mlflow_uri(self) -> str:
        """MLflow tracking URI."""
        return self.tracking_uri or f"sqlite:///{self.data_dir}/mlflow.db"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the secrets folder and the TOML file below the environment."""
        sources = [init_settings, env_settings, dotenv_settings]
        if secrets_dir := os.environ.get("LARDER_SECRETS_DIR"):
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=secrets_dir))
        named = os.environ.get("LARDER_CONFIG")
        if named and not Path(named).is_file():
            raise FileNotFoundError(f"LARDER_CONFIG names {named}, which is no file; correct it or unset it")
        sources.append(_PublicToml(settings_cls, toml_file=named or "larder.toml"))
        return tuple(sources)


def _in_words(error: ValidationError) -> str:
    """Each wrong setting by its name, with what is wanted of it."""
    wrong = ((".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, ")) for each in error.errors())
    return "; ".join(f"{name}: {wanted}" if name else wanted for name, wanted in wrong)


class _PublicToml(TomlConfigSettingsSource):
    """The TOML file, which may be committed and shared: no secret and no unknown name in it."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        for name in values:
            field = self.settings_cls.model_fields.get(name)
            if field is None:
                known = self.settings_cls.model_fields
                raise Refusal(f"{self.toml_file_path}: {unknown_name('setting', name, known)}")
            if "SecretStr" in str(field.annotation):
                raise Refusal(f"{self.toml_file_path}: {name} is a secret; set LARDER_{name.upper()} instead")
        return values
