"""Two versions have one content hash exactly when they hold the same rows, however these lie in files."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.lake.content import content_hash
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, prediction
from tests.published_tables import publish_rows

ROWS = [prediction(funnel_id=f"c{number}", gap_days=number + 0.5) for number in range(6)]


def hash_of(workspace: Workspace, version: str, rows: list[dict[str, Any]], **options: Any) -> tuple[int, str]:
    days = int(version.removeprefix("v"))
    publish_rows(workspace, "predictions", *rows, version=version, business_date=BUSINESS_DATE + timedelta(days=days))
    return content_hash(workspace.lake, "predictions", version, **options)


@profile(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(len(ROWS))))
def test_the_order_of_rows_changes_nothing(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("lake"))
    assert hash_of(workspace, "v1", ROWS) == hash_of(workspace, "v2", [ROWS[number] for number in order])


def test_the_last_bit_of_a_number_and_a_doubled_row_change_it(workspace: Workspace) -> None:
    one_bit = [*ROWS[:-1], ROWS[-1] | {"gap_days": ROWS[-1]["gap_days"] * (1 + 2**-52)}]
    hashes = {hash_of(workspace, f"v{number}", rows) for number, rows in enumerate([ROWS, one_bit, [*ROWS, ROWS[0]]])}
    assert len(hashes) == 3


def test_a_column_may_be_left_out(workspace: Workspace) -> None:
    renamed = [row | {"model_version": "larder-shop/2"} for row in ROWS]
    assert hash_of(workspace, "v1", ROWS) != hash_of(workspace, "v2", renamed)
    without = {"without": ["model_version"]}
    assert hash_of(workspace, "v3", ROWS, **without) == hash_of(workspace, "v4", renamed, **without)


def test_the_command_prints_it_and_names_the_columns_there_are(workspace: Workspace) -> None:
    rows, digest = hash_of(workspace, "v1", ROWS)
    printed = CliRunner().invoke(app, ["table", "predictions", "--hash"])
    assert printed.output.split() == ["predictions", "v1:", str(rows), "rows,", digest]
    refused = CliRunner().invoke(app, ["table", "predictions", "--hash", "--without", "version"])
    assert refused.exit_code == 1
    assert "model_version" in refused.output
