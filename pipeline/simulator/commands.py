"""`larder simulate`: make the simulated shop; `larder simulate score`: alerts against its truth."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.settings import Settings
from pipeline.simulator.shop import ShopSettings

DEFAULT = ShopSettings()

app = typer.Typer(help="The simulated shop: make it, and score alerts against its truth.")


@app.callback(invoke_without_command=True)
def simulate_shop(
    context: typer.Context,
    customers: Annotated[int, typer.Option(help="Customers at any one time.")] = DEFAULT.customers,
    days: Annotated[int, typer.Option(help="Delivered days.")] = DEFAULT.days,
    stores: Annotated[int, typer.Option(help="Stores.")] = DEFAULT.stores,
    products: Annotated[int, typer.Option(help="Places in the assortment.")] = DEFAULT.products,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal files.")] = DEFAULT.seed,
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First delivered day.")] = datetime.combine(
        DEFAULT.first_day, datetime.min.time()
    ),
    stockouts: Annotated[
        int, typer.Option(help="Cut resupply plans under way on any day.")
    ] = DEFAULT.planted_stockouts,
    changes: Annotated[int, typer.Option(help="Behaviour changes in any ten days.")] = DEFAULT.planted_changes,
    out: Annotated[Path | None, typer.Option(help="Folder for raw/ and truth/; default <data_dir>/shop.")] = None,
) -> None:
    """Make the simulated shop's raw and truth files; the same settings make the same files."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.simulator.simulate import simulate

    try:
        shop = ShopSettings(
            customers=customers, days=days, stores=stores, products=products, seed=seed,
            first_day=first_day.date(), planted_stockouts=stockouts, planted_changes=changes,
        )  # fmt: skip
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    raw = simulate(shop, (out or Settings().data_dir / "shop").resolve())
    Console().print(f"{shop.days} days of {shop.stores} stores in {raw}; business date {shop.business_date}")
