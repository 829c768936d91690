"""`larder simulate`: make the simulated shop, or the sales team; `larder simulate score`: alerts against its truth."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from models.names import look_up
from pipeline.files import replace_text
from pipeline.settings import Settings
from pipeline.simulator.score import (
    Score,
    ScoreError,
    read_shop,
    return_ranks,
    returns_against_others,
    score_changes,
    score_stockouts,
)
from pipeline.simulator.shop import ShopSettings
from pipeline.tables.return_forecasts import RETURN_FORECASTS
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.alerts.models import AnomalyAlert, StockoutAlert

DEFAULT = ShopSettings()

SHOP, SALES, FASHION = "shop", "sales", "fashion"

app = typer.Typer(help="Make the simulated shop or sales team, or score alerts against the shop's truth.")

Folder = Annotated[Path | None, typer.Option(help="folder of raw/ and truth/; default <data_dir>/<what is made>")]
FIRST_DAY = typer.Option(formats=["%Y-%m-%d"], help="first delivered day; default: of the shop already there")
LAST_DAY = typer.Option(formats=["%Y-%m-%d"], help="last delivered day instead; default of a new shop: yesterday")


@app.callback(invoke_without_command=True)
def simulate_shop(
    context: typer.Context,
    *,
    what: Annotated[
        str, typer.Option("--shop", help="shop; sales: cases of a sales team; fashion: articles with pictures")
    ] = SHOP,
    customers: Annotated[
        int, typer.Option(help="customers at any one time; of a sales team, cases")
    ] = DEFAULT.customers,
    days: Annotated[int, typer.Option(help="delivered days")] = DEFAULT.days,
    stores: Annotated[int, typer.Option(help="stores")] = DEFAULT.stores,
    products: Annotated[int, typer.Option(help="places in the assortment")] = DEFAULT.products,
    seed: Annotated[int, typer.Option(help="equal seeds make equal files")] = DEFAULT.seed,
    first_day: Annotated[datetime | None, FIRST_DAY] = None,
    last_day: Annotated[datetime | None, LAST_DAY] = None,
    stockouts: Annotated[int, typer.Option(help="cut resupply plans under way on a day")] = DEFAULT.planted_stockouts,
    changes: Annotated[int, typer.Option(help="behaviour changes in any ten days")] = DEFAULT.planted_changes,
    return_spread: Annotated[
        float, typer.Option(help="how far customers and products differ in what they return")
    ] = DEFAULT.return_spread,
    out: Folder = None,
) -> None:
    """Make raw and truth files of a simulated shop or sales team; the same settings make the same files."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.simulator.simulate import simulate

    with errors_in_one_line(ValueError):
        look_up("simulation", what, dict.fromkeys((SHOP, SALES, FASHION)))
    given = {name for name, of in context.params.items() if _is_given(context, name) and of is not None}
    if what == SALES:
        _simulate_sales(given, {name: context.params[name] for name in given}, _folder(out, SALES))
        return
    if what == FASHION:
        _simulate_fashion({name: context.params[name] for name in given}, _folder(out, FASHION))
        return
    try:
        shop = ShopSettings(
            customers=customers,
            days=days,
            stores=stores,
            products=products,
            seed=seed,
            first_day=_first_day(first_day, last_day, days, _folder(out)),
            planted_stockouts=stockouts,
            planted_changes=changes,
            return_spread=return_spread,
        )
    except ValidationError as error:
        refusals = (f"{refusal['loc'][0]}: {refusal['msg']}" for refusal in error.errors())
        raise typer.BadParameter("; ".join(refusals)) from None
    with errors_in_one_line():
        raw = simulate(shop, _folder(out))
    typer.echo(f"{shop.days} days of {shop.stores} stores in {raw}; business date {shop.business_date}")


@app.command()
def score(
    source: Annotated[str, typer.Option(help="source whose alerts are scored")] = "shop",
    business_date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="default: the shop's")] = None,
    run_id: Annotated[str | None, typer.Option(help="refuse alerts of any other run")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the scores there, too")] = None,
    out: Folder = None,
) -> None:
    """Print precision and recall of the published alerts against what the simulated shop planted."""
    from pipeline.alerts.queries import open_alerts
    from pipeline.alerts.store import AlertStoreError

    settings, folder = Settings(), _folder(out)
    with errors_in_one_line(ScoreError, AlertStoreError):
        day = _night(read_shop(folder), business_date)
        short = open_alerts(settings, kind="stockout", source=source, business_date=day)
        strange = open_alerts(settings, kind="anomaly", source=source, business_date=day)
        _refuse_other_runs([*short, *strange], run_id)
        pairs = ((alert.store_id, alert.product_id) for alert in short)
        scores = score_stockouts(folder, pairs, settings.demand.horizon_days)
        scores += score_changes(folder, (alert.funnel_id for alert in strange if alert.funnel_kind == "customer"))
    _print(scores, day)
    ranks = return_ranks(folder, _forecast_returns(settings, source, day))
    for kind, rank in ranks.items():
        typer.echo(f"returns by {kind}: rank correlation {rank:.2f} of forecast and planted")
    if json_file is not None:
        rows = [{**asdict(row), "recall": row.recall, "precision": row.precision} for row in scores]
        known = {"business_date": day.isoformat(), "scores": rows, "return_ranks": ranks}
        with errors_in_one_line():
            replace_text(json_file, json.dumps(known, indent=1) + "\n")


def _forecast_returns(settings: Settings, source: str, day: date) -> dict[str, dict[str, float]]:
    """What `returns_against_others` says of that night's open order lines; nothing without a forecast."""
    import pyarrow.dataset as ds

    lake = Workspace.of(settings, source).lake
    version = lake.current(RETURN_FORECASTS.name)
    if version is None or lake.manifest(RETURN_FORECASTS.name, version).business_date != day:
        return {}
    lines = ds.dataset(lake.path(RETURN_FORECASTS.name, version), format="parquet")
    table = lines.to_table(columns=["customer_id", "product_id", "probability"])
    return returns_against_others(
        table["customer_id"].to_pylist(), table["product_id"].to_pylist(), table["probability"].to_numpy()
    )


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _simulate_sales(given: set[str], values: dict[str, Any], folder: Path) -> None:
    """Write the sales team's files and print what a perfect knower of the generator reaches.

    Raises: typer.BadParameter: for an option that only a shop has.
    """
    from pipeline.simulator.sales_cases import SalesSettings, simulate_cases
    from pipeline.simulator.sales_files import ceiling, write_sales

    if wrong := sorted(given - {"what", "customers", "days", "seed", "first_day", "out"}):
        raise typer.BadParameter(f"--{wrong[0].replace('_', '-')} is of the shop, not of a sales team")
    names = {"customers": "cases", "days": "days", "seed": "seed", "first_day": "first_day"}
    chosen = {ours: values[name] for name, ours in names.items() if name in values}
    if "first_day" in chosen:
        chosen["first_day"] = chosen["first_day"].date()
    try:
        team = SalesSettings(**chosen)
    except ValidationError as error:
        refusals = (f"{refusal['loc'][0]}: {refusal['msg']}" for refusal in error.errors())
        raise typer.BadParameter("; ".join(refusals)) from None
    with errors_in_one_line():
        raw = write_sales(team, folder)
    typer.echo(f"{team.cases} cases of {team.agents} agents in {raw}; business date {team.business_date}")
    typer.echo(f"who knows the generator perfectly predicts {ceiling(simulate_cases(team)):.1%} of the next actions")


def _simulate_fashion(values: dict[str, Any], folder: Path) -> None:
    """Write the fashion shop's files.

    Raises: typer.BadParameter: for an option that it does not have.
    """
    from pipeline.simulator.fashion_shop import FashionSettings, simulate_fashion

    names = {"customers": "customers", "days": "days", "products": "articles", "seed": "seed", "first_day": "first_day"}
    if wrong := sorted(set(values) - set(names) - {"what", "out"}):
        raise typer.BadParameter(f"--{wrong[0].replace('_', '-')} is of the shop, not of the fashion shop")
    chosen = {ours: values[name] for name, ours in names.items() if name in values}
    if "first_day" in chosen:
        chosen["first_day"] = chosen["first_day"].date()
    try:
        settings = FashionSettings(**chosen)
    except ValidationError as error:
        refusals = (f"{refusal['loc'][0]}: {refusal['msg']}" for refusal in error.errors())
        raise typer.BadParameter("; ".join(refusals)) from None
    with errors_in_one_line():
        raw = simulate_fashion(settings, folder)
    typer.echo(f"{settings.days} days of {settings.articles} articles in {raw}; business date {settings.business_date}")


def _first_day(first: datetime | None, last: datetime | None, days: int, folder: Path) -> date:
    """The first day asked for, that of the shop already in the folder, or such that a new shop ends yesterday.

    A shop that is made again, longer by a day, thus keeps its past. The clock is read here and nowhere else.
    """
    if first is not None and last is not None:
        raise typer.BadParameter("give --first-day or --last-day, not both: --days says how far apart they are")
    if first is not None:
        return first.date()
    if last is None:
        with suppress(ScoreError):
            return read_shop(folder).first_day
    ends_on = last.date() if last is not None else date.today() - timedelta(days=1)
    try:
        return ends_on - timedelta(days=days - 1)
    except OverflowError:
        return DEFAULT.first_day  # so many days are refused by the settings


def _folder(out: Path | None, what: str = SHOP) -> Path:
    return (out or Settings().data_dir / what).resolve()


def _night(shop: ShopSettings, chosen: datetime | None) -> date:
    """The business date of the truth; another one cannot be scored, since the truth looks ahead from there."""
    if chosen is not None and chosen.date() != shop.business_date:
        raise ScoreError(
            f"the truth is that of {shop.business_date}, not of {chosen.date()}; simulate the shop with as many days"
            " as lead up to the business date that you want scored"
        )
    return shop.business_date


def _refuse_other_runs(alerts: "list[StockoutAlert | AnomalyAlert]", run_id: str | None) -> None:
    others = {alert.run_id for alert in alerts} - {run_id}
    if run_id is not None and others:
        raise ScoreError(f"the published alerts are of run {', '.join(sorted(others))}, not of {run_id}")


def _print(scores: list[Score], business_date: date) -> None:
    headings = {"what": "left", "true": "right", "found": "right", "recall": "right", "alerts": "right"}
    rows: list[list[object]] = [
        [
            row.name,
            row.true,
            row.found,
            _share(row.recall),
            "" if row.alerts is None else row.alerts,
            _share(row.precision),
        ]
        for row in scores
    ]
    print_table(f"Alerts against the truth of {business_date}", {**headings, "precision": "right"}, rows)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
