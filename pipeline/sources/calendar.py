"""`[calendar]` of a source: when its stores are shut, and which products are on promotion when.

    [calendar]
    holidays = "AT"                 # country, as in the library `holidays`; or "DE-BY" with a part of it
    open_on_holidays = false
    closed = [{ from = 2026-01-07, to = 2026-01-20, stores = ["S003"] }, { from = 2026-12-24 }]
    promotions = [{ from = 2026-03-02, to = 2026-03-07, products = ["4711", "4712"], stores = ["S001"] }]

A day on which a store sold nothing, though that is next to impossible at its usual trade, counts as shut as well,
unless `days_without_sales = "open"`.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Period(BaseModel):
    """Days, both ends included, of all stores or some."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    first: date = Field(alias="from", description="first day", examples=[date(2026, 12, 24)])
    last: date | None = Field(
        None, alias="to", description="last day; default: the first alone", examples=[date(2026, 12, 26)]
    )
    stores: tuple[str, ...] = Field((), description="which ones; default: all", examples=[["S003"]])

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.last is not None and self.last < self.first:
            raise ValueError(f"`to` {self.last} lies before `from` {self.first}")
        return self

    def holds(self, store: str, day: date) -> bool:
        """Whether it is so in the store on that day."""
        return self.first <= day <= (self.last or self.first) and (not self.stores or store in self.stores)


class Promotion(Period):
    """Days on which products are on promotion."""

    products: tuple[str, ...] = Field((), description="which ones; default: all", examples=[["4711", "4712"]])


class Calendar(BaseModel):
    """When stores are shut, and which products are on promotion when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    closed: tuple[Period, ...] = Field(
        (), description="days on which stores are shut, past or to come", examples=[[{"from": "2026-12-24"}]]
    )
    promotions: tuple[Promotion, ...] = Field(
        (),
        description="what is on promotion, past or to come; past ones teach what a promotion does",
        examples=[[{"from": "2026-03-02", "to": "2026-03-07", "products": ["4711"]}]],
    )
    holidays: str | None = Field(
        None, description="country whose public holidays count, or a part of one", examples=["DE-BY"]
    )
    open_on_holidays: bool = Field(False, description="the stores trade on public holidays", examples=[True])
    days_without_sales: Literal["closed", "open"] = Field(
        "closed",
        description="what a day is on which a store sold nothing, though it usually sells much",
        examples=["open"],
    )

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, place: str | None) -> str | None:
        if place is not None:
            _public_holidays(place, {2026})
        return place

    def closed_days(self, store: str, days: Iterable[date]) -> set[date]:
        """Those of the days on which the store is known to be shut."""
        days = list(days)
        off = {day for day in days if any(closure.holds(store, day) for closure in self.closed)}
        if self.holidays and not self.open_on_holidays:
            off |= set(days) & _public_holidays(self.holidays, {day.year for day in days})
        return off

    def promoted(self, store: str, products: Sequence[str], days: Sequence[date]) -> NDArray[np.bool_]:
        """Which of the products are on promotion in the store on which of the days, [N, D]."""
        found = np.zeros((len(products), len(days)), dtype=bool)
        names = np.asarray(products, dtype=str)
        for promotion in self.promotions:
            on = np.array([promotion.holds(store, day) for day in days], dtype=bool)
            which = np.isin(names, promotion.products) if promotion.products else np.ones(len(names), dtype=bool)
            found |= which[:, None] & on[None, :]
        return found

    @cached_property
    def finds_closed_days(self) -> bool:
        """Whether days without any sale count as shut."""
        return self.days_without_sales == "closed"


def days_between(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included."""
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def _public_holidays(place: str, years: set[int]) -> set[date]:
    import holidays

    country, _, part = place.partition("-")
    try:
        found: Any = holidays.country_holidays(country, subdiv=part or None, years=sorted(years))
    except NotImplementedError:
        raise ValueError(f"no public holidays are known of {place!r}; write a country as AT, or DE-BY") from None
    return set(found)
