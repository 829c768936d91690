"""What the simulated shop sells: invented products, their places in the assortment, launches and delistings.

A product's name is brand, item and pack; names never repeat.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.categories import CATEGORIES


@dataclass(frozen=True)
class Product:
    """One row of the catalogue."""

    number: int
    name: str
    category: int
    brand: str
    cents: int
    tags: str

    @property
    def product_id(self) -> str:
        """The id on the till's lines."""
        return product_id(self.number)


def product_id(number: int) -> str:
    """The id of the catalogue's product `number`."""
    return f"P{number:05d}"


BRANDS = (
    ("Larder Basics", "own-label"),
    ("Alpenhof", "regional"),
    ("Grüne Aue", "organic"),
    ("Kornblume", ""),
    ("Casa Lupo", "imported"),
    ("Morgentau", "organic"),
    ("Hafenmeister", "regional"),
    ("Belle Saison", "premium"),
)
PACKS = ("", " Family Pack", " Twin Pack", " Value Box")


def make_product(number: int, category: int, serial: int, rng: np.random.Generator) -> Product:
    """The `serial`-th product ever listed in a category; its price varies around the item's, by brand and pack."""
    kind = CATEGORIES[category]
    rest, item = divmod(serial, len(kind.items))
    rest, turn = divmod(rest, len(BRANDS))
    series, pack = divmod(rest, len(PACKS))
    brand, brand_tag = BRANDS[(turn + item) % len(BRANDS)]
    name = f"{brand} {kind.items[item]}{PACKS[pack]}" + (f" Series {series + 1}" if series else "")
    low, high = kind.cents
    place = (item * 7 % len(kind.items)) / len(kind.items) * 0.7 + rng.random() * 0.3
    euros = (low + (high - low) * place) * (1 + 0.8 * pack) / 100
    tags = ";".join(part for part in (kind.tags, brand_tag, "large" if pack else "") if part)
    return Product(number, name, category, brand, int(euros * 10) * 10 + 9, tags)


class Assortment:
    """The places in the assortment, and which product stands in each.

    A delisted product leaves its place empty; a launch puts a new product of the same category there. All arrays are
    per place: `product` (catalogue number), `category`, `listed`, `popularity`, `cents`, `companion` (the place often
    bought with it, -1 for none), `pack` (units per case that suppliers deliver).
    """

    def __init__(self, places: int, rng: np.random.Generator) -> None:
        shares = np.cumsum([category.share for category in CATEGORIES])
        self.places = places
        self.category = np.searchsorted(shares / shares[-1], (np.arange(places) + 0.5) / places).astype(np.int32)
        self.catalogue: list[Product] = []
        self.product = np.full(places, -1, np.int32)
        self.cents = np.zeros(places, np.int64)
        self.listed = np.ones(places, bool)
        self._serials = np.zeros(len(CATEGORIES), int)
        for place in range(places):
            self._put(place, rng)
        rank = np.concatenate([rng.permutation(np.sum(self.category == c)) for c in range(len(CATEGORIES))])
        self.popularity = 1.0 / (rank + 2.0) ** 0.8
        self.companion = np.where(rng.random(places) < 0.4, rng.integers(0, places, places), -1).astype(np.int32)
        self.companion[self.companion == np.arange(places)] = -1
        self.pack = rng.choice([1, 4, 6, 12], places, p=[0.3, 0.3, 0.3, 0.1])

    def _put(self, place: int, rng: np.random.Generator) -> None:
        category = int(self.category[place])
        product = make_product(len(self.catalogue), category, int(self._serials[category]), rng)
        self._serials[category] += 1
        self.catalogue.append(product)
        self.product[place], self.cents[place], self.listed[place] = product.number, product.cents, True

    def delist(self, rng: np.random.Generator) -> tuple[int, int] | None:
        """Empty one place; returns it and the place its buyers turn to, None where no category has two products."""
        listed = np.bincount(self.category[self.listed], minlength=len(CATEGORIES))
        candidates = np.flatnonzero(self.listed & (listed[self.category] > 1))
        if not len(candidates):
            return None
        place = int(rng.choice(candidates))
        self.listed[place] = False
        others = np.flatnonzero(self.listed & (self.category == self.category[place]))
        weight = self.popularity[others]
        return place, int(rng.choice(others, p=weight / weight.sum()))

    def launch(self, rng: np.random.Generator) -> int | None:
        """Put a new product in an empty place; returns it, None where none is empty."""
        empty = np.flatnonzero(~self.listed)
        if not len(empty):
            return None
        place = int(rng.choice(empty))
        self._put(place, rng)
        return place

    def season(self, day_of_year: int) -> np.ndarray:
        """How much more than usual each place is needed on a day of the year."""
        swing = np.array([category.season for category in CATEGORIES])
        peak = np.array([category.peak_day for category in CATEGORIES])
        return (1 + swing * np.cos(2 * np.pi * (day_of_year - peak) / 365.25))[self.category]
