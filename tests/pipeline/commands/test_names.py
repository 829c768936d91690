"""A name that nobody has ends every command with status 1 and one line that says which names there are."""

from collections.abc import Iterator
from datetime import timedelta
from enum import EnumType
from typing import Any, Literal, get_origin

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, customer_value, next_offer
from tests.published_tables import publish_rows

NIGHT = ("--business-date", str(BUSINESS_DATE))


def parameters(command: Any, path: str = "larder") -> Iterator[tuple[str, Any]]:
    """Every option and argument of every command, with the command's path."""
    for parameter in command.params:
        yield f"{path} --{parameter.name}", parameter
    for name, inner in getattr(command, "commands", {}).items():
        yield from parameters(inner, f"{path} {name}")


def test_no_option_refuses_a_word_in_its_own_way() -> None:
    """Typer's own choice of an enumeration ends with status 2 and a box of its own."""
    described = {
        path: one.type_descriptor for path, one in parameters(typer.main.get_command(app)) if one.name != "help"
    }
    choices = {
        path: type_.parameter_info.parser
        for path, type_ in described.items()
        if get_origin(type_.annotation) is Literal or isinstance(type_.annotation, EnumType)
    }
    assert len(choices) >= 4
    assert [path for path, parser in choices.items() if parser is None] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("alerts", "close", "i", "--verdict", "rihgt"), "unknown verdict 'rihgt'; known: right, wrong, known; did"),
        (("train", "--finetune", "policy"), "unknown finetune 'policy'; known: none, policy-gradient"),
        (("train", "--task", "next_bsket"), "unknown task 'next_bsket'; known: next_basket"),
        (("nightly", "--resume", "nightly-2026"), "no night nightly-2026"),
        (("nightly", "--source", "shp"), "unknown source 'shp'; known: csv, fashion, sales, shop, tafeng"),
        (("run", "segment"), "unknown capability 'segment'; known: segments"),
        (("table", "stockout"), "unknown table 'stockout'; known: transactions"),
        (("model", "promote", "--source", "shop", *NIGHT, "--run-id", "run7"), "run 'run7' trained no candidate"),
        (("offers", "list", "--customer", "C1"), "the next offers of shop have no customer 'C1'; known: c1"),
        (("customers", "show", "C1"), "the values of shop have no customer 'C1'; known: c1"),
        (("customers", "list", "--segment", "champion"), "unknown segment 'champion'; known: champions"),
        (("customers", "list", "--by", "value"), "unknown order 'value'; known: lifetime_value_cents"),
        (("offers", "list", "--product", ""), "the next offers of shop have no offer ''; known: breakfast"),
    ],
)
def test_an_unknown_name_is_one_line(
    arguments: tuple[str, ...], said: str, workspace: Workspace, settings: Settings
) -> None:
    publish_rows(workspace, "next_offers", next_offer(customer_id="c1", offer="breakfast"))
    publish_rows(workspace, "customer_values", customer_value(customer_id="c1"))
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
    assert said in result.stderr
    assert not workspace.raw.exists(), "nothing was made for a night that is not there"
    assert [path.name for path in workspace.runs.glob("*") if path.is_dir()] == []


def test_offers_within_days(workspace: Workspace) -> None:
    row = next_offer(customer_id="c1", offer="breakfast", expected_on=BUSINESS_DATE + timedelta(days=1))
    publish_rows(workspace, "next_offers", row)
    result = CliRunner().invoke(app, ("offers", "list", "--customer", "c1", "--product", "breakfast"))
    assert (result.exit_code, "breakfast" in result.output) == (0, True), result.output
