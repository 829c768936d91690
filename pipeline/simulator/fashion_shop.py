"""A simulated fashion shop: articles come and go; customers buy rarely and several at once, and their style moves.

A customer's style is a point in the space of looks that wanders; they choose among what is in store by how near its
look is, by season, by what everyone likes at the time, by price and by novelty. Sales, views, catalogue and pictures
are what a shop delivers; styles and looks are the truth, written apart.
"""

import csv
import gzip
import json
import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from pipeline.simulator.fashion_articles import (
    CATEGORIES,
    COLOURS,
    FABRICS,
    GENDERS,
    LOOK_UNITS,
    Fashion,
    draw_articles,
    write_picture,
)
from pipeline.simulator.fashion_views import Views

SALES_COLUMNS = ("sold_at", "customer_id", "order_id", "article_id", "quantity", "amount")
_DRIFT_PER_DAY = 0.05
_PULL_PER_DAY = 0.002
_TREND_PER_DAY = 0.03
_STYLE_SPREAD = 1.0
_WEIGHTS = {"style": 1.1, "season": 1.0, "trend": 0.5, "price": 0.8, "novelty": 0.6}
_MEAN_DAYS_BETWEEN = 45.0
_TRUTH_EVERY_DAYS = 30
_OTHER_GENDER, _UNISEX, _HAS_IT = 4.0, 2, 3.0
_DAY_SECONDS = 86_400


class FashionSettings(BaseModel):
    """What decides the files of the simulated fashion shop, byte for byte."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customers: int = Field(2500, ge=1, description="customers of the whole time")
    articles: int = Field(4000, ge=10, description="articles of the whole time, of which a part is in store at once")
    days: int = Field(540, ge=30, description="delivered days")
    first_day: date = Field(date(2024, 6, 3), description="first delivered day")
    seed: int = Field(7, ge=0)

    @property
    def business_date(self) -> date:
        """The morning after the last delivered day."""
        return self.first_day + timedelta(days=self.days)


def simulate_fashion(settings: FashionSettings, out: Path) -> Path:
    """Write the shop's raw and truth files under `out`, unless they are there already; returns the raw folder.

    Written aside and moved when complete.
    """
    described = json.dumps(settings.model_dump(mode="json"), indent=1) + "\n"
    raw, truth, aside = out / "raw", out / "truth", out / ".simulating"
    marker = raw / "fashion.json"
    complete = marker.is_file() and (raw / "views.csv.gz").is_file() and truth.is_dir()
    if complete and marker.read_text() == described:
        return raw
    shutil.rmtree(aside, ignore_errors=True)
    for folder in ("raw/images", "truth"):
        (aside / folder).mkdir(parents=True)
    _write(settings, aside)
    (aside / "raw" / marker.name).write_text(described)
    for earlier in (raw, truth):
        if earlier.exists():
            earlier.rename(aside / f"earlier_{earlier.name}")
    (aside / "truth").rename(truth)
    (aside / "raw").rename(raw)
    shutil.rmtree(aside)
    return raw


def _write(settings: FashionSettings, aside: Path) -> None:
    random = np.random.default_rng(settings.seed)
    articles = draw_articles(settings.articles, settings.days, random)
    customers = _Customers(settings.customers, len(articles), random)
    views = Views(articles, settings.seed)
    trend, n_orders = np.zeros(LOOK_UNITS), 0
    styles: list[pa.Table] = []
    with gzip.GzipFile(aside / "raw" / "sales.csv.gz", "wb", mtime=0) as packed:
        packed.write((",".join(SALES_COLUMNS) + "\n").encode())
        for day in range(settings.days):
            customers.drift(random)
            trend += -0.02 * trend + _TREND_PER_DAY * random.normal(size=LOOK_UNITS)
            rows = np.flatnonzero(random.random(settings.customers) < customers.rate)
            common = _common_appeal(articles, settings.first_day + timedelta(days=day), day, trend)
            shelf = _Shelf.of(articles, common)
            for customer in views.browsers(customers.rate):
                views.browse(int(customer), day, shelf.store, shelf.wants(customers, customer))
            for customer, second, bought in _sell(shelf, customers, rows, random):
                wants = shelf.wants(customers, customer)
                moment = day * _DAY_SECONDS + second
                views.before_order(customer, bought, shelf.store, wants, order=f"o{n_orders}", second=moment)
                at = datetime.combine(settings.first_day, datetime.min.time()) + timedelta(days=day, seconds=second)
                for number in bought:
                    amount = f"{articles.cents[number] / 100:.2f}"
                    said = (at, f"c{customer}", f"o{n_orders}", articles.article_id(number), 1, amount)
                    packed.write((",".join(map(str, said)) + "\n").encode())
                n_orders += 1
            if day % _TRUTH_EVERY_DAYS == 0:
                styles.append(_styles_table(customers, settings.first_day + timedelta(days=day)))
    views.write(settings.first_day, aside / "raw", aside / "truth")
    pq.write_table(pa.concat_tables(styles), aside / "truth" / "styles.parquet")
    looks = pa.FixedSizeListArray.from_arrays(pa.array(articles.looks.ravel()), LOOK_UNITS)
    ids = [articles.article_id(number) for number in range(len(articles))]
    pq.write_table(
        pa.table({"article_id": ids, "look": looks, "appeal": articles.appeal}), aside / "truth" / "looks.parquet"
    )
    _write_catalogue(articles, settings.first_day, aside / "raw")


class _Customers:
    """Customers' styles, where each one's comes back to, and their habits."""

    def __init__(self, count: int, n_articles: int, random: np.random.Generator) -> None:
        self.home = _STYLE_SPREAD * random.normal(size=(count, LOOK_UNITS))
        self.style = self.home + 0.5 * random.normal(size=self.home.shape)
        self.gender = random.choice(2, count, p=[0.6, 0.4])
        self.price = random.normal(0.0, 0.5, count)
        self.categories = random.gumbel(0.0, 0.7, (count, len(CATEGORIES)))
        self.rate = np.minimum(random.lognormal(-0.3, 0.8, count) / _MEAN_DAYS_BETWEEN, 0.5)
        self.has = np.zeros((count, n_articles), bool)
        self.order_size = 1.0 + random.gamma(1.2, 0.9, count)

    def drift(self, random: np.random.Generator) -> None:
        """One day: a step at random, and a little back."""
        self.style += _DRIFT_PER_DAY * random.normal(size=self.style.shape) - _PULL_PER_DAY * (self.style - self.home)


def _common_appeal(articles: Fashion, today: date, day: int, trend: np.ndarray) -> np.ndarray:
    """How much everyone wants each article on a day, by quality, season, trend and novelty; -inf out of store."""
    winter = np.cos(2 * np.pi * (today.timetuple().tm_yday - 15) / 365.25)
    novelty = np.exp(-np.maximum(day - articles.first, 0) / 20.0)
    appeal = (
        articles.appeal
        + _WEIGHTS["season"] * winter * articles.warmth
        + _WEIGHTS["trend"] * articles.looks @ trend
        + _WEIGHTS["novelty"] * novelty
    )
    return np.where((articles.first <= day) & (day < articles.end), appeal, -np.inf)


@dataclass(frozen=True)
class _Shelf:
    """What is in store on a day, S articles; int [S] but for `common` and `level`, float [S], and `looks` [S, 8]."""

    store: np.ndarray
    common: np.ndarray
    level: np.ndarray
    gender: np.ndarray
    category: np.ndarray
    looks: np.ndarray

    @classmethod
    def of(cls, articles: Fashion, common: np.ndarray) -> "_Shelf":
        """Args: common: float [V], -inf out of store."""
        store = np.flatnonzero(np.isfinite(common))
        level = np.log(articles.cents[store] / 6000.0)
        of_store = articles.gender[store], articles.category[store], articles.looks[store]
        return cls(store, common[store], level, *of_store)

    def wants(self, customers: _Customers, row: int) -> np.ndarray:
        """How much a customer wants each article; float [S]."""
        wants = self.common + _WEIGHTS["style"] * self.looks @ customers.style[row]
        wants = wants - _WEIGHTS["price"] * (self.level - customers.price[row]) ** 2
        wants = wants + customers.categories[row][self.category]
        wants = wants - _OTHER_GENDER * ((self.gender != customers.gender[row]) & (self.gender != _UNISEX))
        found: np.ndarray = wants - _HAS_IT * customers.has[row, self.store]
        return found


def _sell(
    shelf: _Shelf, customers: _Customers, rows: np.ndarray, random: np.random.Generator
) -> list[tuple[int, int, np.ndarray]]:
    """Who buys what at which second of the day, each article once an order."""
    store, found = shelf.store, []
    for row in rows:
        wants = shelf.wants(customers, row)
        size = min(1 + random.poisson(customers.order_size[row] - 1.0), len(store))
        chosen = np.argpartition(-(wants + random.gumbel(size=len(store))), size - 1)[:size]
        customers.has[row, store[chosen]] = True
        found.append((int(row), int(random.integers(8 * 3600, 22 * 3600)), np.sort(store[chosen])))
    return sorted(found, key=lambda each: each[1])


def _styles_table(customers: _Customers, day: date) -> pa.Table:
    count = len(customers.style)
    styles = pa.FixedSizeListArray.from_arrays(pa.array(customers.style.flatten()), LOOK_UNITS)
    return pa.table({"customer_id": [f"c{row}" for row in range(count)], "day": [day] * count, "style": styles})


def _write_catalogue(articles: Fashion, first_day: date, raw: Path) -> None:
    """catalogue.csv, and a picture of every article; pattern and shade are in no column."""
    names = ("article_id", "name", "category", "brand", "colour", "gender", "price")
    with (raw / "catalogue.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*names, *FABRICS, "image", "available_from", "available_until"))
        for number in range(len(articles)):
            category = CATEGORIES[articles.category[number]]
            colour, brand = list(COLOURS)[articles.colour[number]], f"Brand {articles.brand[number] + 1}"
            image = f"images/{articles.article_id(number)}.png"
            days = [first_day + timedelta(days=int(each[number])) for each in (articles.first, articles.end)]
            said = (f"{brand} {colour} {category}", category, brand, colour, GENDERS[articles.gender[number]])
            shares = [f"{share:.2f}" for share in articles.fabrics[number]]
            price = f"{articles.cents[number] / 100:.2f}"
            writer.writerow((articles.article_id(number), *said, price, *shares, image, *days))
            write_picture(articles, number, raw / image)
