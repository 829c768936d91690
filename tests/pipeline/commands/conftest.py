"""What the commands work on: the alert stores and nights of the alert tests, the shop of the simulator's."""

from tests.pipeline.alerts.conftest import nights, postgres, postgres_settings, run, store_settings, stored_nights
from tests.pipeline.simulator.conftest import shop

__all__ = ["nights", "postgres", "postgres_settings", "run", "shop", "store_settings", "stored_nights"]
