"""Every array of a batch of next offers: its name, dtype, shape and unit, stated once; see also `models/fields.py`.

    B examples, customers as of one of their events      T events of an example, oldest first
    P offers of an event, dearest first                  V offers by index, special indices included
    K buckets of days until the next event

Integer arrays are padded with 0 on the right, float arrays with 0.0. Events of one day are one event: the order within
a day carries nothing.
"""

from typing import Final

from models.fields import Field

EVENT_FEATURES: Final = (
    "log_gap_days",  # log(1 + days since the event before); 0 for the first
    "is_first",
    "log_events",  # log(1 + events before)
    "log_offers",  # log(1 + offers of the event)
    "log_amount",  # log(1 + currency units)
    *(f"weekday_{day}" for day in range(7)),  # 1 on that weekday, Monday first
)
OFFER_FEATURES: Final = (
    "log_events",  # log(1 + own events that held it)
    "log_recent_events",  # the same, an event counting 0.8 to the power of how many events ago it was
    "log_top_events",  # log(1 + own events that it was the dearest of)
    "log_spend_share",  # log(1 + per cent of what the customer paid for known offers so far)
    "in_latest",
    "is_owned",
    "log_days_since",  # log(1 + days since the latest own event that held it); 0 where none did
    "log_interval",  # log(1 + mean days between own events that held it); 0 with fewer than two
    "overdue",  # days since over mean days between, at most 3; 0 with fewer than two
    # Logs of shares among everyone's events of the latest days, relative to an even share.
    "popularity_3",
    "popularity_7",
    "popularity_28",
    "top_popularity_7",
    "top_popularity_28",
)
N_EVENT_FEATURES: Final = len(EVENT_FEATURES)
N_OFFER_FEATURES: Final = len(OFFER_FEATURES)

EVENT_OFFERS: Final = "event_offers"
EVENT_FEATURE_VALUES: Final = "event_features"
OFFER_FEATURE_VALUES: Final = "offer_features"
MAY_BE_OFFERED: Final = "may_be_offered"
TARGET_OFFERS: Final = "target_offers"
TARGET_BUCKETS: Final = "target_buckets"
TARGET_SURVIVED: Final = "target_survived"

INPUTS: Final = (
    Field(EVENT_OFFERS, "int32", ("B", "T", "P"), "offer index", "the first is the dearest known one"),
    Field(EVENT_FEATURE_VALUES, "float32", ("B", "T", N_EVENT_FEATURES), "see names", "columns are EVENT_FEATURES"),
    Field(OFFER_FEATURE_VALUES, "float32", ("B", "V", N_OFFER_FEATURES), "see names", "columns are OFFER_FEATURES"),
    Field(
        MAY_BE_OFFERED, "float32", ("B", "V"), "0 or 1", "0: special indices, and what is owned and not bought again"
    ),
)
TARGETS: Final = (
    Field(TARGET_OFFERS, "int32", ("B",), "offer index", "dearest offer of the next event; 0: it has not come"),
    Field(
        TARGET_BUCKETS,
        "int32",
        ("B",),
        "bucket",
        "of the days until the next event; 0 where it has not come, -1 where they teach nothing",
    ),
    Field(TARGET_SURVIVED, "float32", ("B", "K"), "share", "part of each bucket that was still to come when last seen"),
)
FIELDS: Final = {field.name: field for field in (*INPUTS, *TARGETS)}
