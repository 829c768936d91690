"""The question of styles: which of the articles in store a customer buys in the days after a cutoff.

In store is what anyone buys from 30 days before the cutoff to 38 days after, or what the catalogue says; the truth is
what a customer bought in the 8 days from the cutoff. Asked are customers who bought before the cutoff and in those
days. A method reads purchases before the cutoff, what is in store, and what is known of all articles; settings are
chosen on the cutoffs of `validation`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from models.names import unknown_name
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, read_lines
from pipeline.dataset.item_examples import scaled
from pipeline.dataset.pictures import read_pictures
from pipeline.dataset.purchases import Articles, DatedAssortment, Purchases
from pipeline.evaluation.style_problem import AFTER_DAYS, Problem, Shop, problem_at
from pipeline.simulator.fashion_articles import FABRICS
from pipeline.simulator.fashion_views import VIEW

PARTS = ("validation", "test")
PICTURE_SIDE = 32
_FASHION_TAGS = ("category", "brand", "colour", "gender")
_DRAWN = 800
_MIN_WORD_ARTICLES = 2
_WORD = r"[A-Z]{3,}"


def earlier(problem: Problem) -> Problem:
    """The question as of the latest day whose store and truth are known before the cutoff; to train a blend on."""
    shop = Shop(problem.past, problem.articles, {}, drawn=4 * _DRAWN, assortment=problem.dated)
    return problem_at(shop, problem.cutoff - AFTER_DAYS, seed=1)


def style_customers(problem: Problem, vectors_share: float) -> np.ndarray:
    """Customers whose steps teach styles: the others teach vectors; int64, the same at every cutoff."""
    return np.flatnonzero(np.random.default_rng(5).random(problem.past.n_customers) >= vectors_share)


def article_numbers(problem: Problem) -> np.ndarray:
    """Numbers of all articles, scaled by those that were sold before; float32 [V, m]."""
    return scaled(problem.articles.numbers, np.flatnonzero(problem.past.sold()))


def open_shop(dataset: str, path: Path | None) -> Shop:
    """`tafeng` (its fetched file), `uci` (UCI Online Retail as CSV) or `fashion` (raw folder of the simulated shop).

    Raises: ValueError: for another name; FileNotFoundError: where the file is missing.
    """
    if dataset == "tafeng":
        from pipeline.benchmarks.data.tafeng_lines import fetched_file

        return _tafeng(path or fetched_file())
    if dataset == "uci":
        if path is None:
            raise ValueError("uci needs the PATH of UCI Online Retail as CSV")
        return _uci(path)
    if dataset == "fashion":
        if path is None:
            raise ValueError("fashion needs the PATH of the raw folder that `larder simulate --shop fashion` wrote")
        return _fashion(path)
    raise ValueError(unknown_name("data set", dataset, ["tafeng", "uci", "fashion"]))


def _tafeng(file: Path) -> Shop:
    """Ta-Feng; what is known of a product is its subclass and the level of its price."""
    lines = read_lines(file, SALES_COLUMNS)
    lines = lines[lines["quantity"] > 0]
    lines["price"] = lines["amount"].astype(float) / lines["quantity"]
    times = (lines["sold_on"] - lines["sold_on"].min()).dt.days.to_numpy(float)
    tags = lines.groupby("product")["category"].agg(lambda each: each.mode().iloc[0]).map(lambda each: [each])
    return _shop(lines, times, tags, {"test": (67, 81, 95), "validation": (53, 60)}, drawn=_DRAWN)


def _uci(file: Path) -> Shop:
    """UCI Online Retail without returns; what is known of an article are the words of its description and its price."""
    columns = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    lines = pd.read_csv(
        file, usecols=columns, dtype={name: str for name in columns if name not in ("Quantity", "UnitPrice")}
    )
    real = lines["StockCode"].str.match(r"\d{5}") & ~lines["InvoiceNo"].str.startswith("C")
    lines = lines[real & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    at = pd.to_datetime(lines["InvoiceDate"])
    times = ((at - at.min().normalize()) / pd.Timedelta(days=1)).to_numpy()
    lines = lines.rename(columns={"CustomerID": "customer", "StockCode": "product", "UnitPrice": "price"})
    words = lines.groupby("product")["Description"].agg(lambda each: each.mode().iloc[0] if each.notna().any() else "")
    tags = words.str.upper().str.findall(_WORD).map(lambda found: sorted(set(found)))
    return _shop(lines, times, tags, {"test": (273, 305, 335), "validation": (213, 243)})


def _fashion(raw: Path) -> Shop:
    """The simulated fashion shop: its catalogue as tags and numbers, its pictures, and when articles are in store.

    Raises: FileNotFoundError: where the folder has no sales.
    """
    if not (raw / "sales.csv.gz").is_file():
        raise FileNotFoundError(f"{raw / 'sales.csv.gz'} is missing; `larder simulate --shop fashion` writes it")
    lines, catalogue = pd.read_csv(raw / "sales.csv.gz"), pd.read_csv(raw / "catalogue.csv")
    sold, began = pd.to_datetime(lines["sold_at"]), pd.to_datetime(lines["sold_at"]).min().normalize()
    catalogue = catalogue.sort_values("article_id", ignore_index=True)
    names = catalogue["article_id"].to_numpy(str)
    customers, customer = np.unique(lines["customer_id"].to_numpy(str), return_inverse=True)
    items = np.searchsorted(names, lines["article_id"].to_numpy(str))
    times = ((sold - began) / pd.Timedelta(days=1)).to_numpy()
    purchases = Purchases.sort(customer, items, times, len(customers), len(names))
    of_article = [[f"{name}={row[name]}" for name in _FASHION_TAGS] for row in catalogue.to_dict("records")]
    numbers = np.concatenate([np.log(catalogue[["price"]]), catalogue[list(FABRICS)]], axis=1)
    pictures, has, _ = read_pictures([raw / image for image in catalogue["image"]], PICTURE_SIDE)
    articles = replace(Articles.of_tags(names.astype(object), of_article, numbers), images=pictures, has_image=has)
    first, end = (
        ((pd.to_datetime(catalogue[name]) - began) / pd.Timedelta(days=1)).to_numpy()
        for name in ("available_from", "available_until")
    )
    cutoffs = {"test": (420, 460, 500), "validation": (370, 395)}
    views = _fashion_views(raw, customers, names, began)
    return Shop(purchases, articles, cutoffs, drawn=_DRAWN, assortment=DatedAssortment(first, end), views=views)


def _fashion_views(raw: Path, customers: np.ndarray, names: np.ndarray, began: pd.Timestamp) -> Purchases | None:
    """What customers who bought looked at; None of a shop that was simulated without views."""
    if not (raw / "views.csv.gz").is_file():
        return None
    lines = pd.read_csv(raw / "views.csv.gz")
    lines = lines[(lines["kind"] == VIEW) & lines["customer_id"].isin(customers)]
    customer = np.searchsorted(customers, lines["customer_id"].to_numpy(str))
    item = np.searchsorted(names, lines["article_id"].to_numpy(str))
    times = ((pd.to_datetime(lines["viewed_at"]) - began) / pd.Timedelta(days=1)).to_numpy()
    return Purchases.sort(customer, item, times, len(customers), len(names))


def _shop(
    lines: pd.DataFrame, times: np.ndarray, tags: "pd.Series", cutoffs: dict[str, tuple[int, ...]], drawn: int = 0
) -> Shop:
    names, items = np.unique(lines["product"].to_numpy(str), return_inverse=True)
    customers, customer = np.unique(lines["customer"].to_numpy(str), return_inverse=True)
    purchases = Purchases.sort(customer, items, times, len(customers), len(names))
    price = lines.groupby("product")["price"].median().reindex(names).to_numpy()
    numbers = np.log(np.maximum(price, 0.01))[:, None]
    of_article = tags.reindex(names).tolist()
    return Shop(
        purchases, Articles.of_tags(names.astype(object), of_article, numbers, _MIN_WORD_ARTICLES), cutoffs, drawn
    )
