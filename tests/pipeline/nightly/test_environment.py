"""The schedule's hours are those of the shop's clock; what a night writes aside goes with it."""

from pathlib import Path

import pytest

from pipeline.job_server.driver import TEMPORARY, lean_driver
from pipeline.job_server.protocol import FOLDER
from pipeline.nightly.environment import SERVICE, airflow_environment, shared_spark
from pipeline.settings import Settings

MINE = """
name = "mine"
files = "*.csv"
timezone = "{zone}"
[columns]
sold_at = "t"
product = "p"
customer = "c"
quantity = "q"
amount = "a"
"""


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_default_time_zone_is_the_sources(settings: Settings, tmp_path: Path, zone: str) -> None:
    (tmp_path / "mine.toml").write_text(MINE.format(zone=zone))
    mine = settings.model_copy(update={"source": str(tmp_path / "mine.toml")})
    assert airflow_environment(mine, SERVICE)["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == zone


def test_another_one_may_be_set_and_an_unknown_source_means_utc(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = settings.model_copy(update={"source": "nowhere"})
    assert airflow_environment(gone, SERVICE)["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == "UTC"
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Paris")
    assert airflow_environment(settings, SERVICE)["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == "Europe/Paris"


def test_what_spark_java_and_python_write_aside_goes_with_the_night(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SPARK_DEFAULT", raising=False)
    with shared_spark(settings) as shared:
        folder = Path(shared[FOLDER])
        assert shared["TMPDIR"] == str(folder)
        assert f"spark.local.dir={folder}" in shared["PYSPARK_SUBMIT_ARGS"]
        assert f"-Djava.io.tmpdir={folder}" in shared["PYSPARK_SUBMIT_ARGS"]
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "blockmgr").mkdir()
    assert not folder.exists()


def test_a_job_that_is_submitted_by_itself_writes_aside_there_as_well(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SPARK_DEFAULT", raising=False)
    with shared_spark(settings.model_copy(update={"share_spark": False})) as alone:
        assert FOLDER not in alone
        monkeypatch.setenv(TEMPORARY, alone[TEMPORARY])
        driver = lean_driver()
        assert driver["spark.local.dir"] == alone[TEMPORARY]
        assert driver["spark.driver.extraJavaOptions"].endswith(f"-Djava.io.tmpdir={alone[TEMPORARY]}")
    assert not Path(alone[TEMPORARY]).exists()
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", "spark://master:7077")
    with shared_spark(settings) as cluster:
        assert cluster == {}
