"""What is known of an order line when the order is placed: of it, its order, its customer and its product.

Nothing of the order's own moment or later is read: of the customer what was before the order's time, of products and of
everyone what was before its day. Rates of returns are logarithms of a rate against everyone's at the time, both known
by then and shrunk towards each other where there is little to go by.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.dataset.item_history import ItemHistory, log_rate
from pipeline.dataset.order_lines import OrderLines
from pipeline.dataset.running_sums import RunningSums

ORDER_NUMBERS = ("log_lines", "log_value", "returned_share", "has_return")
"""Columns of `fields.EVENT_NUMBERS`: of an order, what came back of it by the time of the line's order."""
_PRODUCTS = (
    ("log_value", "product_rate"),
    ("log_value", "customer_rate"),
    ("product_rate", "customer_rate"),
    ("mean_word_rate", "customer_rate"),
    ("log_value", "mean_word_rate"),
    ("orders_returned_share", "order_log_lines"),
    ("log_value", "order_log_lines"),
    ("customer_rate", "order_log_lines"),
)
LINE_NUMBERS = (
    "log_units",
    "log_price",
    "log_value",
    "share_of_order",
    "order_log_lines",
    "order_log_value",
    "order_log_units",
    "hour",
    "is_weekend",
    "log_orders",
    "log_days_since_order",
    "log_spent",
    "log_lines",
    "log_returned",
    "customer_rate",
    "log_returned_month",
    "log_returned_quarter",
    "log_days_since_return",
    "log_refunded_share",
    "orders_returned_share",
    "units_against_own",
    "log_sold_quarter",
    "product_rate",
    "product_rate_quarter",
    "log_product_returned",
    "units_against_product",
    "price_against_product",
    "largest_word_rate",
    "mean_word_rate",
    "log_pair_lines",
    "log_pair_returned",
    "pair_rate",
    "log_days_since_pair",
    "log_days_since_pair_return",
    "units_against_pair",
    "order_product_rate",
    "order_units_against_product",
    "order_pair_rate",
    "order_bought_before",
    "order_bought_lately",
    "largest_attribute_rate",
    "mean_attribute_rate",
    *(f"{one}*{other}" for one, other in _PRODUCTS),
)
"""Columns of `fields.NUMBERS`, as the functions below make them."""
RATES = (LINE_NUMBERS.index("customer_rate"), LINE_NUMBERS.index("product_rate"))
"""Columns that boosted trees start from (`models.baselines.return_rates`)."""
_DAY = 86_400
_LONG_AGO = 9.0  # log of 1 + days: about 22 years
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_LATELY, _MONTH, _QUARTER = 3, 30, 90


@dataclass(frozen=True)
class LineFeatures:
    """What models read of the lines of some customers.

    numbers: float32 [L, K], columns are `LINE_NUMBERS`; rates: float64 [L, 2], running rate of the customer, and of the
    customer with the product.
    """

    numbers: np.ndarray
    rates: np.ndarray


def line_features(lines: OrderLines, history: ItemHistory) -> LineFeatures:
    """Features of every line."""
    order, day = lines.orders, lines.days[lines.orders]
    items = history.items_of(lines.products)[lines.items] if len(lines) else lines.items
    base = history.base_rate(day)
    of_customer, customer_rate = _of_customer(lines, base)
    of_item = _of_item(lines, history, items, base)
    of_pair, pair_rate = _of_pair(lines, customer_rate)
    columns = _of_line(lines) | of_customer | of_item | of_pair
    for name in ("product_rate", "units_against_product"):
        columns[f"order_{name}"] = _order_mean(lines, columns[name])
    columns["order_pair_rate"] = _order_mean(lines, np.log(pair_rate / base))
    columns["order_bought_before"] = _order_mean(lines, (of_pair["log_pair_lines"] > 0).astype(float))
    # An order that repeats one of the last days is often a correction of it.
    lately = of_pair["log_days_since_pair"] < np.log1p(_LATELY)
    columns["order_bought_lately"] = _order_mean(lines, lately.astype(float))
    largest, mean = history.attribute_rates(lines, history.base_rate(lines.days))
    columns |= {"largest_attribute_rate": largest[order], "mean_attribute_rate": mean[order]}
    # What a sum of effects cannot say: a customer who sends back much is another one with a breakable product.
    columns |= {f"{one}*{other}": columns[one] * columns[other] for one, other in _PRODUCTS}
    if tuple(columns) != LINE_NUMBERS:
        raise AssertionError(f"LINE_NUMBERS must be {tuple(columns)}")
    numbers = np.stack(list(columns.values()), axis=1, dtype=np.float32, casting="same_kind")
    return LineFeatures(numbers, np.stack([customer_rate, pair_rate], axis=1))


def _of_line(lines: OrderLines) -> dict[str, np.ndarray]:
    """Of the line and its order alone."""
    order, cents = lines.orders, np.maximum(lines.cents, 1.0)
    sizes = np.diff(lines.line_offsets).astype(float)
    value, units = (np.bincount(order, each, len(sizes)) for each in (cents, lines.units))
    return {
        "log_units": np.log1p(lines.units),
        "log_price": np.log(cents / lines.units / 100.0),
        "log_value": np.log1p(cents / 100.0),
        "share_of_order": cents / value[order],
        "order_log_lines": np.log1p(sizes)[order],
        "order_log_value": np.log1p(value / 100.0)[order],
        "order_log_units": np.log1p(units)[order],
        "hour": lines.hours[order],
        "is_weekend": ((lines.days + _EPOCH_WEEKDAY) % 7 >= 5)[order].astype(float),
    }


def _of_customer(lines: OrderLines, base: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Of the customer's earlier orders, and the running rate."""
    order, times = lines.orders, lines.times
    customer = lines.order_customers
    of_line, first = customer[order], lines.first_returns[0]
    back = np.flatnonzero(first >= 0)
    value = np.bincount(order, lines.cents, len(times)) / 100.0
    ordered = RunningSums(customer, times, value=value)
    sold = RunningSums(of_line, times[order], log_units=np.log(lines.units))
    returned = RunningSums(of_line[back], first[back])
    price = lines.cents / lines.units / 100.0
    refunded = RunningSums(
        of_line[lines.return_lines], lines.return_times, value=lines.return_units * price[lines.return_lines]
    )
    orders_back, order_first = _orders_with_returns(lines)
    unhappy = RunningSums(customer[orders_back], order_first)

    def each(sums: RunningSums, name: str, within: int | None = None) -> np.ndarray:
        return sums.before(name, customer, times, within)[order]

    bought, n_back = each(sold, "n"), each(returned, "n")
    rate = (n_back + 30.0 * base) / (bought + 30.0)
    columns = {
        "log_orders": np.log1p(each(ordered, "n")),
        "log_days_since_order": _log_days(ordered.since_latest(customer, times))[order],
        "log_spent": np.log1p(each(ordered, "value")),
        "log_lines": np.log1p(bought),
        "log_returned": np.log1p(n_back),
        "customer_rate": np.log(rate / base),
        "log_returned_month": np.log1p(each(returned, "n", _MONTH * _DAY)),
        "log_returned_quarter": np.log1p(each(returned, "n", _QUARTER * _DAY)),
        "log_days_since_return": _log_days(returned.since_latest(customer, times))[order],
        "log_refunded_share": np.log(0.01 + each(refunded, "value") / (each(ordered, "value") + 100.0)),
        "orders_returned_share": (each(unhappy, "n") + 0.3) / (each(ordered, "n") + 3.0),
        "units_against_own": np.log(lines.units) - _mean(each(sold, "log_units"), bought, np.log(lines.units)),
    }
    return columns, rate


def _of_item(lines: OrderLines, history: ItemHistory, items: np.ndarray, base: np.ndarray) -> dict[str, np.ndarray]:
    """Of the product among everyone."""
    day = lines.days[lines.orders]
    sold, back = history.sold.before("lines", items, day), history.returned.before("lines", items, day)
    recently_back = history.returned.before("lines", items, day, _QUARTER)
    recently_sold = history.sold.before("lines", items, day, _QUARTER)
    largest, mean = history.word_rates(items, day, base)
    log_price = np.log(np.maximum(lines.cents, 1.0) / lines.units)
    return {
        "log_sold_quarter": np.log1p(recently_sold),
        "product_rate": log_rate(back, sold, base, 50.0),
        "product_rate_quarter": log_rate(recently_back, recently_sold, base, 30.0),
        "log_product_returned": np.log1p(back),
        "units_against_product": np.log(lines.units)
        - _mean(history.sold.before("log_units", items, day), sold, np.log(lines.units)),
        "price_against_product": log_price - _mean(history.sold.before("log_price", items, day), sold, log_price),
        "largest_word_rate": largest,
        "mean_word_rate": mean,
    }


def _of_pair(lines: OrderLines, customer_rate: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Of the customer's earlier lines of the same product, and their running rate, shrunk towards the customer's."""
    order = lines.orders
    times, first = lines.times[order], lines.first_returns[0]
    pair = np.unique(lines.order_customers[order] * (len(lines.products) + 1) + lines.items, return_inverse=True)[1]
    back = np.flatnonzero(first >= 0)
    sold = RunningSums(pair, times, log_units=np.log(lines.units))
    returned = RunningSums(pair[back], first[back])
    bought, n_back = sold.before("n", pair, times), returned.before("n", pair, times)
    usual = _mean(sold.before("log_units", pair, times), bought, np.log(lines.units))
    rate = (n_back + 3.0 * customer_rate) / (bought + 3.0)
    columns = {
        "log_pair_lines": np.log1p(bought),
        "log_pair_returned": np.log1p(n_back),
        "pair_rate": np.log(rate / customer_rate),
        "log_days_since_pair": _log_days(sold.since_latest(pair, times)),
        "log_days_since_pair_return": _log_days(returned.since_latest(pair, times)),
        "units_against_pair": np.log(lines.units) - usual,
    }
    return columns, rate


def _orders_with_returns(lines: OrderLines) -> tuple[np.ndarray, np.ndarray]:
    """Orders of which something came back, and when first."""
    order = lines.orders[lines.return_lines]
    latest = np.iinfo(np.int64).max
    first = np.full(len(lines.times), latest)
    np.minimum.at(first, order, lines.return_times)
    found = np.flatnonzero(first < latest)
    return found, first[found]


def _mean(total: np.ndarray, n: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    return np.where(n > 0, total / np.maximum(n, 1), otherwise)


def _order_mean(lines: OrderLines, values: np.ndarray) -> np.ndarray:
    sizes = np.diff(lines.line_offsets)
    found: np.ndarray = (np.bincount(lines.orders, values, len(sizes)) / np.maximum(sizes, 1))[lines.orders]
    return found


def _log_days(seconds: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(seconds), np.log1p(np.where(np.isfinite(seconds), seconds, 0.0) / _DAY), _LONG_AGO)
