"""What goes wrong is one clear line, whoever wrote the words in it."""

import errno
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import typer

from pipeline.terminal import errors_in_one_line


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
    from typer.testing import CliRunner

    from pipeline.cli import app
    from pipeline.commands import nightly

    monkeypatch.setattr(nightly, "prepare_files", lambda *_: None)
    monkeypatch.setattr("pipeline.nightly.night.last_day", lambda *_: date(2026, 3, 1))
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    assert "No space left on device" in result.stderr


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("command", [["nightly"], ["versions", "products"], ["alerts", "list", "--kind", "stockout"]])
def test_an_empty_source_is_an_error_and_not_the_default(command: list[str]) -> None:
    from typer.testing import CliRunner

    from pipeline.cli import app

    result = CliRunner().invoke(app, [*command, "--source", ""])
    assert (result.exit_code, "unknown source ''" in result.stderr) == (1, True), result.output
