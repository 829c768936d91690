"""A tracking store that is not there is one line, in seconds."""

import socket
import time
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.tracking import registry
from pipeline.tracking.reachable import TrackingStoreError, check_reachable


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tracking.reachable.getproxies", dict)


def test_every_question_to_a_closed_port_names_it_and_what_to_do(closed_port: int, settings: Settings) -> None:
    gone = settings.model_copy(update={"tracking_uri": f"http://larder:hidden@127.0.0.1:{closed_port}"})
    started = time.monotonic()
    for question in (registry.champion_number, registry.versions):
        with pytest.raises(TrackingStoreError, match=r"does not answer .*correct LARDER_TRACKING_URI") as refused:
            question(gone, "shop")
        assert "hidden" not in str(refused.value)
    assert time.monotonic() - started < 20


def test_what_listens_or_is_a_file_is_left_to_mlflow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_reachable(f"http://127.0.0.1:{server.getsockname()[1]}")
    check_reachable("sqlite:////nowhere/mlflow.db")
    check_reachable("databricks")


@pytest.mark.parametrize("content", [None, b"no database at all, but long enough to have a header " * 9])
def test_a_file_that_is_no_database_is_one_line_at_once(tmp_path: Path, content: bytes | None) -> None:
    """MLflow would try again and again, ever more slowly."""
    path = tmp_path / "mlflow.db"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(TrackingStoreError, match=r"mlflow\.db cannot be opened \(.*correct LARDER_TRACKING_URI"):
        check_reachable(f"sqlite:///{path}")


def test_a_file_that_is_still_to_be_made_can_be(tmp_path: Path) -> None:
    check_reachable(f"sqlite:///{tmp_path}/new.db")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:99999", "http://nowhere.invalid:5000"])
def test_an_address_that_cannot_be_is_one_line_as_well(uri: str) -> None:
    with pytest.raises(TrackingStoreError, match="does not answer"):
        check_reachable(uri)
