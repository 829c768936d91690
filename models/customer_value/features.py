"""Numbers that say what a customer did up to a day: recency, frequency and monetary value, or the whole sequence."""

import numpy as np

from models.customer_value.purchase_days import PurchaseDays

RFM_COLUMNS = ("recency", "frequency", "monetary")
_WINDOWS = (7, 14, 28, 56, 91, 182)
_HALF_LIVES = (7.0, 21.0, 60.0, 180.0)
_LATEST = 4
_WEEK = 7


def sequence_columns() -> tuple[str, ...]:
    """Names of the columns of `sequence_features`."""
    return (
        *("recency", "age", "frequency", "monetary", "total", "per_day", "largest", "log_spend_sd", "lines"),
        *("mean_gap", "gap_sd", "recency_in_gaps", "span"),
        *(f"{what}_{days}" for days in _WINDOWS for what in ("baskets", "spend")),
        *(f"{what}_half_{int(days)}" for days in _HALF_LIVES for what in ("baskets", "spend")),
        *(f"{what}_ago_{ago}" for ago in range(_LATEST) for what in ("spend", "gap")),
        *("usual_weekday_share", "latest_weekday"),
    )


def rfm_features(purchases: PurchaseDays, day: int, customers: np.ndarray) -> np.ndarray:
    """Days since the latest basket, days with a basket, mean spend of such a day; float64 [n, 3].

    Args: customers: rows with a basket before `day`, in ascending order.
    """
    table = sequence_features(purchases, day, customers)
    columns = sequence_columns()
    return table[:, [columns.index(name) for name in RFM_COLUMNS]]


def sequence_features(purchases: PurchaseDays, day: int, customers: np.ndarray) -> np.ndarray:
    """Counts, sums, gaps and latest days of what was known when `day` began; float64 [n, F].

    Nothing on or after `day` is read. Args: customers: rows with a basket before `day`, in ascending order.
    """
    known = purchases.before(day)
    known = known.take(np.isin(known.customers, customers))
    bought = known.take(known.baskets > 0)
    n = len(customers)
    row = np.searchsorted(customers, bought.customers)
    starts = np.searchsorted(row, np.arange(n))
    counts = np.bincount(row, minlength=n).astype(float)
    ends = starts + counts.astype(np.int64) - 1
    ago = (day - bought.days).astype(float)
    all_rows, all_ago = np.searchsorted(customers, known.customers), (day - known.days).astype(float)

    def total(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.bincount(rows, weights=values, minlength=n)

    spend = np.maximum(total(all_rows, known.spend), 0.0)
    recency, age = ago[ends], ago[starts]
    log_spend = np.log1p(np.maximum(bought.spend, 0.0))
    columns = [recency, age, counts, spend / counts, spend, spend / age]
    columns += [np.maximum.reduceat(bought.spend, starts), _deviation(row, log_spend, counts)]
    columns += [total(row, bought.lines) / counts]
    gaps = np.diff(bought.days, prepend=0).astype(float)
    is_gap = np.ones(len(row), bool)
    is_gap[starts] = False
    n_gaps = counts - 1.0
    mean_gap = np.where(n_gaps > 0, (age - recency) / np.maximum(n_gaps, 1.0), np.nan)
    gap_sd = _deviation(row[is_gap], np.log(gaps[is_gap]), n_gaps)
    columns += [mean_gap, gap_sd, recency / mean_gap, age - recency]
    for days in _WINDOWS:
        columns += [total(row, 1.0 * (ago <= days)), total(all_rows, known.spend * (all_ago <= days))]
    for half in _HALF_LIVES:
        columns += [total(row, 0.5 ** (ago / half)), total(all_rows, known.spend * 0.5 ** (all_ago / half))]
    for back in range(_LATEST):
        place = ends - back
        here = np.maximum(place, starts)
        columns.append(np.where(place >= starts, bought.spend[here], np.nan))
        columns.append(np.where(place > starts, gaps[here], np.nan))
    weekday = bought.days % _WEEK
    by_weekday = np.bincount(row * _WEEK + weekday, minlength=n * _WEEK).reshape(n, _WEEK)
    columns += [by_weekday.max(axis=1) / counts, weekday[ends].astype(float)]
    return np.column_stack(columns)


def _deviation(row: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Standard deviation of each row's values, nan for fewer than two."""
    n = len(counts)
    means = np.bincount(row, weights=values, minlength=n) / np.maximum(counts, 1.0)
    squares = np.bincount(row, weights=(values - means[row]) ** 2, minlength=n)
    return np.where(counts > 1, np.sqrt(squares / np.maximum(counts - 1.0, 1.0)), np.nan)
