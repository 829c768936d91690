"""What became of order lines: whether and when something came back within the return window."""

import numpy as np

from models.returns.timing import ReturnTiming
from pipeline.dataset.order_lines import OrderLines


def returned_within(lines: OrderLines, horizon: int) -> np.ndarray:
    """Whether something of each line came back within `horizon` days; bool [L]. Of lines whose window is over."""
    first = lines.first_returns[1]
    found: np.ndarray = (first >= 0) & (first - lines.days[lines.orders] <= horizon)
    return found


def return_timing(lines: OrderLines, rows: np.ndarray, horizon: int) -> ReturnTiming:
    """How many days the returns of some lines took, and which part of the lines they brought back within the window."""
    came = rows[returned_within(lines, horizon)[rows]]
    taken = lines.first_returns[1][came] - lines.days[lines.orders[came]]
    in_time = lines.return_days - lines.days[lines.orders[lines.return_lines]] <= horizon
    units = np.bincount(lines.return_lines[in_time], lines.return_units[in_time], len(lines))
    return ReturnTiming.of_returns(taken, units[came] / lines.units[came], horizon)
