"""A tiny model, registered in a real MLflow store as the training job does it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.catalog import build
from models.keys import keys_of
from models.lens import Lens
from pipeline.evaluation.scorecard import Scorecard, Window
from pipeline.lake.lake import Manifest
from pipeline.settings import Settings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import Registry
from pipeline.tracking.runs import register
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE

N_PRODUCTS = 8
STRONG = {
    "candidate": {"recall@10": 0.5},
    "champion": {"recall@10": 0.5},
    "global_top": {"recall@10": 0.1},
}


def publish_vocabulary(workspace: Workspace) -> Path:
    """A published vocabulary with hash v1."""
    folder = workspace.lake.stage("vocabulary", "run0")
    folder.mkdir(exist_ok=True)
    rows = {"product_index": list(range(3, N_PRODUCTS)), "product_id": [f"p{i}" for i in range(3, N_PRODUCTS)]}
    pq.write_table(pa.table(rows | {"vocabulary_hash": ["v1"] * len(rows["product_id"])}), folder / "part-0.parquet")
    workspace.lake.describe(Manifest(table="vocabulary", version="run0", business_date=BUSINESS_DATE, rows=1))
    workspace.lake.publish("vocabulary", "run0")
    return workspace.lake.path("vocabulary", "run0")


def tiny_model(architecture: str = "lens1000") -> Lens:
    """Untrained weights over a handful of products."""
    keys = np.concatenate([np.zeros(3, np.int64), keys_of(f"p{i}" for i in range(3, N_PRODUCTS))])
    counts = np.ones(N_PRODUCTS)
    return build(architecture, product_keys=keys, customer_keys=np.zeros(1, np.int64), product_counts=counts)


def register_night(
    settings: Settings,
    workspace: Workspace,
    vocabulary: Path,
    run_id: str,
    model: Lens,
    *,
    scores: Mapping[str, dict[str, float]] = STRONG,
    measured_against: str | None = "the champion",
    architecture: str = "lens1000",
) -> str:
    """Write a night's scorecard and register its model; returns the version's number.

    Args: measured_against: None where the champion was not used that night.
    """
    registry = Registry(settings, "shop", NEXT_BASKET)
    folder = workspace.task_folder(run_id, NEXT_BASKET.name)
    current = registry.champion() if measured_against else None
    card = Scorecard(
        source="shop",
        business_date=BUSINESS_DATE,
        run_id=run_id,
        window=Window.before(BUSINESS_DATE, 14),
        customers=10,
        champion_version=current.version if current else None,
        vocabulary_hash="v1",
        data_versions={"sequences": run_id},
        models=dict(scores),
    )
    card.write(folder)
    model.save(folder / "model.keras")
    tags = {"run_id": run_id, "business_date": BUSINESS_DATE.isoformat()}
    return register(
        registry,
        model_path=folder / "model.keras",
        tags=tags | {"architecture": architecture, "vocabulary_hash": "v1"},
        parameters={"training": {"epochs": 1}, "held_out": {"first_day": card.window.first_day}},
        epochs=[{"total": 2.0, "validation_total": 2.5}],
        scores=card.models,
        tables={"vocabulary": vocabulary},
        scorecard=card.model_dump(mode="json"),
    )
