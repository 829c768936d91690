"""How the training of article vectors and of styles grows: CPU seconds and memory, on a simulated fashion shop.

    larder simulate --shop fashion --days 200 --customers 1000 --products 1000 --out SHOP
    python -m pipeline.benchmarks.styles.growth SHOP/raw --cutoff 190

Each shop is measured in a process of its own; give several for a table. With --share a part of the steps is trained.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.benchmarks.styles.methods import CHOSEN, ITEMS, PLAN
from pipeline.benchmarks.styles.neural import DynamicStyle, Training, TrainingPlan
from pipeline.benchmarks.styles.problems import open_shop
from pipeline.benchmarks.trials import Stopwatch, in_own_process
from pipeline.evaluation.style_problem import problem_at

_COLUMNS = ("customers", "articles", "purchases", "vectors", "styles", "peak_mb")


@dataclass(frozen=True)
class Cost:
    """What training took: CPU seconds of the vectors, pictures read included, and of the styles; peak memory in MB."""

    customers: int
    articles: int
    purchases: int
    vectors: float
    styles: float
    peak_mb: int


def measure(path: Path, cutoff: int, plan: TrainingPlan = PLAN) -> Cost:
    """Train both on what is before a day of the shop whose raw folder is `path`."""
    of_vectors = Stopwatch()
    problem = problem_at(open_shop("fashion", path), cutoff)
    method = DynamicStyle(CHOSEN, ITEMS, plan, seed=0)
    vectors = method.vectors(problem)
    seconds, of_styles = of_vectors.used()["seconds"]["cpu"], Stopwatch()
    method.trained(problem, vectors)
    used = of_styles.used()
    past, sizes = problem.past, (problem.past.n_customers, len(problem.articles))
    return Cost(*sizes, len(past), seconds, used["seconds"]["cpu"], used["peak_mb"])


def table(costs: list[Cost]) -> str:
    """One row a shop, as Markdown."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|"]
    for cost in costs:
        values = [getattr(cost, name) for name in _COLUMNS]
        cells = [f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" for value in values]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, nargs="+", help="raw folder of a simulated fashion shop")
    parser.add_argument("--cutoff", type=int, default=190, help="day before which purchases are read")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps of training")
    arguments = parser.parse_args(argv)
    plan = replace(PLAN, items=_part(PLAN.items, arguments.share), styles=_part(PLAN.styles, arguments.share))
    print(table([in_own_process(measure, path, arguments.cutoff, plan) for path in arguments.path]))


def _part(training: Training, share: float) -> Training:
    return replace(training, steps=max(round(share * training.steps), 1))


if __name__ == "__main__":
    main()
