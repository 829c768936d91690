"""The tables of the back-test of demand and stock-out alerts, made from its scores."""

from typing import Any

from pipeline.benchmarks.data.daily_sales import TOP_PRODUCTS


def table(result: dict[str, Any]) -> str:
    """The scores as Markdown: the methods, then what knowing the customers adds."""
    return _methods(result["models"]) + _customers(result.get("customers", []))


def _customers(found: list[dict[str, Any]]) -> str:
    """What knowing the customers adds, as Markdown; nothing where it was not measured."""
    if not found:
        return ""
    first = found[0]
    lines = [
        f"""
### What knowing the customers adds

`{first["model"]}` less `{first["against"]}`, in which every customer is replaced by the average one; below 0 customers
help. Intervals of 95 % by {first["resamples"]:,} paired bootstrap samples of products and windows.
""",
        "| products | measure | difference | from | to | |",
        "|---|---|---|---|---|---|",
    ]
    for row in found:
        sure = "excludes 0" if row["low"] * row["high"] > 0 else "holds 0"
        cells = [_cell(row[name], 4) for name in ("difference", "low", "high")]
        lines.append(f"| {row['products']} | {row['measure']} | " + " | ".join(cells) + f" | {sure} |")
    return "\n".join(lines) + "\n"


def _methods(scores: dict[str, dict[str, Any]]) -> str:
    """Means over the windows as Markdown, demand and then alerts by plan."""
    demand = {
        "day_wape": "day WAPE", "week_wape": "week WAPE", "bias": "bias", "rmsse": "RMSSE", "pinball_p50": "p50",
        "pinball_p90": "p90", "coverage_week": "coverage, week", "coverage_week_even": "week, even ends",
        "coverage_day": "coverage, day",
        "week_rmse": "week RMSE",
        "all_week_wape": "all products, week WAPE", "all_week_rmse": "all, week RMSE", "cpu_seconds": "CPU seconds",
    }  # fmt: skip
    lines = [
        f"| top {TOP_PRODUCTS:,} products | " + " | ".join(demand.values()) + " |",
        "|---" * (len(demand) + 1) + "|",
    ]
    for model, found in scores.items():
        figures = found["mean"] | {"cpu_seconds": found["cpu_seconds"]}
        lines.append(f"| {model} | " + " | ".join(_cell(figures.get(name)) for name in demand) + " |")
    alerts = {
        "ap_product": "AP product", "ap_product_day": "AP product-day", "precision": "precision", "recall": "recall",
        "f1": "F1", "lead_days": "days ahead",
        "calibration_error_as_stated": "calibration error as stated", "calibration_error": "calibrated",
        "alerts_stated": "alerts: stated", "alerts_came": "came",
    }  # fmt: skip
    plans = sorted({name.split("/")[0] for name in next(iter(scores.values()))["mean"] if "/" in name})
    for plan in plans:
        lines += ["", f"| plan {plan} | " + " | ".join(alerts.values()) + " |", "|---" * (len(alerts) + 1) + "|"]
        for model, found in scores.items():
            cells = [_cell(found["mean"].get(f"{plan}/{name}")) for name in alerts]
            lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(figure: float | None, digits: int = 3) -> str:
    return "" if figure is None else f"{figure:.{digits}f}"
