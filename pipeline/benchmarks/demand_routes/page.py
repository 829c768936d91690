"""The tables of the back-test of routes to demand, made from its scores."""

from typing import Any

_SHOWN = {
    "day_wape": "day WAPE", "week_wape": "week WAPE", "bias": "bias", "week_rmse": "week RMSE", "pinball_p90": "p90",
    "A/ap_product": "AP product, plan A", "A/ap_product_day": "product-day, A", "B/ap_product": "AP product, B",
    "C/ap_product": "AP product, C",
}  # fmt: skip


def table(result: dict[str, Any]) -> str:
    """Scores of the methods, differences with their intervals, and the weights, as Markdown."""
    lines = ["| all products | " + " | ".join(_SHOWN.values()) + " |", "|---" * (len(_SHOWN) + 1) + "|"]
    for name, found in result["models"].items():
        lines.append(f"| {name} | " + " | ".join(f"{found['mean'][each]:.3f}" for each in _SHOWN) + " |")
    resamples = result["differences"][0]["resamples"]
    lines += [
        "",
        "Difference of a week's absolute error over units sold; below 0 the first is better. Intervals of 95 % by "
        f"{resamples:,} paired bootstrap samples of products and windows.",
        "",
        "| of | against | products | difference | from | to | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["differences"]:
        sure = "excludes 0" if row["low"] * row["high"] > 0 else "holds 0"
        cells = " | ".join(f"{row[name]:.4f}" for name in ("difference", "low", "high"))
        lines.append(f"| {row['model']} | {row['against']} | {row['products']} | {cells} | {sure} |")
    lines += [
        "",
        "Weights by the four weeks before: of the least error, and earned, 0 where the gain's interval holds 0.",
        "",
        "| | products | earned | least error |",
        "|---|---|---|---|",
    ]
    for name, weights in result["weights"].items():
        for group, found in weights.items():
            lines.append(f"| {name} | {group} | {found['weight']:.1f} | {found['best']:.1f} |")
    return "\n".join(lines) + "\n"
