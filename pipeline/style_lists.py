"""What the command line and the page read of styles: rankings, customers for an article, articles that are alike."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from models.diverse_order import POOL, diverse_order
from models.names import closest_of
from pipeline.lake.lake import Lake
from pipeline.tables.articles import ARTICLES
from pipeline.tables.item_vectors import ITEM_VECTORS
from pipeline.tables.products import PRODUCTS
from pipeline.tables.styles import STYLE_ARTICLES, STYLE_RANKINGS, STYLES

_SAID = ("name", "category", "brand", "price_cents")
_AT_ONCE = 65_536


@dataclass(frozen=True)
class StyleLists:
    """The published styles of one source.

    Args: tables: folder of each table, of one night; business_date: of the rankings.
    """

    source: str
    tables: dict[str, Path]
    business_date: date

    @classmethod
    def of(cls, lake: Lake, source: str) -> "StyleLists":
        """The current ones. Raises: LakeError: there are none."""
        version = lake.resolve(STYLE_RANKINGS.name)
        names = (STYLE_RANKINGS, STYLES, STYLE_ARTICLES, ITEM_VECTORS, ARTICLES)
        tables = {table.name: lake.path(table.name, lake.resolve(table.name, version)) for table in names}
        if lake.current(PRODUCTS.name) is not None:
            tables[PRODUCTS.name] = lake.path(PRODUCTS.name, lake.resolve(PRODUCTS.name, version))
        return cls(source, tables, lake.manifest(STYLE_RANKINGS.name, version).business_date)

    def for_customer(self, customer: str) -> list[dict[str, Any]]:
        """The ranking of one customer, best first. Raises: ValueError: nobody is called so."""
        rows = self._rows(STYLE_RANKINGS.name, ds.field("customer_id") == customer).sort_by("style_rank").to_pylist()
        if not rows:
            known = self._names(STYLES.name, "customer_id")
            if customer in known:
                raise ValueError(f"nothing was in store for {customer!r} on {self.business_date}")
            raise ValueError(
                f"the styles of {self.source} have no customer {customer!r}; {closest_of(customer, known)}"
            )
        return self.described(rows)

    def for_item(self, item: str, limit: int) -> list[dict[str, Any]]:
        """The customers with the largest intent to buy an article in store, among all, that rank it or not.

        Raises: ValueError: no such article is in store.
        """
        found = self._rows(STYLE_ARTICLES.name, ds.field("product_id") == item).to_pylist()
        if not found:
            known = self._names(ITEM_VECTORS.name, "product_id")
            if item in known:
                raise ValueError(f"{item!r} is not in store on {self.business_date}; `larder items like` finds others")
            raise ValueError(f"the catalogue of {self.source} has no article {item!r}; {closest_of(item, known)}")
        rows = self.customers_for({item: found[0]["factors"]}, limit)[item]
        said = {"product_id": item, "is_new": found[0]["is_new"]}
        return self.described([{**said, "place": place, **row} for place, row in enumerate(rows, start=1)])

    def customers_for(self, factors: dict[str, list[float]], limit: int) -> dict[str, list[dict[str, Any]]]:
        """The customers with the largest intent to buy each of some articles, in one pass over all customers."""
        best = {item: _Best(limit) for item in factors}
        columns = ["customer_id", "factors", "own", "is_cold", "orders", "last_sold_on", "fallback", "model_version"]
        styles = ds.dataset(self.tables[STYLES.name], format="parquet")
        for batch in styles.to_batches(columns=columns, batch_size=_AT_ONCE):
            if batch.num_rows > 0:
                for item, of_item in factors.items():
                    best[item].add(batch, _intents(batch, np.array(of_item, np.float32), item))
        return {item: of_item.rows() for item, of_item in best.items()}

    def whole_ranking(
        self, customer: str, category: str | None, limit: int, diversity: float = 0.0
    ) -> list[dict[str, Any]]:
        """The best of everything in store, or of one category of it, for one customer; empty for an unknown one.

        Args: diversity: as in `StyleSettings`.
        """
        mine = self._rows(STYLES.name, ds.field("customer_id") == customer).to_pylist()
        chosen = None
        if category is not None:
            chosen = ds.field("product_id").isin(pa.array(self._of_category(category), pa.string()))
        store = self._rows(STYLE_ARTICLES.name, chosen, ["product_id", "factors", "is_new"])
        if not mine or store.num_rows == 0:
            return []
        names = store["product_id"].to_numpy()
        of_articles = store["factors"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(names), -1)
        own = {each["product_id"]: each["score"] for each in mine[0]["own"]}
        intents = of_articles @ np.array(mine[0]["factors"], np.float32)
        intents += np.array([own.get(name, 0.0) for name in names.tolist()], np.float32)
        best = np.lexsort((names, -intents))
        if diversity > 0.0:
            pool = best[: POOL * limit]
            vectors = self._vectors(names[pool])
            best = pool[diverse_order(intents[pool][None], vectors[None], min(limit, len(pool)), diversity)[0]]
        best = best[:limit]
        is_new = store["is_new"].to_numpy()
        found = [
            {"product_id": names[at], "intent": float(intents[at]), "is_new": bool(is_new[at]), "rank": rank}
            for rank, at in enumerate(best, start=1)
        ]
        return self.described(found)

    def _vectors(self, names: np.ndarray) -> np.ndarray:
        """Vectors of some articles; float32 [n, D]."""
        chosen = ds.field("product_id").isin(pa.array(names.tolist(), pa.string()))
        rows = self._rows(ITEM_VECTORS.name, chosen, ["product_id", "vector"]).sort_by("product_id")
        vectors = rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(names), -1)
        found: np.ndarray = vectors[np.argsort(np.argsort(names))]
        return found

    def categories(self) -> list[str]:
        """Categories of the articles in store, in order."""
        if PRODUCTS.name not in self.tables:
            return []
        store = pa.array(sorted(self._names(STYLE_ARTICLES.name, "product_id")), pa.string())
        rows = self._rows(PRODUCTS.name, ds.field("product_id").isin(store), ["category"])
        return sorted(each for each in rows["category"].unique().to_pylist() if each)

    def _of_category(self, category: str) -> list[str]:
        if PRODUCTS.name not in self.tables:
            return []
        rows = self._rows(PRODUCTS.name, ds.field("category") == category, ["product_id"])
        found: list[str] = rows["product_id"].to_pylist()
        return found

    def like(self, item: str, limit: int) -> list[dict[str, Any]]:
        """The articles whose vectors are nearest by cosine, nearest first. Raises: ValueError: there is no such one."""
        rows = self._rows(ITEM_VECTORS.name, None, ["product_id", "vector", "inputs", "model_version"])
        names = rows["product_id"].to_numpy()
        at = np.flatnonzero(names == item)
        if not len(at):
            known = set(names.tolist())
            raise ValueError(f"the catalogue of {self.source} has no article {item!r}; {closest_of(item, known)}")
        vectors = rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(names), -1)
        lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
        likeness = (vectors @ vectors[at[0]]) / (lengths * lengths[at[0]])
        likeness[at[0]] = -np.inf
        store = self._names(STYLE_ARTICLES.name, "product_id")
        nearest = np.lexsort((names, -likeness))[: min(limit, len(names) - 1)]
        return self.described(
            [
                {
                    "product_id": names[row],
                    "likeness": float(likeness[row]),
                    "in_store": names[row] in store,
                    "inputs": rows["inputs"][int(row)].as_py(),
                    "model_version": rows["model_version"][int(row)].as_py(),
                }
                for row in nearest
            ]
        )

    def new_articles(self, limit: int, category: str | None = None) -> list[dict[str, Any]]:
        """Articles in store that nobody has bought yet, by id, with their factors."""
        chosen = ds.field("is_new")
        if category is not None:
            chosen &= ds.field("product_id").isin(pa.array(self._of_category(category), pa.string()))
        rows = self._rows(STYLE_ARTICLES.name, chosen, ["product_id", "factors"]).sort_by("product_id")
        return self.described(rows.slice(0, limit).to_pylist())

    def purchases(self, baskets: Path, customer: str, limit: int) -> list[dict[str, Any]]:
        """The latest purchases of a customer before the business date, the latest first."""
        mine = (ds.field("customer_id") == customer) & (
            ds.field("sold_on") < pa.scalar(self.business_date, pa.date32())
        )
        rows = ds.dataset(baskets, format="parquet").to_table(["sold_on", "products"], filter=mine).to_pylist()
        rows.sort(key=lambda row: row["sold_on"], reverse=True)
        bought = [
            {"product_id": line["product_id"], "sold_on": row["sold_on"]} for row in rows for line in row["products"]
        ]
        return self.described(bought[:limit])

    def pictures(self) -> dict[str, str]:
        """Hash of the picture of each article that has one."""
        rows = self._rows(ARTICLES.name, ds.field("image_hash").is_valid(), ["product_id", "image_hash"])
        return dict(zip(rows["product_id"].to_pylist(), rows["image_hash"].to_pylist(), strict=True))

    def customers(self) -> list[str]:
        """Everyone with a style, in order."""
        return sorted(self._names(STYLES.name, "customer_id"))

    def described(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows with what the catalogue says of their products."""
        if PRODUCTS.name not in self.tables:
            return [row | {"name": row["product_id"], "category": None, "brand": None} for row in rows]
        wanted = pa.array(sorted({row["product_id"] for row in rows}), pa.string())
        said = self._rows(PRODUCTS.name, ds.field("product_id").isin(wanted), ["product_id", *_SAID]).to_pylist()
        by_id = {each.pop("product_id"): each for each in said}
        nothing = dict.fromkeys(_SAID)
        return [row | {"name": row["product_id"]} | by_id.get(row["product_id"], nothing) for row in rows]

    def _rows(self, table: str, chosen: ds.Expression | None, columns: list[str] | None = None) -> pa.Table:
        return ds.dataset(self.tables[table], format="parquet").to_table(columns=columns, filter=chosen)

    def _names(self, table: str, column: str) -> set[str]:
        return set(self._rows(table, None, [column])[column].to_pylist())


class _Best:
    """The rows with the largest intents so far."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[dict[str, Any]] = []

    def add(self, batch: pa.RecordBatch, intents: np.ndarray) -> None:
        best = np.argsort(-intents, kind="stable")[: self._limit]
        rows = batch.drop_columns(["factors", "own"]).take(pa.array(best)).to_pylist()
        self._kept += [row | {"intent": float(intents[at])} for row, at in zip(rows, best, strict=True)]
        self._kept = sorted(self._kept, key=lambda row: (-row["intent"], row["customer_id"]))[: self._limit]

    def rows(self) -> list[dict[str, Any]]:
        return self._kept


def _intents(styles: pa.RecordBatch, factors: np.ndarray, item: str) -> np.ndarray:
    """Intent of each customer to buy an article; float32 [N]."""
    of_customers = pc.list_flatten(styles["factors"]).to_numpy(zero_copy_only=False).reshape(styles.num_rows, -1)
    intents = of_customers @ factors
    own, rows = pc.list_flatten(styles["own"]), pc.list_parent_indices(styles["own"]).to_numpy(zero_copy_only=False)
    mine = pc.equal(pc.struct_field(own, "product_id"), item).to_numpy(zero_copy_only=False).astype(bool)
    np.add.at(intents, rows[mine], pc.struct_field(own, "score").to_numpy(zero_copy_only=False)[mine])
    return np.asarray(intents)
