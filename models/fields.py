"""Every array of a batch: its name, dtype, shape and unit, stated once.

A batch is a dictionary of arrays under these names. Its real baskets are packed one after another, so that no padded
basket is ever computed. Integer arrays are padded with 0 on the right, float arrays with 0.0.

    N baskets of all funnels together    P products of a basket     T baskets of a funnel   B funnels (examples)
    A attributes of a customer           C candidates of a funnel   S decoding steps        M real decoding steps
"""

from typing import Final, NamedTuple

# Columns of the candidate features come from `models/candidate_columns.py`; nothing else says how many there are.
from models.candidate_columns import OWN_FEATURES, SCALED_FEATURES


class Field(NamedTuple):
    """One array of a batch.

    Args: shape: dimensions by the letters above, or the number of columns; unit: of the values; description: the rest.
    """

    name: str
    dtype: str
    shape: tuple[str | int, ...]
    unit: str
    description: str


BASKET_FEATURES: Final = (
    "log_gap_days",  # log(1 + days since the previous basket)
    "log_amount",  # log(1 + currency units), all lines
    "log_units",  # log(1 + units), all lines
    "log_lines",  # log(1 + lines)
    "weekday_sine",
    "weekday_cosine",
)
RHYTHM_FEATURES: Final = (
    "log_gap_1",  # log(1 + days), of the latest gap between two baskets; 0 where there is none, as below
    "log_gap_2",  # of the one before
    "log_gap_3",
    "has_gap_1",  # 1 where there is one
    "has_gap_2",
    "has_gap_3",
    "mean_log_gap",  # of all gaps
    "deviation_of_log_gap",
    "log_median_gap",
    "log_least_gap",
    "log_greatest_gap",
    "log_gaps",  # log(1 + number of gaps)
    "log_lines",  # log(1 + lines) of the last basket
    "mean_log_lines",  # of all baskets
    "log_units",  # log(1 + units)
    "mean_log_units",
    *(f"last_on_{day}" for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")),
)
CANDIDATE_FEATURES: Final = (*OWN_FEATURES, "is_own", *SCALED_FEATURES)
N_BASKET_FEATURES: Final = len(BASKET_FEATURES)
N_RHYTHM_FEATURES: Final = len(RHYTHM_FEATURES)
N_CANDIDATE_FEATURES: Final = len(CANDIDATE_FEATURES)
OWN_LOG_UNITS: Final = CANDIDATE_FEATURES.index("own_log_units")

PRODUCT_IDS: Final = "product_ids"
QUANTITIES: Final = "quantities"
BASKET_FEATURE_VALUES: Final = "basket_features"
BASKET_ROWS: Final = "basket_rows"
CUSTOMER_IDS: Final = "customer_ids"
ATTRIBUTES: Final = "attributes"
ELAPSED_DAYS: Final = "elapsed_days"
FOLDS: Final = "folds"
RHYTHM: Final = "rhythm"
CANDIDATES: Final = "candidates"
CANDIDATE_FEATURE_VALUES: Final = "candidate_features"
TARGET_PRODUCTS: Final = "target_products"
TARGET_POSITIONS: Final = "target_positions"
TARGET_QUANTITIES: Final = "target_quantities"
TARGET_GAP_DAYS: Final = "target_gap_days"
TARGET_OBSERVED: Final = "target_observed"
TARGET_SIZES: Final = "target_sizes"
TARGET_CANDIDATES: Final = "target_candidates"

EVENT_IDS: Final = "event_ids"
EVENT_GAP_HOURS: Final = "event_gap_hours"
EVENT_ELAPSED_HOURS: Final = "event_elapsed_hours"
EVENT_LOCAL_HOURS: Final = "event_local_hours"
EVENT_WEEKDAYS: Final = "event_weekdays"
EVENT_DAYS: Final = "event_days"
EVENT_NUMBERS: Final = "event_numbers"
NUMBERS: Final = "numbers"
TARGET_EVENTS: Final = "target_events"
TARGET_DAYS: Final = "target_days"
TARGET_WON: Final = "target_won"
TARGET_WON_KNOWN: Final = "target_won_known"
TARGET_RETURNED: Final = "target_returned"
EXAMPLE_WEIGHTS: Final = "example_weights"

INPUTS: Final = (
    Field(PRODUCT_IDS, "int32", ("N", "P"), "product index", "most units first where a basket is cut"),
    Field(QUANTITIES, "float32", ("N", "P"), "units", "units of each product of `product_ids`"),
    Field(BASKET_FEATURE_VALUES, "float32", ("N", N_BASKET_FEATURES), "see names", "columns are BASKET_FEATURES"),
    Field(BASKET_ROWS, "int32", ("B", "T"), "1 + row in N", "baskets of each funnel, oldest first; 0 is padding"),
    Field(CUSTOMER_IDS, "int32", ("B",), "customer index", "0: not seen in training"),
    Field(ATTRIBUTES, "int32", ("B", "A"), "hash", "what the source says of the customer; 0 is padding"),
    Field(ELAPSED_DAYS, "float32", ("B",), "days", "since the last basket, without another; 0 in training"),
    Field(
        FOLDS, "int32", ("B",), "fold", "of a training customer, see models/folds.py; 0: the customer is not trained on"
    ),
    Field(RHYTHM, "float32", ("B", N_RHYTHM_FEATURES), "see names", "columns are RHYTHM_FEATURES, of all past baskets"),
    Field(CANDIDATES, "int32", ("B", "C"), "product index", "products that may be copied, each once; 0 is padding"),
    Field(
        CANDIDATE_FEATURE_VALUES,
        "float32",
        ("B", "C", N_CANDIDATE_FEATURES),
        "see names",
        "columns are CANDIDATE_FEATURES; 0 where the candidate is padding",
    ),
)
TARGETS: Final = (
    Field(TARGET_PRODUCTS, "int32", ("B", "S"), "product index", "known products of the next basket, END, then 0"),
    Field(TARGET_POSITIONS, "int32", ("M",), "position in B x S", "where `target_products`, flattened, is not 0"),
    Field(TARGET_QUANTITIES, "float32", ("B", "S"), "units", "0 at END and padding"),
    Field(TARGET_GAP_DAYS, "float32", ("B",), "days", "from the last basket to the next; so far, where it is unseen"),
    Field(TARGET_OBSERVED, "float32", ("B",), "0 or 1", "0: the next basket has not come; other targets are empty"),
    Field(TARGET_SIZES, "float32", ("B",), "lines", "of the next basket, unknown products included"),
    Field(TARGET_CANDIDATES, "bool", ("B", "C"), "yes or no", "whether the whole next basket holds the candidate"),
)
# Rows of events: actions of a case, orders of a customer.
#     B examples   E events   M numbers of an event   A and K categorical and numeric attributes   S steps
EVENT_INPUTS: Final = (
    Field(EVENT_IDS, "int32", ("B", "E"), "event index", "oldest first; 0 is padding"),
    Field(EVENT_GAP_HOURS, "float32", ("B", "E"), "hours", "since the event before; 0 for the first"),
    Field(EVENT_ELAPSED_HOURS, "float32", ("B", "E"), "hours", "since the first event"),
    Field(EVENT_LOCAL_HOURS, "float32", ("B", "E"), "hours", "of the day, where the event happened"),
    Field(EVENT_WEEKDAYS, "float32", ("B", "E"), "days", "since Monday"),
    Field(EVENT_DAYS, "float32", ("B", "E"), "days", "since 1970"),
    Field(NUMBERS, "float32", ("B", "K"), "as delivered", "numeric attributes; not a number where one is missing"),
)
# Of orders alone.
ORDER_INPUTS: Final = (Field(EVENT_NUMBERS, "float32", ("B", "E", "M"), "see names", "columns are ORDER_NUMBERS"),)
ORDER_TARGETS: Final = (
    Field(TARGET_RETURNED, "float32", ("B",), "0 or 1", "whether units of the line came back within the return window"),
)
EVENT_TARGETS: Final = (
    Field(TARGET_EVENTS, "int32", ("B", "S"), "event index", "events to come, END, then 0"),
    Field(TARGET_DAYS, "float32", ("B", "S"), "days", "from the event before each event to come; 0 at END and padding"),
    Field(TARGET_WON, "float32", ("B",), "0 or 1", "whether the case was won; 0 where that is not known"),
    Field(TARGET_WON_KNOWN, "float32", ("B",), "0 or 1", "whether its outcome is known"),
    Field(EXAMPLE_WEIGHTS, "float32", ("B",), "1", "of the example in the losses of events to come"),
)
FIELDS: Final = {
    field.name: field for field in (*INPUTS, *TARGETS, *EVENT_INPUTS, *ORDER_INPUTS, *EVENT_TARGETS, *ORDER_TARGETS)
}
