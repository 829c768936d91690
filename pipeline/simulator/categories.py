"""The categories of the simulated shop: what they hold and how they are bought.

Replenishment cycles, seasons, delivery days and prices are rounded from common sense about groceries.
"""

from dataclasses import dataclass


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
            "Cooked Ham 150 g, Salami 100 g, Turkey Slices 150 g, Smoked Tofu 200 g, "
            "Liver Sausage 125 g, Hummus 200 g, Serrano Ham 80 g, Falafel 200 g, Plain Tofu 400 g, Vegan Slices 100 g"
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
            "Muesli 750 g, Corn Flakes 500 g, Rolled Oats 500 g, Strawberry Jam 340 g, Honey 500 g, "
            "Hazelnut Spread 400 g, Peanut Butter 350 g, Granola 400 g, Maple Syrup 250 ml, Porridge Mix 400 g"
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
            "Fish Fingers 450 g, Oven Chips 1 kg, Spinach 450 g, Berry Mix 300 g, Fruit Sorbet 500 ml, "
            "Spring Rolls 400 g"
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
            "Liquid Detergent 1.5 l, Washing-up Liquid 500 ml, Kitchen Roll 4 pcs, Toilet Paper 10 pcs, "
            "Bin Bags 20 pcs, Dishwasher Tabs 40 pcs, Glass Cleaner 750 ml, Sponges 5 pcs, "
            "Fabric Softener 1 l, Baking Paper 8 m"
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
