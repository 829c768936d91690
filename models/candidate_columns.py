"""Names of what is known about a candidate: the columns of every feature array, in their order."""

from typing import Final

# Of customer and product: purchases of the customer's own.
OF_PAIR: Final = ("own_count", "own_share", "own_age", "own_regularity", "own_frequency")
# Signals from other customers' histories.
OF_OTHERS: Final = ("neighbour_frequency", "neighbour_popularity", "similar_to_own", "follows_last", "follows_all")
OF_PRODUCT: Final = ("share", "latest_share", "repeat_rate")
OF_CUSTOMER: Final = ("n_baskets", "n_products", "mean_size", "last_size", "repeat_share")
# Columns of `Candidates.features`, unscaled.
FEATURES: Final = OF_PAIR + OF_OTHERS + OF_PRODUCT + OF_CUSTOMER

# Scaled for a network: own purchases (candidates/own_products.py) ...
OWN_FEATURES: Final = (
    "own_log_count",  # log(1 + baskets with the product)
    "own_basket_share",  # of the customer's baskets
    "own_decayed_share",  # the same, recent baskets weighing more
    "own_recency",  # 1 / (1 + age in baskets)
    "own_log_age",  # log(1 + age in baskets)
    "own_log_days_since",  # log(1 + days from the last purchase to the customer's last basket)
    "own_days_over_usual",  # days since, over the usual days between two purchases
    "own_baskets_over_usual",  # baskets since, over the usual number between two purchases
    "own_is_repeated",  # 1 where there is a usual distance at all
    "own_log_units",  # log(1 + units at a time)
    "own_log_baskets",  # log(the customer's baskets)
    "own_log_products",  # log(1 + the customer's different products)
)
# ... and everything that does not depend on them (candidates/scaled_features.py).
SHARES: Final = ("share", "latest_share")
RATES: Final = ("repeat_rate", "repeat_share")
COUNTS: Final = tuple(name for name in OF_CUSTOMER if name not in RATES)
SCALED_FEATURES: Final = (
    *(f"{part}_{name}" for name in OF_OTHERS for part in ("log", "relative")),
    *(f"log_{name}" for name in SHARES),
    *RATES,
    *(f"log_{name}" for name in COUNTS),
)
