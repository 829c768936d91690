"""`[offers]` of a source's description: what may be offered to customers, and how the days until it are divided."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class OfferRules(BaseModel):
    """What next offers are about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Literal["category", "product"] = Field("category", description="what an offer is", examples=["product"])
    allowed: tuple[str, ...] = Field(
        (),
        description="the categories or products that may be offered; empty: all",
        examples=[["loan", "credit card"]],
    )
    most: int = Field(
        100, ge=2, le=5000, description="of those, so many most frequent ones; the others are unknown", examples=[500]
    )
    owned_again: bool = Field(
        True, description="whether customers take again what they have; not so for an insurance", examples=[False]
    )
    bucket_days: tuple[int, ...] = Field(
        (),
        description="last day of each bucket of days but the last one, which has no end; empty: by quantiles",
        examples=[[7, 14, 28]],
    )
    buckets: int = Field(
        5, ge=2, le=50, description="buckets of equal shares, where `bucket_days` is empty", examples=[4]
    )
    min_events: int = Field(
        2, ge=1, le=100, description="days with an offer that a customer needs for the model to predict", examples=[1]
    )
    best: int = Field(5, ge=1, le=100, description="offers per customer that are kept", examples=[3])
    rank_by: Literal["probability", "value"] = Field(
        "probability",
        description="order of a customer's offers; value: probability times what is usually paid",
        examples=["value"],
    )

    @field_validator("bucket_days")
    @classmethod
    def _ascending(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(day < 1 for day in days) or list(days) != sorted(set(days)):
            raise ValueError(f"{list(days)} must be days from 1 on, each larger than the one before")
        return days

    @field_validator("allowed")
    @classmethod
    def _enough(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(names) == 1:
            raise ValueError("name at least two offers, or none for the most frequent ones")
        return tuple(dict.fromkeys(names))
