"""The gate between writing a version and reading it: nothing unaudited is ever readable.

A version that fails stays staged for inspection, readers keep the previous one, and the error names each expectation
with its count. An audit counts in Spark (`profile`); Great Expectations compares the counts with limits (`suites`).
"""

from pipeline.expectations.profile import ROWS, Frame, Profile, examples, profile
from pipeline.expectations.suites import Failure, RowBounds, failures_of, index_page
from pipeline.lake.lake import Lake, Manifest
from pipeline.settings import Settings
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace

SMALL_CHANGE = 100
SHOWN = 3


class AuditFailed(Exception):
    """A staged version did not meet its expectations; it was not published."""


def audit_and_publish(frame: Frame, workspace: Workspace, table: str, run_id: str, settings: Settings) -> Manifest:
    """Audit the version of `table` that this run staged, publish it and expire old versions.

    Audited is what the run wrote, read back from storage; `frame` (what was staged, or any other) lends its session.
    A version that is published already is left as it is, so a retried job may call this again.

    Raises: AuditFailed naming expectation, column and count; LakeError where nothing complete is staged.
    """
    lake = workspace.lake
    if not lake.is_published(table, run_id):
        lake.claim(table, run_id)  # what is audited is what is published: nobody else writes it meanwhile
        folder = lake.staged_path(table, run_id)
        manifest = lake.manifest(table, run_id)
        staged = frame.sparkSession.read.schema(contract(table).ddl).parquet(str(folder))
        audit(staged, manifest, workspace)
        lake.publish(table, run_id)
        lake.expire(table, settings.keep_versions)
    return lake.manifest(table, run_id)


def audit(staged: Frame, manifest: Manifest, workspace: Workspace) -> None:
    """Audit a staged version.

    Raises: AuditFailed: when it may not be published.
    """
    docs = workspace.root / "data_docs"
    counted = profile(staged, manifest)
    bounds = row_bounds(workspace.lake, manifest)
    failures = failures_of(counted, bounds, manifest.table, manifest.version, docs)
    if failures:
        reasons = "; ".join(_reason(failure, counted, bounds, staged, manifest) for failure in failures)
        folder = workspace.lake.staged_path(manifest.table, manifest.version)
        raise AuditFailed(
            f"table {manifest.table}, version {manifest.version} is refused: {reasons}. "
            f"Readers keep the previous version; the refused one lies in {folder}, the report is {index_page(docs)}"
        )


def row_bounds(lake: Lake, manifest: Manifest) -> RowBounds:
    """The contract's minimum, and its ratio both ways to the version that this one follows.

    A change of less than `SMALL_CHANGE` rows is never refused, nor the growth of a cumulative table, which begins with
    whatever history is delivered first.
    """
    table = contract(manifest.table)
    previous = lake.latest_before(manifest)
    if previous is None or table.min_row_ratio == 0:
        return RowBounds(table.min_rows, None, f"at least {table.min_rows}")
    low = max(table.min_rows, min(int(previous.rows * table.min_row_ratio), previous.rows - SMALL_CHANGE))
    high = None if table.cumulative else max(int(previous.rows / table.min_row_ratio), previous.rows + SMALL_CHANGE)
    text = f"{low} or more" if high is None else f"{low} to {high}"
    return RowBounds(low, high, f"{text}, as version {previous.version} has {previous.rows}")


def _reason(failure: Failure, counted: Profile, bounds: RowBounds, staged: Frame, manifest: Manifest) -> str:
    if failure.metric == ROWS:
        return f"{failure.observed} rows, expected {bounds.reason} [{failure.expectation}]"
    if stated := counted.stated.get(failure.metric):
        more = f" and {len(stated) - SHOWN} more" if len(stated) > SHOWN else ""
        return f"{'; '.join(stated[:SHOWN])}{more} [{failure.metric}]"
    text = f"{failure.observed} rows break '{failure.metric}' [{failure.expectation}]"
    check = counted.checks.get(failure.metric)
    shown = examples(staged, manifest, check) if check else []
    return text + (f" (e.g. {'; '.join(shown)})" if shown else "")
