"""Changes injected into real histories: which funnels changed is then known, and detectors can be scored.

Only the last basket of a funnel is changed and scored. Measures are changed, not lines: a larger basket keeps its
products, so that no detector can recognise it by inconsistent sums. Kinds:

    content    the last basket is another customer's, products and measures; its gap stays
    content_m  the same, from a customer whose last basket has as many products
    size       products, units and money times 4
    timing     the last gap times 3
    timing_in  the same among customers alone where the longer gap still ends within the data
    mix        a third each of content, size and timing
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from models.behaviour.funnel_baskets import Array, Flags, FunnelBaskets, Integers
from models.days import epoch_days
from models.names import unknown_name
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, read_lines

KINDS = ("content", "content_m", "size", "timing", "timing_in", "mix")
SHARE = 0.02
LARGER, LATER = 4.0, 3.0
MIN_BASKETS = 5


@dataclass(frozen=True)
class Injected:
    """Baskets with changes. Shapes: F funnels.

    changed: bool [F]; eligible: bool [F], the funnels that are scored.
    """

    histories: FunnelBaskets
    changed: Flags
    eligible: Flags


def tafeng_histories(file: Path, back: int = 0) -> tuple[FunnelBaskets, np.ndarray]:
    """Ta-Feng's customers with at least `MIN_BASKETS` days, of which the last is scored; and their names [F].

    Args: back: drops the last `back` baskets of every customer, to choose settings on other baskets than the report's.
    """
    lines = read_lines(file, SALES_COLUMNS)
    age = lines.groupby("customer")["sold_on"].rank(method="dense", ascending=False)
    lines = lines[age > back]
    days = lines.groupby("customer")["sold_on"].transform("nunique")
    lines = lines[days >= MIN_BASKETS]
    customers, funnel = np.unique(lines["customer"].to_numpy(object), return_inverse=True)
    first, product = np.unique(lines["product"].to_numpy(object), return_index=True, return_inverse=True)[1:]
    category = np.unique(lines["category"].to_numpy(object)[first], return_inverse=True)[1]
    histories = FunnelBaskets.of_lines(
        funnel,
        epoch_days(lines["sold_on"]),
        product,
        lines["quantity"].to_numpy(np.float64),
        np.asarray(lines["amount"], dtype=np.float64),
        category=category,
        recent_from=None,
    )
    return histories, customers


def inject(histories: FunnelBaskets, kind: str, seed: int, last_day: int) -> Injected:
    """Change the last baskets of a random 2 % of the eligible funnels.

    Args: last_day: of the data, as `histories.day` counts.
    Raises: ValueError: for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(unknown_name("kind of change", kind, KINDS))
    last, count = histories.last, histories.n_funnels
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    has_room = histories.day[last] + (LATER - 1.0) * histories.gap_days[last] <= last_day
    eligible = has_room if kind == "timing_in" else np.ones(count, dtype=bool)
    chosen = rng.choice(np.flatnonzero(eligible), round(SHARE * eligible.sum()), replace=False)
    parts = np.array_split(chosen, 3) if kind == "mix" else [chosen]
    for name, part in zip(("content", "size", "timing") if kind == "mix" else (kind,), parts, strict=True):
        if name in ("content", "content_m"):
            alike = histories.lines[last] if name == "content_m" else np.zeros(count)
            histories = _take_baskets(histories, part, _donors(part, alike, rng))
        elif name == "size":
            histories = _enlarge(histories, part)
        else:
            gaps = histories.gap_days.copy()
            gaps[last[part]] *= LATER
            histories = replace(histories, gap_days=gaps)
    changed = np.zeros(count, dtype=bool)
    changed[chosen] = True
    return Injected(histories, changed, eligible)


def _donors(part: Integers, alike: Array, rng: np.random.Generator) -> Integers:
    """For each of `part` another funnel with an equal value in `alike`; itself where there is none."""
    donors = part.copy()
    for position, funnel in enumerate(part):
        others = np.flatnonzero(alike == alike[funnel])
        others = others[others != funnel]
        if len(others):
            donors[position] = rng.choice(others)
    return donors


def _take_baskets(histories: FunnelBaskets, part: Integers, donors: Integers) -> FunnelBaskets:
    """The histories in which the last baskets of `part` are those of `donors`."""
    taken = np.arange(len(histories.funnel))
    taken[histories.last[part]] = histories.last[donors]
    return replace(
        histories,
        units=csr_array(histories.units[taken]),
        lines=histories.lines[taken],
        basket_units=histories.basket_units[taken],
        spend=histories.spend[taken],
    )


def _enlarge(histories: FunnelBaskets, part: Integers) -> FunnelBaskets:
    factor = np.ones(len(histories.funnel))
    factor[histories.last[part]] = LARGER
    return replace(
        histories,
        lines=histories.lines * factor,
        basket_units=histories.basket_units * factor,
        spend=histories.spend * factor,
    )
