"""`larder simulate`: make the simulated shop; `larder simulate score`: hold alerts against its truth."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from pipeline.files import replace_text
from pipeline.settings import Settings
from pipeline.simulator.score import Score, ScoreError, read_shop, score_changes, score_stockouts
from pipeline.simulator.shop import ShopSettings
from pipeline.terminal import errors_in_one_line, print_table

if TYPE_CHECKING:
    from pipeline.alerts.models import AnomalyAlert, StockoutAlert

DEFAULT = ShopSettings()

app = typer.Typer(help="Make the simulated shop, or score alerts against its truth.")

Folder = Annotated[Path | None, typer.Option(help="folder of raw/ and truth/; default <data_dir>/shop")]
FIRST_DAY = typer.Option(formats=["%Y-%m-%d"], help="first delivered day; default: of the shop already there")
LAST_DAY = typer.Option(formats=["%Y-%m-%d"], help="last delivered day instead; default of a new shop: yesterday")


@app.callback(invoke_without_command=True)
def simulate_shop(
    context: typer.Context,
    *,
    customers: Annotated[int, typer.Option(help="customers at any one time")] = DEFAULT.customers,
    days: Annotated[int, typer.Option(help="delivered days")] = DEFAULT.days,
    stores: Annotated[int, typer.Option(help="stores")] = DEFAULT.stores,
    products: Annotated[int, typer.Option(help="places in the assortment")] = DEFAULT.products,
    seed: Annotated[int, typer.Option(help="equal seeds make equal files")] = DEFAULT.seed,
    first_day: Annotated[datetime | None, FIRST_DAY] = None,
    last_day: Annotated[datetime | None, LAST_DAY] = None,
    stockouts: Annotated[int, typer.Option(help="cut resupply plans under way on a day")] = DEFAULT.planted_stockouts,
    changes: Annotated[int, typer.Option(help="behaviour changes in any ten days")] = DEFAULT.planted_changes,
    out: Folder = None,
) -> None:
    """Make the simulated shop's raw and truth files; the same settings, the days among them, make the same files."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.simulator.simulate import simulate

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
    if json_file is not None:
        rows = [{**asdict(row), "recall": row.recall, "precision": row.precision} for row in scores]
        with errors_in_one_line():
            replace_text(json_file, json.dumps({"business_date": day.isoformat(), "scores": rows}, indent=1) + "\n")


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


def _folder(out: Path | None) -> Path:
    return (out or Settings().data_dir / "shop").resolve()


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
