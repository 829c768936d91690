"""What a simulated shop is made from: everything that decides its files, byte for byte, and nothing else."""

from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict, Field

HORIZON_DAYS = 14
"""Days after the last delivered one whose demand is drawn for the truth, and for which deliveries are planned."""


class ShopSettings(BaseModel):
    """Settings of one simulated shop; equal settings give equal files.

    Days are counted from 0, `first_day`. Nothing that happens on a day depends on `days`: a shop simulated one day
    longer has the same earlier sales, so consecutive nights are consecutive values of `days`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    customers: int = Field(2000, ge=1, le=20_000_000, description="customers at any one time; leavers are replaced")
    days: int = Field(180, ge=1, le=10_000, description="delivered days")
    stores: int = Field(3, ge=1, le=200)
    products: int = Field(300, ge=2, le=20_000, description="places in the assortment")
    seed: int = Field(7, ge=0)
    first_day: date = Field(date(2025, 1, 6), description="first delivered day")
    planted_stockouts: int = Field(20, ge=0, description="cut resupply plans under way on any day")
    planted_changes: int = Field(20, ge=0, description="behaviour changes in any ten days")
    return_spread: float = Field(
        0.0, ge=0, le=3, description="how far customers and products differ in what they return; 0: not at all"
    )

    @property
    def business_date(self) -> date:
        """The morning after the last delivered day."""
        return self.date_of(self.days)

    def date_of(self, day: int) -> date:
        """The calendar date of a day counted from 0."""
        return self.first_day + timedelta(days=day)


def count_on(day: int, per_day: float) -> int:
    """How many events fall on `day` so that they come evenly at `per_day`, whole ones only."""
    return int((day + 1) * per_day) - int(day * per_day)
