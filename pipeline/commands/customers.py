"""`larder customers`: what each customer is worth, from the published customer values."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from models.customer_value.kinds import SEGMENTS
from models.names import closest_of, unknown_name
from pipeline.commands.csv_output import put_csv
from pipeline.customer_story import CustomerStory, read_story
from pipeline.lake.known_names import known_names
from pipeline.lake.lake import Lake, LakeError
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.tables.customer_values import CUSTOMER_VALUES
from pipeline.terminal import errors_in_one_line, money, print_table
from pipeline.workspace import Workspace

app = typer.Typer(help="What each customer is worth, and what is expected of it.", no_args_is_help=True)

SHOWN = 40
_ORDERS = ("lifetime_value_cents", "spend_90_cents", "still_customer", "recency_days", "spend_cents")
_FIRST = ("customer_id", "segment", "trend", "recency_days", "frequency", "spend_cents", "still_customer")

Source = Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead")]


@app.callback()
def customers() -> None:
    """What each customer is worth, and what is expected of it."""


@app.command("list")
def list_customers(
    *,
    segment: Annotated[str | None, typer.Option(help="those of this segment alone")] = None,
    by: Annotated[str, typer.Option(help=f"largest first: {', '.join(_ORDERS)}")] = _ORDERS[0],
    source: Source = None,
    limit: Annotated[int, typer.Option(min=1, help="rows at most")] = SHOWN,
    csv: Annotated[Path | None, typer.Option(help="write CSV to this file instead; - for standard output")] = None,
    as_json: AsJson = False,
) -> None:
    """The customers of the latest values, the most valuable first."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        if segment is not None and segment not in SEGMENTS:
            raise ValueError(unknown_name("segment", segment, SEGMENTS))
        if by not in _ORDERS:
            raise ValueError(unknown_name("order", by, _ORDERS))
        name, lake = _opened(source)
        version = lake.resolve(CUSTOMER_VALUES.name)
        rows = values_of(lake.path(CUSTOMER_VALUES.name, version), segment, by)[:limit]
        if as_json:
            typer.echo(json.dumps(rows, indent=1, default=str))
        elif csv is not None:
            put_csv(
                csv,
                rows,
                [*_FIRST, *(name for name in CUSTOMER_VALUES.column_names if name not in _FIRST)],
                "customers",
            )
        else:
            day = lake.manifest(CUSTOMER_VALUES.name, version).business_date
            _print(rows, f"customers of {name} as of {day}")


@app.command()
def show(
    customer: Annotated[str, typer.Argument(help="the id as it is kept; of a pseudonymised source the pseudonym")],
    *,
    source: Source = None,
    as_json: AsJson = False,
) -> None:
    """Everything about one customer: value, bands, offers, next visit and latest days."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        name, lake = _opened(source)
        story = read_story(lake, customer)
        if story is None:
            known = known_names(lake.path(CUSTOMER_VALUES.name, lake.resolve(CUSTOMER_VALUES.name)), "customer_id")
            raise ValueError(f"the values of {name} have no customer {customer!r}; {closest_of(customer, known)}")
        if as_json:
            typer.echo(json.dumps(story.as_json(), indent=1, default=str))
        else:
            _print_story(story)


def values_of(folder: Path, segment: str | None, by: str) -> list[dict[str, Any]]:
    """Rows of a version, the largest of `by` first."""
    import pyarrow.dataset as ds

    chosen = None if segment is None else ds.field("segment") == segment
    rows = ds.dataset(folder, format="parquet").to_table(filter=chosen)
    ordered = rows.sort_by([(by, "descending"), ("customer_id", "ascending")]).to_pylist()
    others = [name for name in CUSTOMER_VALUES.column_names if name not in _FIRST]
    return [{name: row[name] for name in (*_FIRST, *others)} for row in ordered]


def _opened(source: str | None) -> tuple[str, Lake]:
    settings = Settings()
    name = load_source(settings.source if source is None else source).name
    return name, Workspace.of(settings, name).lake


def _print(rows: list[dict[str, Any]], title: str) -> None:
    columns = {"customer": "left", "segment": "left", "trend": "left", "last basket": "left", "next": "left"}
    figures = {"lost": "right", "90 days": "right", "80 % of outcomes": "right", "lifetime value": "right"}
    shown = [
        [
            row["customer_id"],
            row["segment"],
            row["trend"],
            row["last_sold_on"],
            row["next_sold_on"],
            f"{1.0 - row['still_customer']:.0%}",
            money(row["spend_90_cents"]),
            f"{money(row['spend_90_low_cents'])} to {money(row['spend_90_high_cents'])}",
            money(row["lifetime_value_cents"]),
        ]
        for row in rows
    ]
    print_table(title, columns | figures, shown)


def _print_story(story: CustomerStory) -> None:
    print_table(f"customer {story.customer_id}", {"": "left", " ": "left"}, [list(row) for row in story.facts()])
    if story.offers:
        rows = [[offer["offer"], f"{offer['probability']:.1%}", offer["expected_on"]] for offer in story.offers]
        print_table("next offers", {"offer": "left", "probability": "right", "expected on": "left"}, rows)
    latest = [
        [day["sold_on"], day["lines"], money(day["bought_cents"]), money(day["returned_cents"])]
        for day in story.days[-SHOWN:]
    ]
    print_table("days", {"day": "left", "lines": "right", "bought": "right", "returned": "right"}, latest)
