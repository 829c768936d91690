"""A customer who wants to be forgotten is nowhere afterwards, and nobody else has lost a row."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from typer.testing import CliRunner, Result

from pipeline import files
from pipeline.cli import app
from pipeline.erasure import erase as erasing
from pipeline.erasure.erase import of_customer
from pipeline.lake import rewrite as rewriting
from pipeline.lake.lake import Manifest
from pipeline.nightly.running import locked
from pipeline.settings import Settings
from pipeline.sources.delivery import link_days
from pipeline.sources.pseudonyms import pseudonym
from pipeline.tables.catalog import TABLES
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, anomaly, basket, prediction, product, sequence, stockout, transaction
from tests.pipeline.alerts.shop_nights import Nights
from tests.published_tables import publish_rows

KEY = "0123456789abcdef" * 2
DAYS = (date(2026, 2, 1), date(2026, 2, 2))


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, date, str]]:
    """What the registry was asked to mark; version 3 is what it marked."""
    calls: list[tuple[str, date, str]] = []

    def mark(_settings: Settings, source: str, first_sold_on: date, why: str) -> list[str]:
        calls.append((source, first_sold_on, why))
        return ["3"]

    monkeypatch.setattr(erasing, "mark_for_retraining", mark)
    return calls


@pytest.fixture
def shop(workspace: Workspace, settings: Settings, marked: list[tuple[str, date, str]]) -> Workspace:
    """Two nights of two customers, c1 and c2; the second night's transactions share a day with the first's."""
    publish_transactions(workspace, "run1", {day: ["c1", "c2", "c1"] for day in DAYS})
    publish_transactions(workspace, "run2", {DAYS[1]: ["c2", "c1"]}, before="run1")
    both = ("c1", "c2")
    for number, version in enumerate(("run1", "run2")):
        business_date = BUSINESS_DATE + timedelta(days=number)
        for table, rows in {
            "baskets": [basket(customer_id=each) for each in both],
            "sequences": [sequence(funnel_id=each) for each in both] + [sequence(funnel_kind="store", funnel_id="c1")],
            "predictions": [prediction(funnel_id=each) for each in both],
            "products": [product()],
            "anomalies": [anomaly(funnel_id=each) for each in both],
        }.items():
            publish_rows(workspace, table, *rows, version=version, business_date=business_date)
    write_refused(workspace, "2026-02-01,c1,p1", "c10 c-c1", "7,50", None, "c1")
    nights = Nights(settings, workspace)
    for number in (1, 2):
        nights.publish(number, stockout(), anomalies=[anomaly(funnel_id=each) for each in both])
    return workspace


def publish_transactions(
    workspace: Workspace, version: str, days: dict[date, list[str]], before: str | None = None
) -> None:
    lake = workspace.lake
    folder = lake.stage("transactions", version)
    rows = [transaction(sold_on=day, customer_id=each) for day, customers in days.items() for each in customers]
    table = pa.Table.from_pylist(rows)
    ds.write_dataset(table, folder, format="parquet", partitioning=["sold_on"], partitioning_flavor="hive")
    if before:
        link_days(lake.path("transactions", before), folder)
    counts = {path.name[8:]: ds.dataset(path, format="parquet").count_rows() for path in folder.glob("sold_on=*")}
    details = {"lines_by_day": counts, "files": {}}
    lake.describe(
        Manifest(
            table="transactions",
            version=version,
            business_date=BUSINESS_DATE,
            rows=sum(counts.values()),
            details=details,
        )
    )
    lake.publish("transactions", version)


def write_refused(workspace: Workspace, *values: str | None) -> None:
    folder = workspace.lake.stage("rejected_transactions", "run1")
    rows = {"source_file": ["a"] * len(values), "source_line": list(range(len(values))), "value": list(values)}
    ds.write_dataset(pa.table(rows), folder, format="parquet")
    name = "rejected_transactions"
    workspace.lake.describe(Manifest(table=name, version="run1", business_date=BUSINESS_DATE, rows=len(values)))
    workspace.lake.publish(name, "run1")


def larder_erase(customer: str = "c1", *options: str) -> Result:
    return CliRunner().invoke(app, ["erase", "--customer", customer, *options])


def content(workspace: Workspace) -> dict[str, Any]:
    """Rows of every version of every table, and the manifests."""
    lake = workspace.lake
    found: dict[str, Any] = {}
    for table in TABLES:
        for version in lake.versions(table):
            rows = ds.dataset(lake.path(table, version), format="parquet", partitioning="hive").to_table().to_pylist()
            found[f"{table} {version}"] = sorted(map(str, rows)), lake.manifest(table, version)
    return found


def test_the_customer_is_gone_and_everybody_else_is_there(shop: Workspace, settings: Settings) -> None:
    before = content(shop)
    result = larder_erase()
    assert result.exit_code == 0, result.output
    after = content(shop)
    assert set(before) == set(after)
    for name in before:
        if name.startswith("rejected"):
            continue
        expected = [row for row in before[name][0] if "_id': 'c1'" not in row or "'store', 'funnel_id': 'c1'" in row]
        assert after[name][0] == expected, name
        assert after[name][1].rows == len(expected)
    assert after["transactions run1"][1].details["lines_by_day"] == {day.isoformat(): 1 for day in DAYS}
    nights = Nights(settings, shop)
    assert {found.subject_id for found in nights.incidents()} == {"p1", "c2"}


@pytest.mark.parametrize("asked", ["17850", "17850.0", " 17850\u00a0"])
def test_every_spelling_of_the_id_goes_with_it(workspace: Workspace, asked: str) -> None:
    spellings = ["17850", "17850.0", "17850\u00a0", "\u200b17850", "17851", "178500"]
    publish_transactions(workspace, "run1", {DAYS[0]: spellings})
    publish_rows(workspace, "baskets", *(basket(customer_id=each) for each in [*spellings, None]), version="run1")
    assert larder_erase(asked).exit_code == 0
    for table, column, kept in (
        ("transactions", "customer_id", ["17851", "178500"]),
        ("baskets", "customer_id", ["17851", "178500", None]),
    ):
        left = ds.dataset(workspace.lake.path(table, "run1"), format="parquet").to_table()[column].to_pylist()
        assert sorted(left, key=str) == sorted(kept, key=str)


def test_it_says_what_it_removed_table_by_table(shop: Workspace, marked: list[tuple[str, date, str]]) -> None:
    lines = larder_erase().output.splitlines()
    told = {line.split()[0]: line.split()[-1] for line in lines if len(line.split()) > 2}
    expected = {"transactions": "7", "baskets": "2", "sequences": "2", "predictions": "2"}
    assert {table: told[table] for table in expected} == expected
    assert (told["incidents"], told["anomaly_alerts"], told["models"]) == ("1", "2", "retrained")
    assert marked == [("shop", DAYS[0], erasing.WHY_RETRAIN)]


def test_refused_lines_stay_counted_without_the_customer(shop: Workspace) -> None:
    larder_erase()
    path = shop.lake.path("rejected_transactions", "run1")
    values = ds.dataset(path, format="parquet").to_table()["value"].to_pylist()
    assert values == [None, "c10 c-c1", "7,50", None, None]


def test_erasing_again_finds_nothing(shop: Workspace) -> None:
    larder_erase()
    before = content(shop)
    again = larder_erase()
    assert again.output.startswith("nothing of customer c1 is kept for source shop")
    assert content(shop) == before


def test_days_that_versions_share_are_still_shared(shop: Workspace) -> None:
    def inodes(version: str) -> set[int]:
        folder = shop.lake.path("transactions", version) / f"sold_on={DAYS[0]}"
        return {file.stat().st_ino for file in folder.glob("*.parquet")}

    assert inodes("run1") == inodes("run2")
    larder_erase()
    assert inodes("run1") == inodes("run2")


@pytest.mark.parametrize("survived", [0, 3, 6, 9])
def test_an_interrupted_erasure_is_completed_by_the_next(
    survived: int, shop: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = iter(range(10_000))
    sync = files.sync

    def die(path: Path) -> None:
        if next(syncs) >= survived:
            raise KeyboardInterrupt
        sync(path)

    before = content(shop)
    with monkeypatch.context() as patch:
        for module in (files, rewriting):
            patch.setattr(module, "sync", die)
        larder_erase()
    for name, (rows, _manifest) in content(shop).items():
        # Half-way, every version reads: with the customer's rows or without, and with everybody else's.
        assert [row for row in rows if "'c2'" in row] == [row for row in before[name][0] if "'c2'" in row]
    assert larder_erase().exit_code == 0
    after = content(shop)
    assert not [row for name, (rows, _m) in after.items() for row in rows if "customer_id': 'c1'" in row]
    for name, (rows, manifest) in after.items():
        assert manifest.rows == len(rows), name
    assert not list(shop.root.rglob("ERASING")) + list(shop.root.rglob("*.erasing"))


def test_a_running_night_is_waited_for(shop: Workspace) -> None:
    before = content(shop)
    with locked(shop.runs):
        result = larder_erase()
    assert (result.exit_code, "another night of this source is still running" in result.stderr) == (1, True)
    assert content(shop) == before


def test_checksums_that_no_longer_fit_go(shop: Workspace) -> None:
    (file,) = shop.lake.path("baskets", "run2").glob("*.parquet")
    checksum = file.with_name(f".{file.name}.crc")
    checksum.write_bytes(b"of the old content")
    larder_erase()
    assert not checksum.exists()


@pytest.fixture
def hashed(settings: Settings, tmp_path: Path, marked: object, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source that pseudonymises, with one basket of customer c1 and its delivered file."""
    (tmp_path / "sales.csv").write_text("a,b,c,d,e\n2026-02-01,p1, c1 ,1,2\n")
    columns = 'sold_at = "a"\nproduct = "b"\ncustomer = "c"\nquantity = "d"\namount = "e"\n'
    source = tmp_path / "till.toml"
    source.write_text(
        'name = "till"\nfiles = "sales.csv"\ntimezone = "UTC"\ntime_format = "%Y-%m-%d"\n'
        f"[columns]\n{columns}[customers]\npseudonymise = true\n"
    )
    monkeypatch.setenv("LARDER_CUSTOMER_KEY", KEY)
    publish_rows(Workspace.of(settings, "till"), "baskets", basket(customer_id=pseudonym(KEY.encode(), "c1")))
    return str(source)


def test_a_pseudonymous_customer_is_found_by_the_raw_id_with_the_key(hashed: str, settings: Settings) -> None:
    output = larder_erase("c1", "--source", hashed).output
    assert "baskets" in output
    assert "sales.csv still name the customer" in output
    assert Workspace.of(settings, "till").lake.manifest("baskets", "run1").rows == 0


def test_without_the_key_the_pseudonym_is_wanted(
    hashed: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LARDER_CUSTOMER_KEY")
    assert "nothing of customer c1" in larder_erase("c1", "--source", hashed).output
    assert "baskets" in larder_erase(pseudonym(KEY.encode(), "c1"), "--source", hashed).stdout


def test_every_table_that_names_customers_is_known() -> None:
    for table in TABLES.values():
        named = [
            column
            for column in table.columns
            if ("customer" in column.name or "funnel" in column.name) and column.kind == "string"
        ]
        assert bool(named) == (of_customer(table, ["c1"]) is not None), table.name
    odd = replace(TABLES["products"], columns=())
    assert of_customer(odd, ["c1"]) is None
