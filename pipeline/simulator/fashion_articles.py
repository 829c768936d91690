"""Articles of the simulated fashion shop: what the catalogue says of them, what only their picture shows, their look.

An article's look is a point in a space of eight dimensions that follows from its category, colour, brand, pattern and
shade. The catalogue names the first three; pattern and shade are in the picture alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

CATEGORIES = ("dress", "shirt", "trousers", "skirt", "coat", "shoes", "bag", "hat")
COLOURS = {
    "red": (200, 40, 40),
    "orange": (230, 130, 40),
    "yellow": (230, 210, 70),
    "green": (60, 150, 70),
    "teal": (40, 150, 150),
    "blue": (50, 80, 190),
    "purple": (130, 60, 160),
    "pink": (235, 150, 180),
    "brown": (120, 80, 50),
    "black": (40, 40, 45),
}
PATTERNS = ("plain", "stripes", "dots", "checks")
GENDERS = ("women", "men", "unisex")
FABRICS = ("cotton", "wool", "polyester", "linen")
N_BRANDS = 40
LOOK_UNITS = 8
SIZE = 48
"""Pixels of a picture's side."""
_BASE_CENTS = (7900, 4900, 6900, 5500, 16900, 9900, 8900, 2900)
_WARMTH = {
    "coat": 1.0,
    "trousers": 0.4,
    "hat": 0.3,
    "dress": -0.6,
    "skirt": -0.5,
    "shoes": 0.0,
    "shirt": -0.2,
    "bag": 0.0,
}
_SHARES = {"category": 0.9, "colour": 0.8, "brand": 0.9, "pattern": 0.8, "shade": 0.6, "own": 0.35}
_SHELF_DAYS = (30, 110)


@dataclass(frozen=True)
class Fashion:
    """V articles. Integer arrays [V] index the names above; shade in 0 to 1; looks: float [V, 8].

    first, end: int, days in store from `first` to before `end`; appeal: float, how good an article is for everyone.
    """

    category: np.ndarray
    colour: np.ndarray
    brand: np.ndarray
    gender: np.ndarray
    pattern: np.ndarray
    shade: np.ndarray
    cents: np.ndarray
    fabrics: np.ndarray
    looks: np.ndarray
    warmth: np.ndarray
    appeal: np.ndarray
    first: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.category)

    @staticmethod
    def article_id(number: int) -> str:
        """Its id on the sales lines."""
        return f"F{number:05d}"


def draw_articles(n_articles: int, days: int, rng: np.random.Generator) -> Fashion:
    """Articles that come evenly over the days; a part is there from the beginning."""
    category, colour = rng.integers(0, len(CATEGORIES), n_articles), rng.integers(0, len(COLOURS), n_articles)
    brand, gender = rng.integers(0, N_BRANDS, n_articles), rng.choice(3, n_articles, p=[0.5, 0.35, 0.15])
    pattern, shade = rng.choice(4, n_articles, p=[0.4, 0.2, 0.2, 0.2]), rng.random(n_articles)
    looks = _SHARES["own"] * rng.normal(size=(n_articles, LOOK_UNITS))
    codes = {"category": category, "colour": colour, "brand": brand, "pattern": pattern}
    for name, of_name in codes.items():
        looks = looks + _SHARES[name] * rng.normal(size=(int(of_name.max()) + 1, LOOK_UNITS))[of_name]
    looks = looks + _SHARES["shade"] * np.outer(2.0 * shade - 1.0, rng.normal(size=LOOK_UNITS))
    level = rng.lognormal(0.0, 0.45, N_BRANDS)[brand]
    cents = np.array(_BASE_CENTS)[category] * level * rng.lognormal(0.0, 0.12, n_articles)
    stays = rng.integers(*_SHELF_DAYS, n_articles)
    first = rng.integers(-_SHELF_DAYS[1], days, n_articles)
    return Fashion(
        category=category,
        colour=colour,
        brand=brand,
        gender=gender,
        pattern=pattern,
        shade=shade,
        cents=(cents // 100 * 100 - 5).clip(495).astype(np.int64),
        fabrics=rng.dirichlet(np.full(len(FABRICS), 0.4), n_articles),
        looks=looks,
        warmth=np.array([_WARMTH[name] for name in CATEGORIES])[category] + rng.normal(0.0, 0.2, n_articles),
        appeal=rng.normal(0.0, 0.6, n_articles),
        first=first,
        end=first + stays,
    )


def write_picture(articles: Fashion, number: int, path: Path) -> None:
    """Render an article: the category is the shape, the colour in its shade fills it, the pattern lies on it."""
    picture = Image.new("RGB", (SIZE, SIZE), (245, 245, 242))
    shape = Image.new("L", (SIZE, SIZE), 0)
    for kind, *points in _SHAPES[CATEGORIES[articles.category[number]]]:
        getattr(ImageDraw.Draw(shape), kind)(points if kind != "polygon" else list(points), fill=255)
    picture.paste(_cloth(articles, number), mask=shape)
    picture.save(path)


def _cloth(articles: Fashion, number: int) -> Image.Image:
    """A square of the article's colour, shade and pattern."""
    colour = np.array(list(COLOURS.values())[articles.colour[number]], float)
    toned = colour + (255.0 - colour) * 0.55 * articles.shade[number]
    cloth = np.tile(toned, (SIZE, SIZE, 1))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    on = {
        "plain": np.zeros((SIZE, SIZE), bool),
        "stripes": columns % 8 < 3,
        "dots": ((rows % 8 - 4) ** 2 + (columns % 8 - 4) ** 2) < 6,
        "checks": (rows // 6 + columns // 6) % 2 == 0,
    }[PATTERNS[articles.pattern[number]]]
    cloth[on] = 0.4 * cloth[on] + 0.6 * (255.0 if toned.mean() < 150.0 else 20.0)
    return Image.fromarray(cloth.round().astype(np.uint8))


_SHAPES: dict[str, tuple[tuple[Any, ...], ...]] = {
    "dress": (("polygon", 19, 4, 29, 4, 31, 20, 40, 44, 8, 44, 17, 20),),
    "shirt": (("polygon", 14, 8, 34, 8, 46, 20, 40, 26, 34, 21, 34, 42, 14, 42, 14, 21, 8, 26, 2, 20),),
    "trousers": (("polygon", 14, 4, 34, 4, 38, 44, 28, 44, 24, 16, 20, 44, 10, 44),),
    "skirt": (("polygon", 17, 12, 31, 12, 41, 40, 7, 40),),
    "coat": (
        ("rectangle", 13, 6, 35, 45),
        ("polygon", 13, 6, 3, 34, 9, 36, 15, 18),
        ("polygon", 35, 6, 45, 34, 39, 36, 33, 18),
    ),
    "shoes": (("polygon", 4, 36, 4, 22, 14, 22, 22, 30, 44, 32, 45, 38, 4, 38),),
    "bag": (("rectangle", 8, 20, 40, 44), ("polygon", 14, 20, 18, 8, 30, 8, 34, 20, 31, 20, 28, 11, 20, 11, 17, 20)),
    "hat": (("ellipse", 3, 28, 45, 38), ("ellipse", 12, 10, 36, 36)),
}
