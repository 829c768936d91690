"""A source may have cases instead of sales, or both; what does not go together is said in one line."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.sources.last_day import last_action_day
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.workspace import Workspace

HEAD = 'name = "team"\ntimezone = "Europe/Vienna"\n'
ACTIONS = """
[actions]
files = "done*.csv"
columns = { case = "deal", acted_at = "time", action = "activity" }
"""
CASES = """
[cases]
files = "deals.csv"
columns = { case = "deal", outcome = "result" }
"""


def described(folder: Path, text: str) -> Source:
    file = folder / "team.toml"
    file.write_text(text)
    return load_source(str(file))


def test_a_source_may_have_no_sales(tmp_path: Path, settings: Settings) -> None:
    source = described(tmp_path, HEAD + 'capabilities = ["sale_actions"]\n' + ACTIONS)
    with pytest.raises(SourceError, match=r"describes no sales files.*larder run sale_actions"):
        source.delivered_files(Workspace.of(settings, "team"))
    with pytest.raises(SourceError, match="no sales files"):
        source.sales_columns  # noqa: B018
    assert not source.says_outcomes
    assert described(tmp_path, HEAD + ACTIONS + CASES).says_outcomes


def test_the_shipped_sales_team_describes_itself() -> None:
    source = load_source("sales")
    assert source.capabilities == ("sale_actions",)
    assert source.cases is not None
    assert source.cases.read_columns["case_number_employees"] == "employees"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "key `files` is missing; name the sales files, or describe"),
        (HEAD + CASES, "key `files` is missing"),
        (HEAD + 'files = "x.csv"\n' + ACTIONS, "key `columns` is missing"),
        (HEAD + ACTIONS.replace('"time"', '"time", caes = "x"'), "actions.columns.caes"),
        (HEAD + ACTIONS + 'won_values = ["yes"]\nlost_values = ["YES"]\n', "'yes' is both in won_values"),
        (HEAD + ACTIONS + "lost_weight = 2.0\n", "actions.lost_weight"),
        (HEAD + ACTIONS + CASES + 'attributes = { "Kind" = "kind" }\n', "'Kind' is no name"),
        (HEAD + ACTIONS + 'time_format = "%H:%M"\n', "no year"),
    ],
)
def test_what_does_not_go_together_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as refused:
        described(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_a_shop_that_switches_on_sale_actions_needs_actions(tmp_path: Path) -> None:
    shop = Path("pipeline/sources/shop.toml").read_text()
    with pytest.raises(SourceError, match="'sale_actions' needs"):
        described(tmp_path, 'capabilities = ["sale_actions"]\n' + shop)


def test_the_last_day_is_one_on_which_the_team_worked(tmp_path: Path, settings: Settings) -> None:
    source = described(tmp_path, HEAD + ACTIONS)
    lines = [f"d{day},2026-01-{day:02} 09:00:00,call" for day in range(1, 29) for _ in range(3)]
    (tmp_path / "done1.csv").write_text("\n".join(["deal,time,activity", *lines, "d1,2099-01-01 09:00:00,call"]))
    assert last_action_day(source, Workspace.of(settings, "team")) == date(2026, 1, 28)
    (tmp_path / "done1.csv").write_text("deal,time,activity\nd1,noon,call\n")
    with pytest.raises(SourceError, match=r"no file has a date like .* in column 'time'"):
        last_action_day(source, Workspace.of(settings, "team"))
