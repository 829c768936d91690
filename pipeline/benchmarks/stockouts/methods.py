"""Methods that forecast demand in the back-test, by name: the nightly forecast, and what a planner would use."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baselines.boosted_demand import BoostedLags
from models.baselines.customer_demand import CustomerConfig, Purchases, customer_demand
from models.baselines.demand_smoothers import SMOOTHERS, smoother
from models.demand import boosted_route, choice, store_route
from models.demand.forecast import DemandForecast
from models.demand.kinds import product_kinds, shares_in_all_stores
from models.demand.sales_history import SalesHistory, sales_history
from models.names import look_up
from pipeline.benchmarks.data.daily_sales import HORIZON_DAYS, DailySales
from pipeline.settings import DemandSettings

Array = NDArray[np.float64]
Forecast = DemandForecast | Array


# The nightly job's own forecast.
NIGHTLY = "nightly"
# The customer route with every customer replaced by the average one.
PLACEBO = "customer-route-placebo"


@dataclass(frozen=True)
class DemandMethod:
    """One method.

    forecast: forecasts these products from day `cutoff` on, and reads no day from it on. A method without a spread of
        its own returns means [N, H]; their spread is then fitted to its errors in the window before.
    all_products: whether it forecasts every product; a slow method forecasts only those that are scored.
    settings: its configuration; a trial with another configuration is run again.
    """

    forecast: Callable[[DailySales, int, NDArray[np.int64]], Forecast]
    all_products: bool = True
    settings: dict[str, Any] = field(default_factory=dict)


def demand_method(name: str) -> DemandMethod:
    """The method of that name.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    return look_up("model", name, METHODS)()


def _smooth(name: str) -> Callable[[DailySales, int, NDArray[np.int64]], Array]:
    return lambda sales, cutoff, products: smoother(name)(sales.units[products, :cutoff], HORIZON_DAYS)


def _smoothed(name: str) -> DemandMethod:
    return DemandMethod(_smooth(name), all_products=name != "auto-ets", settings={"smoother": name} | SMOOTHERS[name])


def _boost(sales: DailySales, cutoff: int, products: NDArray[np.int64]) -> Array:
    weekdays = sales.weekdays(0, cutoff + HORIZON_DAYS)
    return BoostedLags().forecast(sales.units[products, :cutoff], weekdays, HORIZON_DAYS)


def _boosted_lags() -> DemandMethod:
    return DemandMethod(_boost, all_products=False, settings=BoostedLags().settings())


def _imapa_and_lightgbm() -> DemandMethod:
    def forecast(sales: DailySales, cutoff: int, products: NDArray[np.int64]) -> Array:
        return (_smooth("imapa")(sales, cutoff, products) + _boost(sales, cutoff, products)) / 2

    return DemandMethod(forecast, all_products=False, settings=BoostedLags().settings())


def _store_route() -> DemandMethod:
    history_days = 56

    def forecast(sales: DailySales, cutoff: int, products: NDArray[np.int64]) -> Forecast:
        found = store_route.forecast_store(*_store(sales, cutoff, products, history_days))
        daily = store_route.day_variance(found.mean, found.dispersion, found.level_error)
        return DemandForecast(
            found.mean, daily, store_route.cumulative_variance(found.mean, found.dispersion, found.level_error)
        )

    return DemandMethod(forecast, settings={"history_days": history_days})


def _boosted_route() -> DemandMethod:
    history_days = DemandSettings().history_days

    def forecast(sales: DailySales, cutoff: int, products: NDArray[np.int64]) -> Forecast:
        found = boosted_route.forecast_store(*_store(sales, cutoff, products, history_days))
        return found.about(found.mean)

    settings = {"history_days": history_days, "weeks": "band"} | asdict(boosted_route.BoostedConfig())
    return DemandMethod(forecast, settings=settings)


def _nightly() -> DemandMethod:
    history_days = DemandSettings().history_days

    def forecast(sales: DailySales, cutoff: int, products: NDArray[np.int64]) -> Forecast:
        purchases, size = sales.in_purchases(cutoff)
        start, shape = max(cutoff - history_days, 0), (len(sales.units), HORIZON_DAYS)
        chain = _chain(sales, purchases[:, start:])
        bought = sales.units[:, :cutoff].sum(axis=1)
        price = np.divide(sales.spend[:, :cutoff].sum(axis=1), bought, out=np.zeros(len(bought)), where=bought > 0)
        made = DemandForecast(np.zeros(shape), np.zeros(shape), np.zeros(shape))
        for store in np.unique(sales.stores):
            rows = np.flatnonzero(sales.stores == store)
            sold = purchases[rows] > 0
            first = np.where(sold.any(axis=1), sold.argmax(axis=1), cutoff)
            history = sales_history(
                purchases[rows, start:],
                sales.weekdays(start, cutoff),
                first - start,
                np.zeros(len(rows), dtype=bool),
                kinds=product_kinds(sales.categories[rows].astype(str), price[rows]),
                chain=None if chain is None else chain[rows],
            )
            found = choice.forecast_store(history, sales.weekdays(cutoff, cutoff + HORIZON_DAYS))
            units = size[rows, None]
            made.mean[rows] = found.mean * units
            made.variance[rows] = found.daily.variance(found.mean) * units**2
            made.cumulative_variance[rows] = found.weekly.variance(np.cumsum(found.mean, axis=1)) * units**2
        return DemandForecast(made.mean[products], made.variance[products], made.cumulative_variance[products])

    settings = {"history_days": history_days, "past_weeks": choice.PAST_WEEKS} | asdict(boosted_route.BoostedConfig())
    return DemandMethod(forecast, settings=settings | {"sharpness": choice.SHARPNESS, "trust": choice.TRUST})


def _chain(sales: DailySales, purchases: Array) -> Array | None:
    """Shares of products in all stores, by row; None where there is one store."""
    if len(np.unique(sales.stores)) == 1:
        return None
    names, product = np.unique([name.partition("/")[2] for name in sales.product_names], return_inverse=True)
    in_all = np.zeros((len(names), purchases.shape[1]))
    np.add.at(in_all, product, purchases)
    chain: Array = shares_in_all_stores(in_all, purchases.sum(axis=0))[product]
    return chain


def _store(
    sales: DailySales, cutoff: int, products: NDArray[np.int64], history_days: int
) -> tuple[SalesHistory, NDArray[np.int64]]:
    """The store's last days, and the weekdays of the horizon."""
    history = sales.history(cutoff, products).days(max(cutoff - history_days, 0), cutoff)
    return history, sales.weekdays(cutoff, cutoff + HORIZON_DAYS)


def _customer_route(*, average: bool) -> DemandMethod:
    history_days, config = DemandSettings().history_days, CustomerConfig()

    def forecast(sales: DailySales, cutoff: int, products: NDArray[np.int64]) -> Array:
        store = boosted_route.expected_units(
            *_store(sales, cutoff, products, history_days), boosted_route.BoostedConfig()
        )
        position = np.full(len(sales.units), -1)
        position[products] = np.arange(len(products))
        known = (sales.line_days < cutoff) & (position[sales.line_products] >= 0)
        bought = Purchases(
            customers=sales.line_customers[known],
            products=position[sales.line_products[known]],
            days=sales.line_days[known],
            units=sales.line_units[known],
        )
        return customer_demand(bought, cutoff, store, config, average=average)

    settings = {"history_days": history_days, "average": average} | asdict(config)
    return DemandMethod(forecast, settings=settings)


METHODS: dict[str, Callable[[], DemandMethod]] = {
    **{name: partial(_smoothed, name) for name in SMOOTHERS},
    "lightgbm": _boosted_lags,
    "imapa-lightgbm": _imapa_and_lightgbm,
    "store-route": _store_route,
    "boosted-route": _boosted_route,
    NIGHTLY: _nightly,
    "customer-route": partial(_customer_route, average=False),
    PLACEBO: partial(_customer_route, average=True),
}
