"""`larder model` as operators type it, on a real MLflow store and real, tiny models."""

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE
from tests.pipeline.tracking.nights import publish_vocabulary, register_night, tiny_model

WEAK = {"candidate": {"recall@10": 0.05}, "champion": {"recall@10": 0.5}, "global_top": {"recall@10": 0.1}}


def model(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["model", *arguments])


def said(result: Result) -> str:
    """The error; before it MLflow may tell of the tables that it made."""
    return result.stderr.splitlines()[-1]


def promote(run_id: str) -> Result:
    return model("promote", "--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", run_id)


def test_a_champion_and_a_refused_candidate_are_shown_as_such(settings: Settings, workspace: Workspace) -> None:
    vocabulary = publish_vocabulary(workspace)
    register_night(settings, workspace, vocabulary, "run1", tiny_model())
    assert "The gate has not judged the candidate yet." in model("scorecard").stdout

    assert promote("run1").stdout == "larder-shop-next_basket/1 is champion\n"
    of_champion = model("scorecard").stdout
    assert ["recall@10", "0.5000", "0.5000", "0.1000"] in [line.split() for line in of_champion.splitlines()]
    assert "The candidate became champion." in of_champion

    register_night(settings, workspace, vocabulary, "run2", tiny_model(), scores=WEAK)
    refused = promote("run2")
    assert refused.exit_code == 0, "a refusal is no failure"
    assert refused.stdout.startswith(
        "larder-shop-next_basket/2 was refused (larder-shop-next_basket/1 stays champion): recall@10 0.0500 does"
    )
    of_refused = model("scorecard").stdout
    assert ["recall@10", "0.0500", "0.5000", "0.1000"] in [line.split() for line in of_refused.splitlines()]
    assert "was refused" in of_refused
    assert "falls behind the champion's 0.5000" in of_refused

    assert model("scorecard", "--run-id", "run1").stdout == of_champion
    listed = [line.split() for line in model("list").stdout.splitlines()]
    rows = [line[:5] for line in listed if line[:1] in (["1"], ["2"])]
    assert rows == [
        ["2", BUSINESS_DATE.isoformat(), "run2", "lens1000", "refused"],
        ["1", "yes", BUSINESS_DATE.isoformat(), "run1", "lens1000"],
    ]

    unknown = model("scorecard", "--run-id", "run3")
    assert unknown.exit_code == 1
    assert said(unknown) == "larder: source shop has no model of run 'run3'; known: run2, run1"
    assert not (workspace.root / "runs" / "run3").exists()


def test_before_the_first_model_each_command_says_so(settings: Settings, workspace: Workspace) -> None:
    assert model("list").stdout == "source shop has no model yet\n"
    none = model("scorecard")
    assert (none.exit_code, said(none)) == (1, "larder: source shop has no model yet; `larder nightly` trains one")
    untrained = promote("run1")
    assert untrained.exit_code == 1
    assert said(untrained) == "larder: run 'run1' trained no candidate of next_basket; known: none"


@pytest.mark.parametrize("arguments", [("scorecard",), ("list",)])
def test_an_unknown_source_is_one_line(settings: Settings, arguments: tuple[str, ...]) -> None:
    result = model(*arguments, "--source", "nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith("larder: unknown source 'nowhere'; known: ")
    assert result.stderr.count("\n") == 1
