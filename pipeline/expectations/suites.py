"""The Great Expectations suite of each table, its run on a profile, and the Data Docs that operators open."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.expectations.profile import ROWS, Profile


@dataclass(frozen=True)
class RowBounds:
    """How many rows a version may have, and why."""

    minimum: int
    maximum: int | None
    reason: str


@dataclass(frozen=True)
class Failure:
    """One expectation that a version did not meet."""

    expectation: str
    metric: str
    observed: int


def judge(profile: Profile, bounds: RowBounds, table: str, version: str, docs: Path) -> list[Failure]:
    """Run the table's suite on the profile and add the result to the Data Docs under `docs`."""
    import great_expectations as gx  # slow to import; the CLI need not wait for it
    import pandas as pd
    from great_expectations import expectations as gxe
    from great_expectations.checkpoint import UpdateDataDocsAction

    with _context(docs) as context:
        batch = (
            context.data_sources.add_pandas("lake").add_dataframe_asset(table).add_batch_definition_whole_dataframe("")
        )
        suite = gx.ExpectationSuite(name=table)
        suite.add_expectation(
            gxe.ExpectColumnValuesToBeBetween(
                column=ROWS,
                min_value=bounds.minimum,
                max_value=bounds.maximum,
                description=f"{ROWS}: {bounds.reason}",
            )
        )
        for metric in profile.violations:
            suite.add_expectation(
                gxe.ExpectColumnValuesToBeBetween(column=metric, min_value=0, max_value=0, description=metric)
            )
        suite = context.suites.add_or_update(suite)
        validation = context.validation_definitions.add_or_update(
            gx.ValidationDefinition(name=table, data=batch, suite=suite)
        )
        checkpoint = context.checkpoints.add_or_update(
            gx.Checkpoint(
                name=table, validation_definitions=[validation], actions=[UpdateDataDocsAction(name="update_data_docs")]
            )
        )
        counts = pd.DataFrame([{ROWS: profile.rows, **profile.violations}])
        outcome = checkpoint.run(batch_parameters={"dataframe": counts}, run_id=gx.RunIdentifier(run_name=version))
    return [
        Failure(result.expectation_config.type, column, {ROWS: profile.rows, **profile.violations}[column])
        for validated in outcome.run_results.values()
        for result in validated.results
        if not result.success
        for column in [result.expectation_config.kwargs["column"]]
    ]


def index_page(docs: Path) -> Path:
    """The page that lists all audits of a source."""
    return docs / "uncommitted" / "data_docs" / "local_site" / "index.html"


@contextmanager
def _context(docs: Path) -> Iterator:
    """A context whose stores and site lie in files under `docs`; jobs that audit at the same time take turns."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        FilesystemStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    docs.mkdir(parents=True, exist_ok=True)
    with (docs / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                analytics_enabled=False,
                store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=docs),
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )
