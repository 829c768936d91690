"""`larder returns`: what will come back, from the published forecasts of returns."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from models.names import closest_of
from pipeline.commands.csv_output import put_csv
from pipeline.lake.known_names import known_names
from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.tables.return_forecasts import RETURN_FORECASTS
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

app = typer.Typer(help="Which order lines will come back, and when.", no_args_is_help=True)

SHOWN = 40
_COLUMNS = ("customer_id", "product_id", "store_id", "sold_on", "last_return_on", "quantity", "amount_cents")
_MORE = ("probability", "expected_units", "basket_key", "fallback", "model_version")


@app.callback()
def returns() -> None:
    """Which order lines will come back, and when."""


@app.command("list")
def list_returns(
    *,
    customer: Annotated[str | None, typer.Option(help="the lines of this customer")] = None,
    product: Annotated[str | None, typer.Option(help="the lines of this product")] = None,
    store: Annotated[str | None, typer.Option(help="the lines that this store sold")] = None,
    source: Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")] = None,
    limit: Annotated[int, typer.Option(min=1, help="rows at most")] = SHOWN,
    csv: Annotated[Path | None, typer.Option(help="write CSV to this file instead; - for standard output")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead")] = False,
) -> None:
    """Lines inside their return window, those first of which most units are expected back."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        settings = Settings()
        name = load_source(settings.source if source is None else source).name
        lake = Workspace.of(settings, name).lake
        version = lake.resolve(RETURN_FORECASTS.name)
        wanted = {"customer_id": customer, "product_id": product, "store_id": store}
        folder = lake.path(RETURN_FORECASTS.name, version)
        for column, word in wanted.items():
            known = known_names(folder, column) if word is not None else set()
            if word is not None and word not in known:
                what = column.removesuffix("_id")
                raise ValueError(f"the open order lines of {name} have no {what} {word!r}; {closest_of(word, known)}")
        rows = forecasts_of(folder, wanted, limit)
        if as_json:
            typer.echo(json.dumps(rows, indent=1, default=str))
        elif csv is not None:
            put_csv(csv, rows, [*_COLUMNS, *_MORE], "lines")
        else:
            _print(
                rows, f"returns expected by {name} as of {lake.manifest(RETURN_FORECASTS.name, version).business_date}"
            )


def forecasts_of(folder: Path, wanted: dict[str, str | None], limit: int) -> list[dict[str, Any]]:
    """Rows of a version with these values, at most `limit`, most expected units first; ties: the most probable."""
    import pyarrow.dataset as ds

    chosen = None
    for column, value in wanted.items():
        if value is not None:
            equal = ds.field(column) == value
            chosen = equal if chosen is None else chosen & equal
    table = ds.dataset(folder, format="parquet").to_table(columns=[*_COLUMNS, *_MORE], filter=chosen)
    order = [("expected_units", "descending"), ("probability", "descending")]
    return table.sort_by([*order, ("basket_key", "ascending"), ("product_id", "ascending")])[:limit].to_pylist()


def _print(rows: list[dict[str, Any]], title: str) -> None:
    columns = {"customer": "left", "product": "left", "store": "left", "sold on": "left", "until": "left"}
    more = {"units": "right", "probability": "right", "units back": "right", "fallback": "left"}
    shown = [
        [
            *(row[name] for name in _COLUMNS[:5]),
            f"{row['quantity']:g}",
            f"{row['probability']:.1%}",
            f"{row['expected_units']:.2f}",
            row["fallback"] or "",
        ]
        for row in rows
    ]
    print_table(title, columns | more, shown)
