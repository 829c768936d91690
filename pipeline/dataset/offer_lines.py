"""What customers took and when, as lines of offers: a product or its category, as the source's `[offers]` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from models.refusal import Refusal
from models.special_ids import FIRST_PRODUCT, UNKNOWN
from pipeline.dataset.offer_events import OfferEvents, events_of
from pipeline.offer_rules import OfferRules
from pipeline.task import Tables


@dataclass(frozen=True)
class OfferLines:
    """Lines of all customers.

    customers: str [N], ids in order; lines: customer (row of `customers`), day (since 1970-01-01), name, amount_cents.
    """

    customers: np.ndarray
    lines: pd.DataFrame

    def vocabulary(self, rules: OfferRules, before: int) -> list[str]:
        """Offers that are told apart: the most frequent ones of the lines before a day that may be offered, by name.

        Raises: Refusal: where fewer than two are left; names the key to change.
        """
        names = self.lines["name"][self.lines["day"] < before]
        counts = names.value_counts()
        if rules.allowed:
            counts = counts[counts.index.isin(rules.allowed)]
        found = sorted(counts.index, key=lambda name: (-counts[name], name))[: rules.most]
        if len(found) < 2:
            what = (
                f"of offers.allowed ({', '.join(rules.allowed[:5])} ...)" if rules.allowed else f"with a {rules.level}"
            )
            raise Refusal(
                f"next offers need at least two offers {what} before the held-out days, and {len(found)} were sold; "
                "correct [offers] in the source's description"
            )
        return sorted(found)

    def events(self, names: Sequence[str], owned_again: bool) -> OfferEvents:
        """Events in the indices of some names."""
        index = {name: row for row, name in enumerate(names, FIRST_PRODUCT)}
        offers = self.lines["name"].map(index).fillna(UNKNOWN).astype(int)
        lines = self.lines.assign(offer=offers).drop(columns="name")
        return events_of(lines, len(self.customers), FIRST_PRODUCT + len(names), owned_again)

    def mean_amounts(self, names: Sequence[str]) -> np.ndarray:
        """What is usually paid for each offer on a day, in cents; float64 [len(names)]."""
        per_day = self.lines.groupby(["customer", "day", "name"])["amount_cents"].sum()
        found: np.ndarray = per_day.groupby(level="name").mean().reindex(list(names)).fillna(0.0).to_numpy(float)
        return found


def read_offer_lines(tables: Tables, rules: OfferRules, business_date: date) -> OfferLines:
    """All lines before a business date, from `baskets`, with `products` for the categories.

    Sales without a customer are left out, and where offers are categories lines without one.
    """
    before = (ds.field("sold_on") < pa.scalar(business_date, pa.date32())) & ds.field("customer_id").is_valid()
    columns = ["customer_id", "sold_on", "products"]
    baskets = ds.dataset(tables["baskets"], format="parquet").to_table(columns=columns, filter=before)
    products = baskets["products"].combine_chunks()
    row, line = pc.list_parent_indices(products).to_numpy(), pc.list_flatten(products)
    names = pc.struct_field(line, "product_id").to_pandas().astype(object)
    if rules.level == "category":
        names = names.map(categories_of(tables["products"]))
    customers, customer = np.unique(baskets["customer_id"].to_pandas().to_numpy(str), return_inverse=True)
    day = baskets["sold_on"].cast(pa.int32()).to_numpy()
    lines = pd.DataFrame(
        {
            "customer": customer[row].astype(np.int64),
            "day": day[row].astype(np.int64),
            "name": names.to_numpy(object),
            "amount_cents": pc.struct_field(line, "amount_cents").to_numpy().astype(float),
        }
    )
    return OfferLines(customers, lines.dropna(subset=["name"]).reset_index(drop=True))


def categories_of(products: Path) -> dict[str, str]:
    """Category of each product that has one."""
    found = ds.dataset(products, format="parquet").to_table(columns=["product_id", "category"]).to_pylist()
    return {row["product_id"]: row["category"] for row in found if row["category"] is not None}
