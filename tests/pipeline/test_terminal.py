"""What goes wrong is one clear line, whoever wrote the words in it."""

import errno
import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.terminal import errors_in_one_line, print_table


def said(error: BaseException, capsys: pytest.CaptureFixture[str], *expected: type[Exception]) -> str:
    with pytest.raises(typer.Exit), errors_in_one_line(*expected):
        raise error
    return capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ECONNREFUSED, errno.EDQUOT])
def test_what_the_machine_refuses_is_a_line_without_a_trace(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    error = OSError(number, os.strerror(number), "/data/alerts.db")
    assert said(error, capsys) == f"larder: {os.strerror(number)}: /data/alerts.db\n"


def test_what_nobody_expected_keeps_its_trace() -> None:
    with pytest.raises(ZeroDivisionError), errors_in_one_line(ValueError):
        raise ZeroDivisionError


def test_a_message_is_not_obeyed_and_holds_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("no \x1b[2Jproduct at https://me:hidden@host/x")
    assert said(error, capsys, ValueError) == "larder: no �[2Jproduct at https://me:***@host/x\n"


@pytest.fixture
def no_space(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    with monkeypatch.context() as full:
        full.setattr(Path, "mkdir", refuse)
        yield


@pytest.mark.usefixtures("settings", "no_space")
@pytest.mark.parametrize(
    "arguments",
    [
        ["alerts", "publish", "--source", "shop", "--business-date", "2026-03-01", "--run-id", "run1"],
        ["nightly", "--source", "shop"],
    ],
)
def test_a_full_disk_is_one_line_of_the_command(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.commands import nightly

    monkeypatch.setattr(nightly, "prepare_files", lambda *_: None)
    monkeypatch.setattr("pipeline.nightly.night.last_day", lambda *_: date(2026, 3, 1))
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    assert "No space left on device" in result.stderr


@pytest.mark.usefixtures("settings", "no_space")
def test_a_full_disk_is_one_line_of_the_simulation_too() -> None:
    result = CliRunner().invoke(app, ["simulate", "--days", "60"])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
    assert "No space left on device" in result.stderr


def test_a_night_whose_tracking_store_is_down_ends_in_one_line_before_anything_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LARDER_TRACKING_URI", f"http://me:hidden@127.0.0.1:{closed.getsockname()[1]}")
        result = CliRunner().invoke(app, ["nightly", "--source", "shop"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1), result.output
    assert "does not answer (Connection refused)" in result.stderr
    assert "hidden" not in result.output


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("command", [["nightly"], ["versions", "products"], ["alerts", "list", "--kind", "stockout"]])
def test_an_empty_source_is_an_error_and_not_the_default(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--source", ""])
    assert (result.exit_code, "unknown source ''" in result.stderr) == (1, True), result.output


NARROW = {"FORCE_COLOR": "1", "NO_COLOR": "1"}  # as on a terminal
LONG = "runs out on Tuesday: 4 on hand, nothing arrives, 17 are wanted until the next delivery on Friday"
CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=60)


def shown(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **table: Any) -> list[str]:
    for name, value in (NARROW | {"COLUMNS": str(width)}).items():
        monkeypatch.setenv(name, value)
    print_table("Alerts", **table)
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 119])
def test_an_alert_on_a_narrow_terminal_is_a_block_with_everything_whole(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[list[object]] = [
        ["3f2a91c04be7d510", "s1", "Milk [1 l]", LONG],
        ["00000000000000ff", "s2", "Oats", LONG],
    ]
    columns = {"id": "left", "store": "left", "what": "fold", "why": "fold"}
    block = "{id}  store {store}", "{what}: {why}"
    lines = shown(width, monkeypatch, capsys, columns=columns, rows=rows, block=block)
    assert [line.rstrip() for line in lines if "store" in line] == [
        "3f2a91c04be7d510  store s1",
        "00000000000000ff  store s2",
    ]
    assert " ".join(" ".join(lines).split()).count(LONG) == 2
    assert max(map(cell_len, lines)) <= width


def test_from_120_columns_on_it_is_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    table = {"columns": {"id": "left", "why": "fold"}, "rows": [["a1", LONG]], "block": ("{id}", "{why}")}
    assert any("id" in line and "why" in line for line in shown(120, monkeypatch, capsys, **table))


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=3), width=st.integers(30, 130))
@settings_of(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_cell_is_cut_at_any_width(
    rows: list[tuple[str, ...]], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {"": "left", "run": "right", "reason": "fold"}
    lines = shown(width, monkeypatch, capsys, columns=columns, rows=[list(row) for row in rows])
    assert max(map(cell_len, lines)) <= width
    kept = Counter("".join("".join(lines).split()))
    assert not Counter("".join("".join(row) for row in rows)) - kept
