"""`larder styles` and `larder items`: whom to show what, and which articles are alike."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.csv_output import put_csv
from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.style_lists import StyleLists
from pipeline.terminal import errors_in_one_line, money, print_table
from pipeline.workspace import Workspace

app = typer.Typer(help="Whom to show what of all that is in store.", no_args_is_help=True)
items = typer.Typer(help="Articles that are alike to customers.", no_args_is_help=True)

SHOWN = 20
SourceOption = Annotated[str | None, typer.Option(help="fashion, or the path to a TOML description")]
CsvOption = Annotated[Path | None, typer.Option(help="write CSV to this file instead; - for standard output")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON instead")]
LimitOption = Annotated[int, typer.Option(min=1, help="rows at most")]
_FOR_CUSTOMER = ["style_rank", "product_id", "name", "category", "price_cents", "intent", "is_new", "is_cold"]
_FOR_ITEM = ["place", "customer_id", "intent", "orders", "last_sold_on", "is_cold", "is_new"]
_LIKE = ["product_id", "name", "category", "price_cents", "likeness", "in_store"]
_MORE = ["fallback", "model_version"]


@app.callback()
def styles() -> None:
    """Whom to show what of all that is in store."""


@items.callback()
def articles() -> None:
    """Articles that are alike to customers."""


@app.command("list")
def list_styles(
    *,
    customer: Annotated[str | None, typer.Option(help="what to show to this customer")] = None,
    item: Annotated[str | None, typer.Option(help="whom to show this article to")] = None,
    source: SourceOption = None,
    limit: LimitOption = SHOWN,
    csv: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """The best articles in store for a customer, or the customers with the largest intent to buy an article."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        if (customer is None) == (item is None):
            raise ValueError("name either a --customer or an --item (an article)")
        lists = _lists(source)
        if customer is not None:
            rows, columns = lists.for_customer(customer)[:limit], _FOR_CUSTOMER
            title = f"{lists.source} as of {lists.business_date}: what to show to {customer}"
        else:
            rows, columns = lists.for_item(str(item), limit), _FOR_ITEM
            title = f"{lists.source} as of {lists.business_date}: whom to show {item} to"
        if _put(rows, columns + _MORE, csv, as_json, "rows"):
            return
        if customer is not None:
            _print_articles(title, rows, {"intent": lambda row: f"{row['intent']:.2f}", "": _flags})
        else:
            shown: list[list[object]] = [
                [
                    row["place"],
                    row["customer_id"],
                    f"{row['intent']:.2f}",
                    row["orders"],
                    row["last_sold_on"],
                    _flags(row),
                ]
                for row in rows
            ]
            headings = {"#": "right", "customer": "left", "intent": "right", "orders": "right"}
            print_table(title, headings | {"last bought": "left", "": "left"}, shown)


@app.command()
def customers(
    source: SourceOption = None,
    limit: LimitOption = SHOWN,
) -> None:
    """Ids of customers who have a style, in order, one a line."""
    with errors_in_one_line(SourceError, LakeError):
        typer.echo("\n".join(_lists(source).customers()[:limit]))


@items.command()
def like(
    item: Annotated[str, typer.Argument(help="an article of the catalogue")],
    source: SourceOption = None,
    limit: LimitOption = SHOWN,
    csv: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """The articles whose vectors are nearest: what the same customers buy."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        lists = _lists(source)
        rows = lists.like(item, limit)
        if not _put(rows, [*_LIKE, "model_version"], csv, as_json, "articles"):
            title = f"{lists.source}: articles like {item}"
            more = {"likeness": lambda row: f"{row['likeness']:.2f}", "": lambda row: "" if row["in_store"] else "gone"}
            _print_articles(title, rows, more)


def _lists(source: str | None) -> StyleLists:
    settings = Settings()
    name = load_source(settings.source if source is None else source).name
    return StyleLists.of(Workspace.of(settings, name).lake, name)


def _put(rows: list[dict[str, Any]], columns: list[str], csv: Path | None, as_json: bool, what: str) -> bool:
    """Put the rows where they are wanted; False where that is the terminal."""
    if as_json:
        typer.echo(json.dumps([{name: row.get(name) for name in columns} for row in rows], indent=1, default=str))
    elif csv is not None:
        put_csv(csv, [{name: row.get(name) for name in columns} for row in rows], columns, what)
    return as_json or csv is not None


def _print_articles(title: str, rows: list[dict[str, Any]], more: dict[str, Any]) -> None:
    headings = {"#": "right", "article": "left", "name": "fold", "category": "left", "price": "right"}
    headings |= {heading: "left" if not heading else "right" for heading in more}
    shown: list[list[object]] = [
        [
            number,
            row["product_id"],
            row["name"] if row["name"] != row["product_id"] else "",
            row["category"] or "",
            "" if row.get("price_cents") is None else money(row["price_cents"]),
            *(of(row) for of in more.values()),
        ]
        for number, row in enumerate(rows, start=1)
    ]
    print_table(title, headings, shown)


def _flags(row: dict[str, Any]) -> str:
    said = {"new": row["is_new"], "cold": row["is_cold"], row["fallback"] or "": row["fallback"]}
    return ", ".join(word for word, holds in said.items() if holds)
