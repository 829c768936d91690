"""A proposed description fits its files, whatever language, delimiter and encoding they are written in."""

import tomllib
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.sources.proposal import propose
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.workspace import Workspace

GERMAN = """sep=;
Datum;Filiale;Kundennr;Bon-Nr.;Artikelnr;Warengruppe;Menge;Betrag
03.11.2025 10:15;17;C-1;880012;4711;Obst;2;1.234,98
14.11.2025 11:15;17;;880013;4712;Käse;-1;-0,50
"""
FRENCH = """Relevé des ventes
Date;Magasin;Carte fidélité;N° facture;Code produit;Quantité;Prix unitaire
13/11/2025;Paris;12;77;9;2;1 234,98
14/11/2025;Paris;13;78;9;1;5,98
"""
SPANISH = """Fecha\tTienda\tTarjeta\tArtículo\tCantidad\tImporte
2025-11-03T10:00:00Z\tMadrid\t1\tA1\t2\t5.98
"""
ENGLISH = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID
1,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850
"""
DUTCH = """datum|klant|artikelcode|aantal|bedrag
20251103|7|x1|1|2.00
"""
NO_HEADER_BUT_NAMES = "day card sku qty total\n2025-11-03 7 x1 1 2.00\n"
COLUMNS = {"sold_at", "customer", "product", "quantity"}


@pytest.mark.parametrize(
    ("text", "encoding", "keys", "columns"),
    [
        (
            GERMAN,
            "cp1252",
            {"delimiter": ";", "decimal": ",", "thousands": ".", "time_format": "%d.%m.%Y %H:%M",
             "timezone": "Europe/Berlin", "session": "basket_id", "encoding": "cp1252"},
            {"store", "basket", "category", "amount"},
        ),
        (
            FRENCH,
            "utf-8-sig",
            {"delimiter": ";", "decimal": ",", "thousands": " ", "time_format": "%d/%m/%Y", "skip_lines": 1,
             "timezone": "Europe/Paris"},
            {"store", "basket", "unit_price"},
        ),
        (
            SPANISH,
            "utf-16",
            {"delimiter": "\t", "encoding": "utf-16", "time_format": "%Y-%m-%dT%H:%M:%SZ", "timezone": "Europe/Madrid",
             "session": "customer_day"},
            {"store", "amount"},
        ),
        (ENGLISH, "utf-8", {"time_format": "%Y-%m-%d %H:%M:%S", "timezone": "UTC"}, {"basket", "unit_price"}),
        (DUTCH, "utf-8", {"delimiter": "|", "time_format": "%Y%m%d", "timezone": "Europe/Amsterdam"}, {"amount"}),
        (NO_HEADER_BUT_NAMES, "utf-8", {"delimiter": "whitespace", "time_format": "%Y-%m-%d"}, {"amount"}),
    ],
    ids=["german", "french", "spanish", "english", "dutch", "whitespace"],
)  # fmt: skip
def test_the_files_own_words_and_marks_are_found(
    tmp_path: Path, text: str, encoding: str, keys: dict[str, object], columns: set[str]
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(text.encode(encoding))
    proposed = tomllib.loads(propose([path], tmp_path).toml())
    assert {key: proposed.get(key) for key in keys} == keys
    assert set(proposed["columns"]) == COLUMNS | columns
    assert Source.model_validate(proposed).files == "sales.csv"


def test_files_of_many_days_are_one_pattern_and_names_become_a_catalogue(tmp_path: Path) -> None:
    for day in ("20251103", "20251104"):
        (tmp_path / f"sales_{day}.csv").write_text(ENGLISH)
    proposed = propose(sorted(tmp_path.glob("*.csv")), tmp_path).keys
    assert (proposed["name"], proposed["files"]) == ("sales", "sales_{date:%Y%m%d}.csv")
    assert proposed["catalogue"]["columns"] == {"product": "StockCode", "name": "Description"}


def test_what_cannot_be_found_is_named_with_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("day,card,thing,total\n2025-11-03,7,x,2.00\n")
    with pytest.raises(SourceError, match=r"looks like product, quantity; there are: day, card, thing, total"):
        propose([path], tmp_path)
    path.write_text("a,b\nx,y\n")
    with pytest.raises(SourceError, match="no column reads as dates or times"):
        propose([path], tmp_path)


def test_a_parquet_file_is_known_by_its_first_bytes_and_a_workbook_is_refused(tmp_path: Path) -> None:
    sales, workbook = tmp_path / "sales.csv", tmp_path / "sales.xlsx"
    table = pa.table(
        {"sold_at": ["2025-11-03 10:00:00"], "customer": ["c"], "product": ["p"], "quantity": [1], "amount": [2.0]}
    )
    pq.write_table(table, sales)
    assert 'format = "parquet"' in propose([sales], tmp_path).toml()
    with zipfile.ZipFile(workbook, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(SourceError, match=r"sales\.xlsx: is a zip archive or an Excel workbook"):
        propose([workbook], tmp_path)


def test_the_command_writes_a_description_that_loads_and_replaces_none(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(ENGLISH)
    result = CliRunner().invoke(app, ["source", "init", str(path)])
    assert result.exit_code == 0, result.output
    source = load_source(str(tmp_path / "sales.toml"))
    assert source.delivered_files(Workspace.of(settings, source.name)) == [path]
    again = CliRunner().invoke(app, ["source", "init", str(path)])
    assert again.exit_code == 1
    assert "is there already" in again.output
