"""What one model expects of the windows of a block, in a process of its own: the model, the placebo, the paper.

    python -m pipeline.benchmarks.demand_routes.sums --dataset shop --windows 2025-06-07 2025-06-14 --out FILE.npz

The model is trained once, on what was known before the first window, as a night would (`larder train`); each window is
then predicted from the baskets before it. `placebo` is the model's own sum with every customer replaced by the store's
average one: as many baskets on a day as the mean customer of the store, as many units in each.
"""

import argparse
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.days import epoch_day
from models.demand.customer_route import visit_on_predicted_day
from models.demand.customer_sums import SUM_STEPS, expected_baskets, summed_steps
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.data.daily_sales import HORIZON_DAYS, read_source
from pipeline.benchmarks.demand_routes.customers import other_share
from pipeline.benchmarks.trained_lens import trained_lens
from pipeline.dataset.batch import Batch, Cut
from pipeline.dataset.candidates import CandidateSource, sampled_histories
from pipeline.dataset.histories import Histories, read_parts
from pipeline.dataset.next_baskets import Forecaster, Read, forecaster_of
from pipeline.dataset.vocabulary import product_names
from pipeline.lake.export import scan
from pipeline.settings import PredictionSettings, Settings, TrainingSettings
from pipeline.sources.source import load_source
from pipeline.tables.sequences import SEQUENCES
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.tables.vocabulary import VOCABULARY
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from models.lens import Lens

Array = NDArray[np.float64]
ROUTES = ("model", "placebo", "paper")


@dataclass(frozen=True)
class Customers:
    """The funnels of the lake, and the store in which each buys most before a day."""

    parts: list[Histories]
    homes: dict[str, str]


def train(sequences: Path, vocabulary: Path, first: date, settings: TrainingSettings) -> "Lens":
    """The model that a night on the morning of `first` would train; nothing on or after it is read."""
    from pipeline.dataset.examples import NextBasketExamples

    business_date = first + timedelta(days=settings.holdout_days)  # whose held-out days begin on `first`
    return trained_lens(NextBasketExamples.open(sequences, vocabulary, business_date, settings), settings)[0]


def reads(settings: PredictionSettings) -> Read:
    """What the model expects in a basket and when, and the basket and day that the paper would sum."""

    def read(lens: "Lens", batch: Batch) -> dict[str, Any]:
        return lens.expected_demand(batch, HORIZON_DAYS) | lens.best_basket(batch, settings.max_products)

    return read


class StoreSums:
    """Sums over the customers of one store: V products, H days."""

    def __init__(self, n_products: int) -> None:
        self._model = np.zeros((n_products, HORIZON_DAYS), np.int64)
        self._paper = np.zeros((n_products, HORIZON_DAYS))
        self._baskets, self._units, self._customers = np.zeros(HORIZON_DAYS), np.zeros(n_products), 0

    def add(self, decoded: Batch, elapsed_days: NDArray[np.int64]) -> None:
        """Add some customers: what `reads` returned for them, and the days since their last basket."""
        baskets = expected_baskets(decoded["log_wait"], decoded["log_gap"])
        units = decoded["units"].astype(np.float64)
        self._model += summed_steps(baskets, units)
        self._baskets += baskets.sum(axis=0)
        self._units += units.sum(axis=0)
        self._customers += len(units)
        until = np.maximum(np.round(decoded["due_days"]).astype(np.int64) - elapsed_days, 0)
        bought = np.zeros_like(units)
        np.put_along_axis(bought, decoded["products"].astype(np.int64), decoded["quantities"], axis=1)
        bought[:, :FIRST_PRODUCT] = 0.0
        self._paper += bought.T @ visit_on_predicted_day(until, HORIZON_DAYS)

    def by_route(self) -> dict[str, Array]:
        """Expected units [V, H] of each of ROUTES."""
        average = np.outer(self._units, self._baskets) / max(self._customers, 1)
        return {"model": self._model / SUM_STEPS, "placebo": average, "paper": self._paper}


def window_sums(
    forecaster: Forecaster, customers: Customers, window: date, settings: PredictionSettings, min_baskets: int
) -> dict[str, dict[str, Array]]:
    """Expected units by store and route, [V, H] each, from the baskets before the window."""
    day = epoch_day(window)
    found: dict[str, StoreSums] = {}
    for part in customers.parts:
        ends = part.baskets_before(day)
        last = part.sold_on[np.maximum(ends - 1, 0)].astype(np.int64)
        enough = (ends - part.basket_offsets[:-1] >= min_baskets) & (part.kinds == "customer")
        funnels = np.flatnonzero(enough & (day - last <= settings.active_days))
        elapsed = (day - last)[funnels]
        stores = np.array([customers.homes.get(each, "") for each in part.ids[funnels]], object)
        for rows, of in forecaster.decoded(part, funnels, ends[funnels], elapsed, settings.batch_size):
            for store in np.unique(stores[rows]):
                own = stores[rows] == store
                sums = found.setdefault(store, StoreSums(len(forecaster.product_keys)))
                sums.add({name: values[own] for name, values in of.items()}, elapsed[rows][own])
    return {store: sums.by_route() for store, sums in found.items()}


def in_rows(
    sums: dict[str, dict[str, Array]], names: NDArray[np.object_], product_ids: NDArray[np.object_]
) -> dict[str, Array]:
    """The sums by row of the data set, [N, H] by route: NaN where the model does not know the product."""
    known = {product: index for index, product in enumerate(product_ids) if index >= FIRST_PRODUCT}
    arrays = {route: np.full((len(names), HORIZON_DAYS), np.nan) for route in ROUTES}
    for row, name in enumerate(names):
        store, _, product = name.partition("/")
        index = known.get(product)
        if index is not None:
            for route in ROUTES:
                arrays[route][row] = sums[store][route][index] if store in sums else 0.0
    return arrays


def run(dataset: str, windows: list[date]) -> dict[str, Array]:
    """Arrays `model`, `placebo` and `paper` [W, N, H] and `other_share` [W, N] of these windows."""
    settings = Settings()
    lake = Workspace.of(settings, load_source(dataset).name).lake
    sales = read_source(lake)
    sequences, vocabulary = (lake.path(table.name, lake.resolve(table.name)) for table in (SEQUENCES, VOCABULARY))
    training = settings.training.model_copy(update={"workers": 1})
    lens = train(sequences, vocabulary, min(windows), training)
    parts, product_ids = list(read_parts(sequences)), product_names(vocabulary)
    found: dict[str, list[Array]] = {name: [] for name in (*ROUTES, "other_share")}
    for window in windows:
        memory = sampled_histories(parts, epoch_day(window), len(product_ids), training.memory_customers)
        forecaster = forecaster_of(
            lens,
            reads(settings.prediction),
            Cut(training.max_baskets, training.max_products),
            CandidateSource.of_histories(memory, training.candidates),
        )
        customers = Customers(parts, _homes(lake, window))
        least = settings.sequences.min_baskets
        sums = window_sums(forecaster, customers, window, settings.prediction, least)
        for route, array in in_rows(sums, sales.product_names, product_ids).items():
            found[route].append(array)
        found["other_share"].append(other_share(sales, sales.day(window), settings.prediction.active_days, least))
    return {name: np.stack(arrays) for name, arrays in found.items()}


def _homes(lake: Any, window: date) -> dict[str, str]:
    """The store in which each customer bought on most days before the window; of equal ones the first by name."""
    columns = ["customer_id", "store_id", "sold_on"]
    lines = scan(lake, TRANSACTIONS.name, lake.resolve(TRANSACTIONS.name)).to_table().select(columns).to_pandas()
    days = lines[lines["sold_on"] < window].dropna().drop_duplicates()
    counts = days.groupby(["customer_id", "store_id"]).size().reset_index(name="days")
    most = counts.sort_values(["days", "store_id"], ascending=[False, True]).drop_duplicates("customer_id")
    return dict(zip(most["customer_id"], most["store_id"], strict=True))


def main(argv: list[str] | None = None) -> None:
    """One block of windows, written to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="a source whose sequences were built")
    parser.add_argument(
        "--windows", type=date.fromisoformat, nargs="+", required=True, help="first test days, in order"
    )
    parser.add_argument("--out", type=Path, required=True, help="where the arrays are written")
    arguments = parser.parse_args(argv)
    arrays: dict[str, Any] = {"dataset": np.array(arguments.dataset), **run(arguments.dataset, arguments.windows)}
    np.savez_compressed(arguments.out, **arrays)


if __name__ == "__main__":
    main()
