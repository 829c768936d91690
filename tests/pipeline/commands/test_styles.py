"""`larder styles` and `larder items`: what to show to whom, and what is said of names that nobody has."""

import json

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.pipeline.style_tables import publish_styles


@pytest.fixture(autouse=True)
def shop(settings: Settings) -> None:
    publish_styles(Workspace.of(settings, "fashion"))


def larder(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments, "--source", "fashion"])
    assert result.exit_code == status, result.output
    return result.output


def test_a_customer_is_shown_the_ranking_in_order() -> None:
    rows = json.loads(larder("styles", "list", "--customer", "anna", "--json"))
    assert [row["product_id"] for row in rows] == ["red", "violet"]
    assert "new" in larder("styles", "list", "--customer", "anna")
    csv = larder("styles", "list", "--customer", "anna", "--csv", "-")
    assert csv.splitlines()[0].startswith("style_rank,product_id,name")


def test_an_article_goes_to_the_largest_intent_among_all_own_purchases_included() -> None:
    rows = json.loads(larder("styles", "list", "--item", "blue", "--json"))
    assert [(row["customer_id"], row["intent"]) for row in rows] == [("bert", 5.0), ("anna", 0.0), ("cold", 0.0)]
    assert len(json.loads(larder("styles", "list", "--item", "violet", "--limit", "1", "--json"))) == 1
    assert "cold" in larder("styles", "list", "--item", "blue")


def test_the_nearest_article_comes_first_and_itself_not_at_all() -> None:
    rows = json.loads(larder("items", "like", "red", "--json"))
    assert [row["product_id"] for row in rows] == ["grey", "violet", "blue"]
    assert [row["in_store"] for row in rows] == [False, True, True]
    assert "gone" in larder("items", "like", "red")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("styles", "list", "--customer", "ana"), "no customer 'ana'; known: anna"),
        (("styles", "list", "--item", "rad"), "no article 'rad'; known: "),
        (("styles", "list", "--item", "grey"), "not in store"),
        (("items", "like", "rad"), "no article 'rad'; known: "),
        (("styles", "list"), "either a --customer or an --item"),
    ],
)
def test_a_wrong_name_ends_with_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    assert said in larder(*arguments, status=1)
