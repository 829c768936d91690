"""A job killed while it writes leaves readers what they had, and its repetition makes what an undisturbed one makes."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.lake.content import content_hash
from pipeline.nightly.environment import spark_environment
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from tests.factories import (
    BUSINESS_DATE,
    basket,
    expected_demand,
    product,
    resupply,
    sequence,
    stock_level,
    stockout,
    transaction,
    vocabulary_entry,
)
from tests.killing import kill_while
from tests.published_tables import frame, publish
from tests.spark_jobs import sales_team
from tests.spark_jobs.till import GOOD, deliver

Rows = dict[str, list[dict[str, object]]]


@dataclass(frozen=True)
class Job:
    """A job, what it reads, and what readers have before it."""

    name: str
    inputs: Rows
    before: Rows
    makes: tuple[str, ...]
    source: str = "shop"


def _sold(days: int, products: int) -> list[tuple[date, str]]:
    return [
        (BUSINESS_DATE - timedelta(days=1 + day), f"p{number}") for day in range(days) for number in range(products)
    ]


JOBS = [
    Job("ingest_transactions", {}, {}, ("transactions", "rejected_transactions"), source="till"),
    Job("ingest_actions", {}, {}, ("actions", "cases", "rejected_actions"), source="team"),
    Job(
        "build_sequences",
        {
            "transactions": [transaction(sold_on=day, product_id=name) for day, name in _sold(9, 4)],
            "baskets": [
                basket(sold_on=day, products=[(name, 1.0, 100)], customer_id=f"c{name}") for day, name in _sold(9, 4)
            ],
        },
        {"sequences": [sequence()], "vocabulary": [vocabulary_entry()]},
        ("sequences", "vocabulary"),
    ),
    Job(
        "detect_stockouts",
        {
            "expected_demand": [
                expected_demand(product_id=f"p{number}", demand_on=BUSINESS_DATE + timedelta(days=ahead))
                for number in range(5)
                for ahead in range(7)
            ],
            "stock_levels": [stock_level(product_id=f"p{number}") for number in range(5)],
            "resupplies": [resupply()],
            "products": [product(product_id=f"p{number}") for number in range(5)],
            "demand_backtests": [],
        },
        {"stockouts": [stockout()]},
        ("stockouts",),
    ),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
@pytest.mark.usefixtures("settings")
def test_a_killed_job_leaves_readers_alone_and_ends_alike_when_repeated(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str], monkeypatch: pytest.MonkeyPatch, job: Job
) -> None:
    deliver(tmp_path, "a.csv", *(GOOD.replace("02-01", f"02-{day:02}") for day in range(1, 9)), "bad")
    done = [*sales_team.procedure(1, datetime(2026, 1, 5), ["call"] * 30), "2026-01-05 09:00:00,d001"]
    sales_team.deliver(tmp_path, done, ["d001,private,,won"])
    described = {"till": toml, "team": lambda: str(sales_team.describe(tmp_path))}
    source = described.get(job.source, lambda: job.source)()
    arguments = ["--source", source, "--business-date", str(BUSINESS_DATE), "--run-id", "run1"]

    def prepared(folder: str) -> Workspace:
        """A data folder with the job's inputs, which the settings then point to."""
        monkeypatch.setenv("LARDER_DATA_DIR", str(tmp_path / folder))
        workspace = Workspace.of(Settings(), load_source(source).name)
        for name, rows in job.inputs.items():
            publish(workspace, name, frame(spark, name, rows))
        for name, rows in job.before.items():
            day_before = BUSINESS_DATE - timedelta(days=1)
            publish(workspace, name, frame(spark, name, rows), version="before", business_date=day_before)
        return workspace

    def made(workspace: Workspace) -> Mapping[str, tuple[int, str]]:
        """Run the job to its end, here; the content of what it made."""
        importlib.import_module(f"spark_jobs.{job.name}").main(arguments)
        for name in job.makes:
            if not workspace.lake.is_published(name, "run1"):
                workspace.lake.publish(name, "run1")
        return {name: content_hash(workspace.lake, name, "run1") for name in job.makes}

    undisturbed = made(prepared("undisturbed"))
    workspace = prepared("killed")
    environment = os.environ | spark_environment()
    staged = workspace.lake.root / job.makes[0] / "staged" / "run1"
    kill_while(environment, f"spark_jobs.{job.name}", *arguments, at_work=staged.exists)

    for name in job.makes:
        assert not workspace.lake.is_published(name, "run1"), "it was killed before its end"
        assert workspace.lake.current(name) == ("before" if job.before else None)
    assert made(workspace) == undisturbed
    assert all(workspace.lake.current(name) == "run1" for name in job.makes)
    assert all(rows > 0 for rows, _ in undisturbed.values())
