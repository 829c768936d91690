"""What the night's own checks found: lines that could not be used, and a demand forecast held against its past.

Read from the manifest of `transactions`, which keeps a month of nights, and from the stage of the latest forecast.
"""

from typing import Any

import dash_mantine_components as dmc

from pipeline.lake.lake import Lake
from pipeline.page.tables import facts
from pipeline.sources.usable_lines import jump
from pipeline.stages import read_stages
from pipeline.tables.expected_demand import EXPECTED_DEMAND
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.workspace import Workspace

NAMED = 3  # reasons of a night


def night_checks(workspace: Workspace) -> list[Any]:
    """Words and tables; nothing where no night has been."""
    return [*_refused(workspace.lake), *_forecast(workspace)]


def _refused(lake: Lake) -> list[Any]:
    version = lake.current(TRANSACTIONS.name)
    if version is None:
        return []
    manifest = lake.manifest(TRANSACTIONS.name, version)
    nights = manifest.details.get("nights", {})
    if not nights:
        return []
    rows = []
    for night, counts in sorted(nights.items(), reverse=True):
        refused = sum(counts["refused"].values())
        reasons = [f"{reason} {lines:,}" for reason, lines in counts["refused"].items()]
        more = [f"and {len(reasons) - NAMED} more reasons"] if len(reasons) > NAMED else []
        share = f"{refused / counts['lines']:.1%}"
        rows.append([night, f"{counts['lines']:,}", f"{refused:,}", share, ", ".join(reasons[:NAMED] + more)])
    said = jump(nights, manifest.business_date)
    notice = [dmc.Alert(said, title="More lines than usual cannot be used", color="orange")] if said else []
    words = "Delivered lines that could not be used, by night; lines refused as repeated are not counted."
    return [
        *notice,
        dmc.Text(words, size="sm", c="dimmed"),
        facts(["Night", "Lines", "Refused", "Share", "Why"], rows),
    ]


def _forecast(workspace: Workspace) -> list[Any]:
    version = workspace.lake.current(EXPECTED_DEMAND.name)
    stages = read_stages(workspace.run_folder(version)) if version else []
    details = next((each.details for each in reversed(stages) if each.name == "forecast_demand"), {})
    if "methods" not in details:
        return []
    checks = {
        "Expected week beyond the product's own best": ("products_out_of_bounds", "worst_products"),
        "Store unlike its trailing weeks": ("stores_out_of_bounds", "worst_stores"),
        "Quantities not learned from": ("products_with_odd_quantities", "odd_quantities"),
    }
    rows = [[words, f"{details[count]:,}", "; ".join(details[worst])] for words, (count, worst) in checks.items()]
    methods = ", ".join(f"{name} {products:,}" for name, products in details["methods"].items())
    words = f"The latest demand forecast held against its own past. Products of a store by method: {methods}."
    return [dmc.Text(words, size="sm", c="dimmed"), facts(["Check", "Found", "Worst"], rows)]
