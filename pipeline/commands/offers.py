"""`larder offers`: whom to call about what, from the published next offers."""

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
from pipeline.tables.next_offers import NEXT_OFFERS
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

app = typer.Typer(help="What customers take next, and when.", no_args_is_help=True)

SHOWN = 40
_LONGEST = 28
_COLUMNS = ("customer_id", "offer_rank", "offer", "probability", "from_days", "to_days", "bucket_probability")
_MORE = ("joint_probability", "probability_within", "expected_on", "expected_amount_cents", "last_sold_on", "fallback")


@app.callback()
def offers() -> None:
    """What customers take next, and when."""


@app.command("list")
def list_offers(
    *,
    customer: Annotated[str | None, typer.Option(help="the offers to this customer")] = None,
    product: Annotated[str | None, typer.Option(help="the customers for this category or product")] = None,
    within: Annotated[
        int, typer.Option(metavar="DAYS", min=1, max=_LONGEST, help="days from the business date on")
    ] = 7,
    source: Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")] = None,
    limit: Annotated[int, typer.Option(min=1, help="rows at most")] = SHOWN,
    csv: Annotated[Path | None, typer.Option(help="write CSV to this file instead; - for standard output")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead")] = False,
) -> None:
    """The offers that are most likely taken within some days, of one customer, one product, or all."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        settings = Settings()
        name = load_source(settings.source if source is None else source).name
        lake = Workspace.of(settings, name).lake
        version = lake.resolve(NEXT_OFFERS.name)
        rows = offers_of(lake.path(NEXT_OFFERS.name, version), customer, product, within)[:limit]
        for what, column, word in (("customer", "customer_id", customer), ("offer", "offer", product)):
            known = known_names(lake.path(NEXT_OFFERS.name, version), column) if word is not None else set()
            if word is not None and word not in known:
                raise ValueError(f"the next offers of {name} have no {what} {word!r}; {closest_of(word, known)}")
        if as_json:
            typer.echo(json.dumps(rows, indent=1, default=str))
        elif csv is not None:
            put_csv(csv, rows, [*_COLUMNS, *_MORE], "offers")
        else:
            day = lake.manifest(NEXT_OFFERS.name, version).business_date
            _print(rows, f"next offers of {name} within {within} days of {day}")


def offers_of(folder: Path, customer: str | None, product: str | None, within: int) -> list[dict[str, Any]]:
    """Rows of a version, those first that are most likely taken within some days; one customer's by rank."""
    import pyarrow.dataset as ds

    chosen = None
    for column, value in (("customer_id", customer), ("offer", product)):
        if value is not None:
            equal = ds.field(column) == value
            chosen = equal if chosen is None else chosen & equal
    rows = ds.dataset(folder, format="parquet").to_table(filter=chosen).to_pylist()
    for row in rows:
        row["probability_within"] = row.pop("probability_by_day")[within - 1]
    by_rank = customer is not None and product is None
    rows.sort(key=lambda row: (0.0 if by_rank else -row["probability_within"], row["offer_rank"], row["customer_id"]))
    return [{name: row[name] for name in (*_COLUMNS, *_MORE)} for row in rows]


def _print(rows: list[dict[str, Any]], title: str) -> None:
    columns = {"customer": "left", "offer": "left", "probability": "right", "within": "right"}
    shown = [
        [
            row["customer_id"],
            row["offer"],
            f"{row['probability']:.1%}",
            f"{row['probability_within']:.1%}",
            f"{row['from_days']} to {row['to_days']}" if row["to_days"] else f"{row['from_days']} or more",
            row["expected_on"],
            row["fallback"] or "",
        ]
        for row in rows
    ]
    more = {"days after the last": "right", "expected on": "left", "fallback": "left"}
    print_table(title, columns | more, shown)
