"""What the simulated shop sells, and how each category is bought.

A category's replenishment cycle, season and delivery days are rounded from common sense about groceries; brands and
products are invented. A product's name is brand, item and pack; names never repeat.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Category:
    """One category: how often its products are needed, when in the year, and when they are delivered."""

    name: str
    share: float
    cycle_days: float
    season: float
    peak_day: int
    delivery_weekdays: tuple[int, ...]
    cents: tuple[int, int]
    tags: str
    items: tuple[str, ...]


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


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(","))


CATEGORIES = (
    Category(
        "Milk & cream",
        0.10,
        7,
        0.0,
        1,
        (0, 2, 4),
        (89, 249),
        "chilled;vegetarian",
        _items(
            "Whole Milk 1 l, Semi-Skimmed Milk 1 l, Oat Drink 1 l, Buttermilk 500 ml, Whipping Cream 200 g, "
            "Sour Cream 200 g, Soy Drink 1 l, Lactose-Free Milk 1 l, Kefir 500 ml, Almond Drink 1 l"
        ),
    ),
    Category(
        "Yoghurt & cheese",
        0.09,
        10,
        0.1,
        190,
        (0, 2, 4),
        (99, 499),
        "chilled;vegetarian",
        _items(
            "Natural Yoghurt 500 g, Strawberry Yoghurt 150 g, Skyr 450 g, Gouda Slices 200 g, Mozzarella 125 g, "
            "Cream Cheese 200 g, Feta 180 g, Emmental Block 300 g, Cottage Cheese 200 g, Greek Yoghurt 400 g"
        ),
    ),
    Category(
        "Bread & rolls",
        0.10,
        6,
        0.0,
        1,
        (0, 1, 2, 3, 4, 5),
        (79, 399),
        "bakery;vegan",
        _items(
            "Rye Loaf 750 g, Wholemeal Bread 500 g, Toast 500 g, Kaiser Rolls 6 pcs, Baguette 250 g, Pretzels 4 pcs, "
            "Spelt Loaf 500 g, Sunflower Bread 500 g, Ciabatta 300 g, Crispbread 250 g"
        ),
    ),
    Category(
        "Fruit",
        0.10,
        7,
        0.25,
        200,
        (0, 2, 4, 5),
        (99, 449),
        "fresh;vegan",
        _items(
            "Bananas 1 kg, Gala Apples 1 kg, Oranges 1.5 kg, Lemons 500 g, Seedless Grapes 500 g, Strawberries 500 g, "
            "Pears 1 kg, Kiwis 6 pcs, Blueberries 250 g, Mangos 2 pcs"
        ),
    ),
    Category(
        "Vegetables",
        0.10,
        7,
        0.1,
        170,
        (0, 2, 4, 5),
        (69, 399),
        "fresh;vegan",
        _items(
            "Vine Tomatoes 500 g, Cucumber 1 pc, Carrots 1 kg, Onions 1 kg, Potatoes 2.5 kg, Peppers Mix 500 g, "
            "Broccoli 500 g, Iceberg Lettuce 1 pc, Courgettes 500 g, Mushrooms 400 g"
        ),
    ),
    Category(
        "Meat & fish",
        0.07,
        11,
        0.15,
        180,
        (1, 3, 5),
        (249, 1299),
        "chilled;protein",
        _items(
            "Minced Beef 500 g, Chicken Breast 400 g, Pork Schnitzel 400 g, Salmon Fillet 250 g, Bratwurst 4 pcs, "
            "Turkey Strips 400 g, Smoked Trout 125 g, Beef Steak 300 g, Meatballs 400 g, Cod Loin 300 g"
        ),
    ),
    Category(
        "Cold cuts & tofu",
        0.05,
        10,
        0.0,
        1,
        (1, 3, 5),
        (119, 399),
        "chilled;protein",
        _items(
            "Cooked Ham 150 g, Salami 100 g, Turkey Slices 150 g, Smoked Tofu 200 g, Liver Sausage 125 g, Hummus 200 g, "
            "Serrano Ham 80 g, Falafel 200 g, Plain Tofu 400 g, Vegan Slices 100 g"
        ),
    ),
    Category(
        "Pasta & rice",
        0.06,
        21,
        0.1,
        20,
        (1, 4),
        (79, 349),
        "pantry;vegan",
        _items(
            "Spaghetti 500 g, Penne 500 g, Basmati Rice 1 kg, Fusilli 500 g, Risotto Rice 500 g, Couscous 500 g, "
            "Lasagne Sheets 500 g, Red Lentils 500 g, Tagliatelle 500 g, Bulgur 500 g"
        ),
    ),
    Category(
        "Sauces & tins",
        0.06,
        21,
        0.1,
        20,
        (1, 4),
        (59, 399),
        "pantry",
        _items(
            "Chopped Tomatoes 400 g, Pesto Verde 190 g, Tomato Passata 500 g, Ketchup 500 ml, Mustard 250 ml, "
            "Chickpeas 400 g, Sweetcorn 300 g, Tuna in Oil 185 g, Kidney Beans 400 g, Coconut Milk 400 ml"
        ),
    ),
    Category(
        "Breakfast & spreads",
        0.05,
        24,
        0.0,
        1,
        (1, 4),
        (149, 549),
        "pantry;vegetarian",
        _items(
            "Muesli 750 g, Corn Flakes 500 g, Rolled Oats 500 g, Strawberry Jam 340 g, Honey 500 g, Hazelnut Spread 400 g, "
            "Peanut Butter 350 g, Granola 400 g, Maple Syrup 250 ml, Porridge Mix 400 g"
        ),
    ),
    Category(
        "Coffee & tea",
        0.04,
        26,
        0.2,
        15,
        (1, 4),
        (199, 1099),
        "pantry;vegan",
        _items(
            "Ground Coffee 500 g, Espresso Beans 1 kg, Coffee Pads 36 pcs, Green Tea 20 bags, Earl Grey 25 bags, "
            "Peppermint Tea 20 bags, Instant Coffee 200 g, Fruit Tea 25 bags, Cocoa 250 g, Camomile Tea 20 bags"
        ),
    ),
    Category(
        "Water & juice",
        0.06,
        10,
        0.3,
        200,
        (0, 2, 4),
        (59, 349),
        "drinks;vegan",
        _items(
            "Sparkling Water 6 x 1.5 l, Still Water 6 x 1.5 l, Orange Juice 1 l, Apple Juice 1 l, Cola 1.25 l, "
            "Lemonade 1 l, Multivitamin Juice 1 l, Iced Tea 1.5 l, Apple Spritzer 1 l, Tonic Water 1 l"
        ),
    ),
    Category(
        "Sweets & snacks",
        0.06,
        13,
        0.2,
        350,
        (1, 4),
        (89, 399),
        "snack",
        _items(
            "Milk Chocolate 100 g, Dark Chocolate 100 g, Potato Crisps 175 g, Salted Peanuts 200 g, Gummy Bears 300 g, "
            "Butter Biscuits 200 g, Pretzel Sticks 250 g, Wine Gums 250 g, Rice Cakes 130 g, Trail Mix 200 g"
        ),
    ),
    Category(
        "Ice cream & frozen",
        0.05,
        18,
        0.5,
        200,
        (2, 5),
        (149, 699),
        "frozen",
        _items(
            "Vanilla Ice Cream 900 ml, Chocolate Ice Cream 500 ml, Pizza Margherita 320 g, Frozen Peas 450 g, "
            "Fish Fingers 450 g, Oven Chips 1 kg, Spinach 450 g, Berry Mix 300 g, Fruit Sorbet 500 ml, Spring Rolls 400 g"
        ),
    ),
    Category(
        "Beer & wine",
        0.04,
        14,
        0.25,
        195,
        (2, 5),
        (99, 1299),
        "drinks;adults",
        _items(
            "Pilsner 6 x 0.5 l, Wheat Beer 0.5 l, Riesling 0.75 l, Pinot Noir 0.75 l, Alcohol-Free Beer 0.5 l, "
            "Prosecco 0.75 l, Lager 6 x 0.33 l, Rosé 0.75 l, Cider 0.5 l, Merlot 0.75 l"
        ),
    ),
    Category(
        "Household",
        0.04,
        42,
        0.0,
        1,
        (3,),
        (99, 1099),
        "non-food",
        _items(
            "Liquid Detergent 1.5 l, Washing-up Liquid 500 ml, Kitchen Roll 4 pcs, Toilet Paper 10 pcs, Bin Bags 20 pcs, "
            "Dishwasher Tabs 40 pcs, Glass Cleaner 750 ml, Sponges 5 pcs, Fabric Softener 1 l, Baking Paper 8 m"
        ),
    ),
    Category(
        "Body care & baby",
        0.03,
        38,
        0.0,
        1,
        (3,),
        (99, 1499),
        "non-food",
        _items(
            "Shampoo 300 ml, Shower Gel 250 ml, Toothpaste 75 ml, Hand Soap 300 ml, Deodorant 150 ml, Nappies 44 pcs, "
            "Baby Wipes 80 pcs, Cotton Pads 100 pcs, Tissues 10 packs, Sun Cream 200 ml"
        ),
    ),
)

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
