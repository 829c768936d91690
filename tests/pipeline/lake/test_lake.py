"""Versions are staged, published once, pointed at, rolled back and forgotten."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.lake.lake import Lake, LakeError, Manifest
from pipeline.tables.catalog import table as contract
from tests.pipeline.lake.writer import FILES, NIGHT, TABLE, publish, read, stage

LATER, EARLIER = NIGHT + timedelta(days=1), NIGHT - timedelta(days=1)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_a_staged_version_is_not_readable(lake: Lake) -> None:
    stage(lake, "run1")
    assert lake.current(TABLE) is None
    assert lake.versions(TABLE) == []
    with pytest.raises(LakeError, match="no published version"):
        lake.resolve(TABLE, "run1")


def test_a_version_that_was_not_described_cannot_be_published(lake: Lake) -> None:
    lake.stage(TABLE, "run1").mkdir()
    with pytest.raises(LakeError, match="no complete staged version"):
        lake.publish(TABLE, "run1")


def test_staging_again_starts_from_nothing(lake: Lake) -> None:
    (stage(lake, "run1") / "left-over").write_text("of a killed attempt")
    stage(lake, "run1")
    lake.publish(TABLE, "run1")
    assert read(lake) == "run1"


def test_a_job_reads_what_its_own_run_made(lake: Lake) -> None:
    publish(lake, "run1")
    publish(lake, "run2", LATER)
    assert lake.resolve(TABLE, "run1") == "run1"
    assert lake.resolve(TABLE, "run3") == "run2"


@pytest.mark.parametrize("step", ["_point", "_moves_readers"])
def test_publishing_cut_short_is_finished_by_the_next_attempt(
    lake: Lake, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, "run1")
    stage(lake, "run2", LATER)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(lake, step, die)
        with pytest.raises(KeyboardInterrupt):
            lake.publish(TABLE, "run2")
    assert read(lake) == "run1"
    assert not lake.is_published(TABLE, "run2")
    publish(lake, "run2", LATER)
    assert read(lake) == "run2"
    assert not lake.is_staged(TABLE, "run2")


def test_an_earlier_night_never_moves_readers_backwards(lake: Lake) -> None:
    publish(lake, "tonight")
    publish(lake, "backfill", EARLIER)
    assert lake.current(TABLE) == "tonight"
    assert lake.resolve(TABLE, "backfill") == "backfill"


def test_the_same_night_again_moves_readers(lake: Lake) -> None:
    publish(lake, "run1")
    publish(lake, "run2")
    assert lake.current(TABLE) == "run2"


def test_a_cumulative_table_always_moves(lake: Lake) -> None:
    publish(lake, "tonight", table="transactions")
    publish(lake, "backfill", EARLIER, table="transactions")
    assert lake.current("transactions") == "backfill"


def test_rollback_lets_readers_see_the_earlier_version(lake: Lake) -> None:
    publish(lake, "run1")
    publish(lake, "run2", LATER)
    lake.rollback(TABLE, "run1")
    assert read(lake) == "run1"
    assert lake.versions(TABLE) == ["run1", "run2"]


def test_a_late_retry_does_not_undo_a_rollback(lake: Lake) -> None:
    publish(lake, "run1")
    publish(lake, "run2", LATER)
    lake.rollback(TABLE, "run1")
    lake.publish(TABLE, "run2")
    assert lake.current(TABLE) == "run1"


def test_rollback_to_what_is_not_there_names_what_is(lake: Lake) -> None:
    publish(lake, "run1")
    with pytest.raises(LakeError, match="no published version run0; published: run1"):
        lake.rollback(TABLE, "run0")
    assert read(lake) == "run1"


def test_expiry_keeps_the_newest_and_the_current(lake: Lake) -> None:
    for number in range(6):
        publish(lake, f"run{number}", NIGHT + timedelta(days=number))
    lake.rollback(TABLE, "run1")
    assert lake.expire(TABLE, keep=2) == ["run0", "run2", "run3"]
    assert lake.versions(TABLE) == ["run1", "run4", "run5"]
    assert read(lake) == "run1"


def test_expiry_keeps_the_days_that_a_contract_names(lake: Lake) -> None:
    days = contract("customer_demand").keep_days
    for version, back in (("old", days + 1), ("first", days), ("second", 3), ("again", 3), ("tonight", 0)):
        stage(lake, version, NIGHT - timedelta(days=back), table="customer_demand")
        lake.publish("customer_demand", version)
    assert lake.expire("customer_demand", keep=1) == ["old"]
    assert lake.versions("customer_demand") == ["first", "second", "again", "tonight"]


def test_files_shared_by_hard_links_outlive_the_version_they_came_from(lake: Lake) -> None:
    publish(lake, "run1")
    first = lake.path(TABLE, "run1")
    second = lake.stage(TABLE, "run2")
    second.mkdir()
    for part in first.iterdir():
        (second / part.name).hardlink_to(part)
    lake.describe(Manifest(table=TABLE, version="run2", business_date=LATER, rows=FILES))
    lake.publish(TABLE, "run2")
    publish(lake, "run3", LATER)
    lake.expire(TABLE, keep=2)
    assert not first.exists()
    assert [part.read_text() for part in lake.path(TABLE, "run2").iterdir()] == ["run1"] * FILES


def test_refused_versions_are_kept_for_inspection_but_not_for_ever(lake: Lake) -> None:
    for number in range(5):
        stage(lake, f"refused{number}")
    publish(lake, "run1")
    lake.expire(TABLE, keep=2)
    assert [lake.is_staged(TABLE, f"refused{number}") for number in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("nights", "current", "business_date", "expected"),
    [
        ({}, None, NIGHT, None),
        ({"a": NIGHT, "b": LATER}, "b", LATER + timedelta(days=1), "b"),
        ({"a": NIGHT, "b": LATER}, "b", NIGHT, "a"),
        ({"a": NIGHT, "b": LATER}, "a", LATER, "a"),
        ({"b": LATER}, "b", NIGHT, None),
    ],
)
def test_a_version_follows_the_current_one_or_the_newest_of_no_later_night(
    lake: Lake, nights: dict[str, date], current: str | None, business_date: date, expected: str | None
) -> None:
    for version, made_for in nights.items():
        publish(lake, version, made_for)
    if current:
        lake.rollback(TABLE, current)
    stage(lake, "new", business_date)
    before = lake.latest_before(lake.manifest(TABLE, "new"))
    assert (before.version if before else None) == expected
