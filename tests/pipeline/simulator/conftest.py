"""One small simulated shop, shared by the tests that only read it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.simulator.shop import ShopSettings
from pipeline.simulator.simulate import simulate

SMALL = ShopSettings(
    customers=250, days=60, stores=2, products=60, seed=3, planted_stockouts=10, planted_changes=10,
    first_day=date(2025, 3, 3),
)  # fmt: skip


@dataclass(frozen=True)
class SimulatedShop:
    """A shop's settings and folder, and its files as frames."""

    settings: ShopSettings
    folder: Path

    def sales(self) -> pd.DataFrame:
        """All delivered lines."""
        files = sorted((self.folder / "raw" / "sales").iterdir())
        lines = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
        lines["sold_at"] = pd.to_datetime(lines["sold_at"])
        return lines.assign(sold_on=lines["sold_at"].dt.date)

    def table(self, name: str) -> pd.DataFrame:
        """One CSV file, day columns as dates."""
        frame = pd.read_csv(self.folder / name)
        for column in frame.columns.intersection(["day", "arrives_on", "shown_on", "cut_on", "last_visit_on"]):
            frame[column] = pd.to_datetime(frame[column]).dt.date
        return frame

    def on_hand(self, day: int) -> pd.Series:
        """Opening stock of a day by store and product."""
        name = f"raw/stock/stock_{self.settings.date_of(day)}.csv"
        return self.table(name).set_index(["store_id", "product_id"])["on_hand"]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    """The small shop."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(SMALL, folder)
    return SimulatedShop(SMALL, folder)
