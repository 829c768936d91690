"""The Great Expectations suite of each table, its run on a profile, and the Data Docs that operators open."""

import fcntl
import json
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.expectations.profile import ROWS, Profile

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

RESULTS = ".results"
KEPT_RESULTS = 30


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


def import_ahead() -> None:
    """Import Great Expectations in a thread: it takes five seconds of CPU time, in which Spark's JVM can work."""
    threading.Thread(target=import_module, args=("great_expectations",), daemon=True).start()


def failures_of(profile: Profile, bounds: RowBounds, table: str, version: str, docs: Path) -> list[Failure]:
    """Run the table's suite on the profile and add the result to the Data Docs under `docs`."""
    import great_expectations as gx  # slow to import; the CLI need not wait for it
    import pandas as pd
    from great_expectations.checkpoint.actions import UpdateDataDocsAction

    counts = {ROWS: profile.rows, **profile.violations}
    with _context(docs) as context:
        _forget_old_results(docs, table)
        asset = context.data_sources.add_pandas("lake").add_dataframe_asset(table)
        validation = gx.ValidationDefinition(
            name=table,
            data=asset.add_batch_definition_whole_dataframe("profile"),
            suite=context.suites.add_or_update(_suite(profile, bounds, table)),
        )
        checkpoint = gx.Checkpoint(
            name=table,
            validation_definitions=[context.validation_definitions.add_or_update(validation)],
            actions=[UpdateDataDocsAction(name="update_data_docs")],
        )
        outcome = context.checkpoints.add_or_update(checkpoint).run(
            batch_parameters={"dataframe": pd.DataFrame([counts])}, run_id=gx.RunIdentifier(run_name=version)
        )
    (validated,) = outcome.run_results.values()
    missed = [done.expectation_config for done in validated.results if not done.success and done.expectation_config]
    return [Failure(config.type, config.kwargs["column"], counts[config.kwargs["column"]]) for config in missed]


def index_page(docs: Path) -> Path:
    """The page that lists all audits of a source."""
    return docs / "index.html"


def _suite(profile: Profile, bounds: RowBounds, table: str) -> "ExpectationSuite":
    import great_expectations as gx
    from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween

    expectations = [
        ExpectColumnValuesToBeBetween(
            column=ROWS,
            min_value=bounds.minimum,
            max_value=bounds.maximum,
            description=f"rows: {bounds.reason}",
        )
    ]
    expectations += [
        ExpectColumnValuesToBeBetween(column=metric, min_value=0, max_value=0, description=f"no row breaks: {metric}")
        for metric in profile.violations
    ]
    return gx.ExpectationSuite(name=table, expectations=expectations)


@contextmanager
def _context(docs: Path) -> Iterator["EphemeralDataContext"]:
    """A context whose stores and site lie in files under `docs`; jobs that audit at the same time take turns."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        FilesystemStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    docs.mkdir(parents=True, exist_ok=True)
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "root_directory": str(docs.parent),
            "base_directory": docs.name,
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    with (docs / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _forget_half_written(docs)
        yield gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                analytics_enabled=False,  # a nightly job calls nobody
                store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=docs / RESULTS),
                data_docs_sites={"audits": site},
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )


def _forget_half_written(docs: Path) -> None:
    """Remove files that a full disk or a kill left without their end: Great Expectations writes in place.

    Each is written again when it is needed; read as it is, one would end every later audit of its table.
    """
    stored = docs / RESULTS
    for path in stored.rglob("*.json"):
        try:
            whole = isinstance(json.loads(path.read_bytes()), dict)
        except ValueError:
            whole = False
        if not whole:
            path.unlink()
    for path in stored.rglob(".ge_store_backend_id"):
        if path.stat().st_size == 0:
            path.unlink()


def _forget_old_results(docs: Path, table: str) -> None:
    """Keep the newest results of a table; the site drops the pages of the others by itself."""
    results = (docs / RESULTS / "uncommitted" / "validations" / table).glob("*")
    for old in sorted(results, key=lambda folder: folder.stat().st_mtime_ns)[:-KEPT_RESULTS]:
        shutil.rmtree(old)
