"""Any table leaves the lake as one file, and operators choose the version that is read."""

import csv
import json
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.lake.lake import Manifest
from pipeline.tables.catalog import TABLES
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, basket, product, transaction
from tests.published_tables import publish_rows


def larder(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Two versions of products; version `new` is current."""
    publish_rows(workspace, "products", product(), version="old", business_date=BUSINESS_DATE - timedelta(days=1))
    publish_rows(workspace, "products", product(), product(product_id="p2", name="=1+1"), version="new")
    return workspace


def test_parquet_keeps_every_value(shop: Workspace) -> None:
    out = shop.root / "products.parquet"
    assert "2 rows of products, version new" in larder("table", "products", "--out", out).output
    assert pq.read_table(out).column_names == contract("products").column_names
    assert pq.read_table(out)["name"].to_pylist() == ["Oats", "=1+1"]


def test_csv_holds_arrays_as_json_and_no_formula(shop: Workspace) -> None:
    publish_rows(shop, "baskets", basket(products=[("p1", 2.0, 300)]))
    larder("table", "baskets", "--out", shop.root / "baskets.csv")
    (row,) = csv.DictReader((shop.root / "baskets.csv").open())
    assert json.loads(row["products"]) == [{"product_id": "p1", "quantity": 2.0, "amount_cents": 300}]
    larder("table", "products", "--out", shop.root / "products.csv")
    assert [row["name"] for row in csv.DictReader((shop.root / "products.csv").open())] == ["Oats", "'=1+1"]


def test_a_partitioned_table_is_exported_with_its_days(shop: Workspace) -> None:
    folder = shop.lake.stage("transactions", "run1")
    rows = pa.Table.from_pylist(
        [transaction(basket_id="b", category="c", sold_on=date(2026, 2, day)) for day in (1, 2)]
    )
    pq.write_to_dataset(rows, folder, partition_cols=["sold_on"])
    shop.lake.describe(Manifest(table="transactions", version="run1", business_date=BUSINESS_DATE, rows=2))
    shop.lake.publish("transactions", "run1")
    out = shop.root / "transactions.parquet"
    assert larder("table", "transactions", "--out", out).exit_code == 0
    exported = pq.ParquetFile(out).read()
    assert sorted(exported["sold_on"].to_pylist()) == [date(2026, 2, 1), date(2026, 2, 2)]
    assert exported.column_names == contract("transactions").column_names


def test_an_earlier_version_on_request(shop: Workspace) -> None:
    assert "1 rows" in larder("table", "products", "--version", "old", "--out", shop.root / "products.csv").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("table", "prducts"), "unknown table 'prducts'; known: transactions"),
        (("table", "products", "--out", "products.xlsx"), "ends with neither .parquet nor .csv"),
        (("table", "products", "--version", "never", "--out", "p.csv"), "published: old, new"),
        (("table", "stockouts", "--out", "s.csv"), "no published version"),
        (("rollback", "products", "never"), "no published version never"),
        (("accept", "products", "never"), "no complete staged version never"),
        (("versions", "products", "--source", "nowhere"), "nowhere"),
    ],
)
def test_a_wrong_request_is_one_line(shop: Workspace, arguments: tuple[str, ...], message: str) -> None:
    result = larder(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("larder: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_a_failed_export_leaves_no_file(shop: Workspace) -> None:
    larder("table", "stockouts", "--out", shop.root / "stockouts.csv")
    assert list(shop.root.glob("*stockouts*")) == []


def test_tables_are_listed_with_grain_and_rows(shop: Workspace) -> None:
    lines = [line.strip() for line in larder("table").output.splitlines()]
    assert all(any(line.startswith(name) for line in lines) for name in TABLES)
    (listed,) = (line for line in lines if line.startswith("products"))
    assert listed.split()[1:] == ["one", "product", "2", "new"]


def test_a_table_is_described_by_its_contract(shop: Workspace) -> None:
    output = larder("table", "products").output
    assert all(name in output for name in contract("products").column_names)


def test_rollback_shows_in_the_versions(shop: Workspace) -> None:
    assert "readers of products get old; before: new" in larder("rollback", "products", "old").output
    (current,) = (line for line in larder("versions", "products").output.splitlines() if "*" in line)
    assert current.split()[:2] == ["*", "old"]


def test_an_operator_may_accept_what_an_audit_refused(shop: Workspace) -> None:
    shop.lake.stage("products", "refused").mkdir()
    shop.lake.describe(Manifest(table="products", version="refused", business_date=BUSINESS_DATE, rows=1))
    assert larder("accept", "products", "refused").exit_code == 0
    assert shop.lake.current("products") == "refused"
    assert shop.lake.manifest("products", "refused").details == {"accepted_by_operator": True}
