"""Nothing unaudited becomes readable, and a refusal says what, where and how often."""

from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline.expectations.audit import SMALL_CHANGE, AuditFailed, audit_and_publish, row_bounds
from pipeline.lake.lake import Lake, LakeError, Manifest
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from spark_jobs.session import stage_table
from tests.factories import BUSINESS_DATE, basket
from tests.published_tables import frame

TOMORROW = BUSINESS_DATE + timedelta(days=1)
NAN = float("nan")


def stage(spark: SparkSession, workspace: Workspace, run_id: str, *rows: dict[str, Any]) -> None:
    stage_table(frame(spark, "baskets", rows), workspace, "baskets", Run("shop", BUSINESS_DATE, run_id), {}, files=1)


def publish_count(lake: Lake, rows: int, table: str = "baskets", **fields: Any) -> Manifest:
    """A published version of which only the manifest matters."""
    manifest = Manifest(**{"table": table, "version": "run1", "business_date": BUSINESS_DATE, "rows": rows} | fields)
    lake.stage(table, manifest.version).mkdir()
    lake.describe(manifest)
    lake.publish(table, manifest.version)
    return manifest


def test_a_refusal_names_its_reasons_and_leaves_readers_the_version_before(
    spark: SparkSession, workspace: Workspace, settings: Settings
) -> None:
    stage(spark, workspace, "run1", basket())
    published = audit_and_publish(spark.range(0), workspace, "baskets", "run1", settings)
    assert workspace.lake.current("baskets") == "run1"
    # Again, as a retried job does: nothing is staged any more, and nothing needs to be.
    assert audit_and_publish(spark.range(0), workspace, "baskets", "run1", settings) == published

    stage(spark, workspace, "run2", basket(), basket(basket_key="b7", quantity=NAN))
    with pytest.raises(AuditFailed) as refused:
        audit_and_publish(spark.range(0), workspace, "baskets", "run2", settings)
    assert workspace.lake.current("baskets") == "run1"
    for told in (
        "table baskets, version run2 is refused",
        "1 rows break 'quantity is a finite number' [expect_column_values_to_be_between] (e.g. basket_key=b7)",
        str(workspace.lake.staged_path("baskets", "run2")),
        str(workspace.root / "data_docs" / "index.html"),
    ):
        assert told in str(refused.value)


def test_an_empty_table_is_refused_where_the_contract_wants_rows(
    spark: SparkSession, workspace: Workspace, settings: Settings
) -> None:
    stage(spark, workspace, "run1")
    with pytest.raises(AuditFailed, match="0 rows, expected at least 1"):
        audit_and_publish(spark.range(0), workspace, "baskets", "run1", settings)
    assert workspace.lake.current("baskets") is None


def test_what_was_not_staged_cannot_be_published(spark: SparkSession, workspace: Workspace, settings: Settings) -> None:
    with pytest.raises(LakeError, match="no complete staged version run1"):
        audit_and_publish(spark.range(0), workspace, "baskets", "run1", settings)


def test_old_versions_expire(spark: SparkSession, workspace: Workspace, settings: Settings) -> None:
    for night in range(settings.keep_versions):
        publish_count(workspace.lake, 1, version=f"old{night}")
    stage(spark, workspace, "new", basket())
    audit_and_publish(spark.range(0), workspace, "baskets", "new", settings)
    assert workspace.lake.versions("baskets") == [f"old{night}" for night in range(1, settings.keep_versions)] + ["new"]


def test_rows_may_halve_or_double_between_versions(workspace: Workspace) -> None:
    before = publish_count(workspace.lake, 10 * SMALL_CHANGE)
    bounds = row_bounds(workspace.lake, before.model_copy(update={"version": "run2", "business_date": TOMORROW}))
    assert (bounds.minimum, bounds.maximum) == (5 * SMALL_CHANGE, 20 * SMALL_CHANGE)
    assert "as version run1 has 1000" in bounds.reason


def test_small_tables_may_change_by_more_than_half(workspace: Workspace) -> None:
    before = publish_count(workspace.lake, 10)
    bounds = row_bounds(workspace.lake, before.model_copy(update={"version": "run2"}))
    assert (bounds.minimum, bounds.maximum) == (1, 10 + SMALL_CHANGE)


def test_a_backfill_is_not_held_against_what_came_after_it(workspace: Workspace) -> None:
    after = publish_count(workspace.lake, 10 * SMALL_CHANGE)
    earlier = after.model_copy(update={"version": "run0", "business_date": BUSINESS_DATE - timedelta(days=300)})
    assert row_bounds(workspace.lake, earlier).minimum == 1


def test_a_cumulative_table_may_grow_but_not_shrink(workspace: Workspace) -> None:
    before = publish_count(workspace.lake, 10 * SMALL_CHANGE, table="transactions")
    bounds = row_bounds(workspace.lake, before.model_copy(update={"version": "run2"}))
    assert (bounds.minimum, bounds.maximum) == (5 * SMALL_CHANGE, None)
