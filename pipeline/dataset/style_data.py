"""Purchases and articles of a night's tables, as the models of article vectors and of style read them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from models.days import epoch_day
from models.keys import keys_of
from models.refusal import Refusal
from pipeline.dataset.article_reader import DescribedArticles
from pipeline.dataset.purchases import Articles, Assortment, DatedAssortment, Purchases, SoldAssortment
from pipeline.task import Tables

STORE_DAYS = 30
"""Days before the business date within which an article was sold that counts as in store, where no day says so."""
SEASONS_FROM_DAYS = 400.0
_MIN_TAG_ARTICLES = 2
_VECTORS_PERCENT = 65
_SECONDS = 86_400.0


@dataclass(frozen=True)
class StyleData:
    """Purchases before a business date and all articles; times are days since 1970-01-01 by the shop's calendar.

    customers: str [N], in order; described: of the articles, in order of their names; dated: when they are in store,
    None where the catalogue has no day of any; views: before the business date, of these customers, None: not read.
    """

    customers: np.ndarray
    purchases: Purchases
    described: DescribedArticles
    dated: DatedAssortment | None
    views: Purchases | None = None

    @classmethod
    def open(cls, tables: Tables, business_date: date, images: bool = True, views: bool = False) -> "StyleData":
        """From `baskets`, `articles` and, where they are wanted, `article_images` and `views`.

        Raises: Refusal: where there is no article, or no purchase of one; the message says what to change.
        """
        rows = read_articles(tables["articles"], tables["article_images"] if images else None)
        described = DescribedArticles.of_rows(rows)
        if not len(described.names):
            raise Refusal("the catalogue has no article, so there are no styles; describe one as [catalogue]")
        customers, purchases = read_purchases(tables["baskets"], described.names, business_date)
        if not len(purchases):
            raise Refusal(
                f"no customer bought an article of the catalogue before {business_date}; the products of [catalogue] "
                "and those of the sales must have the same ids, and sales must name their customers"
            )
        found = read_views(tables["views"], described.names, customers, business_date) if views else None
        return cls(customers, purchases, described, dated_assortment(rows), found)

    @property
    def articles(self) -> Articles:
        """Tags and numbers of all articles; a tag of one article alone says nothing."""
        described = self.described
        tags = np.split(described.tags, described.tag_offsets[1:-1])
        found = Articles.of_tags(described.names, [list(each) for each in tags], described.numbers, _MIN_TAG_ARTICLES)
        return Articles(
            found.names,
            found.tag_offsets,
            found.tags,
            found.tag_names,
            found.numbers,
            described.images,
            described.has_image,
        )

    @property
    def teaches_vectors(self) -> np.ndarray:
        """Customers whose purchases teach article vectors; those of the others teach styles. bool [N].

        Vectors know what their teachers buy. By a hash of the customer: the same on every night.
        """
        return keys_of(map(str, self.customers)) % 100 < _VECTORS_PERCENT

    def assortment(self, purchases: Purchases) -> Assortment:
        """What was in store when, as these purchases or the catalogue say."""
        return self.dated or SoldAssortment(purchases)


def read_articles(articles: Path, images: Path | None, most: int | None = None) -> pa.Table:
    """Rows of `articles` in order of their ids, with `pixels` and `vector` of their images, null without one.

    Args: most: where there are more articles, about as many, evenly drawn; no other image is then read.
    """
    rows = ds.dataset(articles, format="parquet").to_table().sort_by("product_id")
    shown = None
    if most is not None and rows.num_rows > most:
        rows = rows.take(pa.array(range(0, rows.num_rows, rows.num_rows // most)))
        shown = ds.field("image_hash").isin(rows["image_hash"].unique().drop_null())
    found = None if images is None else ds.dataset(images, format="parquet").to_table(filter=shown).combine_chunks()
    if found is None or found.num_rows == 0:
        for name, kind in (("pixels", pa.binary()), ("vector", pa.list_(pa.float32()))):
            rows = rows.append_column(name, pa.nulls(rows.num_rows, kind))
        return rows
    place = pc.index_in(rows["image_hash"].combine_chunks(), value_set=found["image_hash"].combine_chunks())
    for name in ("pixels", "vector"):
        rows = rows.append_column(name, found[name].combine_chunks().take(place))
    return rows


def read_purchases(baskets: Path, names: np.ndarray, business_date: date) -> tuple[np.ndarray, Purchases]:
    """Ids of customers in order, and purchases before a business date of the articles called `names` (in order)."""
    before = (ds.field("sold_on") < pa.scalar(business_date, pa.date32())) & ds.field("customer_id").is_valid()
    columns = ["customer_id", "sold_on", "started_at_utc", "products"]
    rows = ds.dataset(baskets, format="parquet").to_table(columns=columns, filter=before).combine_chunks()
    lines = rows["products"].combine_chunks() if rows.num_rows else pa.array([], rows.schema.field("products").type)
    line = pc.list_parent_indices(lines)
    items = pc.index_in(pc.struct_field(pc.list_flatten(lines), "product_id"), value_set=pa.array(names, pa.string()))
    known = items.is_valid().to_numpy(zero_copy_only=False)
    rows, line = rows.select(["customer_id", "sold_on", "started_at_utc"]), line.to_numpy(zero_copy_only=False)[known]
    customers, customer = np.unique(
        rows["customer_id"].to_numpy().astype(str)[line] if len(line) else np.zeros(0, str), return_inverse=True
    )
    second = rows["started_at_utc"].cast(pa.timestamp("s"), safe=False).cast(pa.int64()).to_numpy()
    times = order_times(rows["sold_on"].cast(pa.int32()).to_numpy(), second)
    found = items.drop_null().to_numpy(zero_copy_only=False)
    return customers, Purchases.sort(customer, found, times[line], len(customers), len(names))


def read_views(views: Path, names: np.ndarray, customers: np.ndarray, business_date: date) -> Purchases:
    """What customers looked at before a business date, in the form of purchases.

    Args: names: object [V], of the articles, in order; customers: str [N], in order; others are left out.
    """
    before = ds.field("viewed_on") < pa.scalar(business_date, pa.date32())
    rows = ds.dataset(views, format="parquet").to_table(filter=before).combine_chunks()
    item = pc.fill_null(pc.index_in(rows["product_id"], value_set=pa.array(names, pa.string())), -1).to_numpy()
    customer = pc.fill_null(pc.index_in(rows["customer_id"], value_set=pa.array(customers, pa.string())), -1).to_numpy()
    known = (item >= 0) & (customer >= 0)
    second = rows["viewed_at_utc"].cast(pa.timestamp("s"), safe=False).cast(pa.int64()).to_numpy()
    times = order_times(rows["viewed_on"].cast(pa.int32()).to_numpy(), second)
    return Purchases.sort(customer[known], item[known], times[known], len(customers), len(names))


def has_seasons(purchases: Purchases) -> bool:
    """Whether there is enough history for the time of the year to mean something."""
    return bool(np.ptp(purchases.times) > SEASONS_FROM_DAYS)


def read_vectors(tables: Tables, names: np.ndarray) -> tuple[np.ndarray, str]:
    """Vectors of articles in the order of their names, zeros without one, and which version made them; [V, D]."""
    rows = ds.dataset(tables["item_vectors"], format="parquet").to_table(["product_id", "vector", "model_version"])
    place = {name: number for number, name in enumerate(names.tolist())}
    kept = [place.get(name, -1) for name in rows["product_id"].to_pylist()]
    made = np.array(rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False), np.float32)
    made = made.reshape(rows.num_rows, -1)
    found = np.zeros((len(names), made.shape[1]), np.float32)
    known = np.array(kept) >= 0
    found[np.array(kept)[known]] = made[known]
    return found, str(rows["model_version"][0].as_py())


def order_times(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Times of orders: the shop's calendar day, and the UTC time of day as its fraction; float64."""
    return days + (seconds % int(_SECONDS)) / _SECONDS


def dated_assortment(articles: pa.Table) -> DatedAssortment | None:
    """When articles are in store by the catalogue; None where it has no day of any."""
    days = [articles[name].cast(pa.int32()).to_numpy().astype(float) for name in ("available_from", "available_until")]
    if all(np.isnan(each).all() for each in days):
        return None
    return DatedAssortment(*days)


def store_on(data_dated: DatedAssortment | None, purchases: Purchases, business_date: date) -> np.ndarray:
    """Articles in store on a business date, as positions: by the catalogue's days, else what sold of late."""
    day = epoch_day(business_date)
    if data_dated is not None:
        return data_dated.at(day)
    return SoldAssortment(purchases, before=STORE_DAYS, after=0).at(day)
