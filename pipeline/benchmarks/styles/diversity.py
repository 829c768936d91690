"""What a diverse list costs: lists of the model of style by the setting `styles.diversity`, on the cutoffs of a part.

    python -m pipeline.benchmarks.styles.diversity --dataset fashion PATH --part validation

`recall`: mean over customers of the share of what they bought that their list holds; `likeness`: mean cosine of the
vectors of two articles of a list; `shown`: share of what is in store that any list holds.
"""

import argparse
from pathlib import Path

import numpy as np

from models.diverse_order import POOL, diverse_order
from models.names import look_up
from pipeline.benchmarks.styles.methods import style_method
from pipeline.benchmarks.styles.neural import DynamicStyle
from pipeline.benchmarks.styles.problems import PARTS, open_shop
from pipeline.evaluation.style_problem import Problem, problem_at
from pipeline.evaluation.style_scorecard import unit_rows
from pipeline.settings import StyleSettings

DIVERSITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


def lists_of(scores: np.ndarray, vectors: np.ndarray, k: int, diversity: float) -> np.ndarray:
    """Positions in store of each customer's list; int64 [C, min(k, S)].

    Args: scores: float [C, S]; vectors: float32 [S, D], of the articles in store.
    """
    pool = np.argsort(-scores, axis=1, kind="stable")[:, : POOL * k]
    order = diverse_order(np.take_along_axis(scores, pool, axis=1), vectors[pool], min(k, pool.shape[1]), diversity)
    return np.take_along_axis(pool, order, axis=1)


def figures(problem: Problem, lists: np.ndarray, vectors: np.ndarray) -> dict[str, float]:
    """Recall, likeness and share shown of some lists."""
    held = (lists[problem.rows] == problem.columns[:, None]).any(axis=1)
    bought = np.bincount(problem.rows, minlength=len(lists))
    unit, pairs = unit_rows(vectors), np.triu_indices(lists.shape[1], 1)
    alike = [float((unit[each] @ unit[each].T)[pairs].mean()) for each in lists]
    return {
        "recall": float((np.bincount(problem.rows, held, minlength=len(lists)) / np.maximum(bought, 1)).mean()),
        "likeness": float(np.mean(alike)),
        "shown": len(np.unique(lists)) / len(vectors),
    }


def compare(dataset: str, path: Path | None, part: str, seed: int = 0) -> dict[float, dict[str, float]]:
    """Figures by diversity, means over the cutoffs of a part; every list is of the same trained model."""
    shop, k = open_shop(dataset, path), StyleSettings().best
    found: dict[float, list[dict[str, float]]] = {diversity: [] for diversity in DIVERSITIES}
    for cutoff in look_up("part", part, shop.cutoffs):
        problem, method = problem_at(shop, cutoff), style_method("styles", seed)
        assert isinstance(method, DynamicStyle)
        vectors = method.vectors(problem)
        scores, of_store = method.scores_with(problem, vectors), vectors[problem.store]
        for diversity, of_diversity in found.items():
            of_diversity.append(figures(problem, lists_of(scores, of_store, k, diversity), of_store))
    return {
        diversity: {name: float(np.mean([each[name] for each in of_diversity])) for name in of_diversity[0]}
        for diversity, of_diversity in found.items()
    }


def table(found: dict[float, dict[str, float]]) -> str:
    """One row a diversity, as Markdown."""
    lines = ["| diversity | recall | likeness | shown |", "|---|---|---|---|"]
    for diversity, each in found.items():
        lines.append(f"| {diversity} | {each['recall']:.4f} | {each['likeness']:.3f} | {each['shown']:.3f} |")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--part", choices=PARTS, default="validation")
    arguments = parser.parse_args(argv)
    print(table(compare(arguments.dataset, arguments.path, arguments.part)))


if __name__ == "__main__":
    main()
