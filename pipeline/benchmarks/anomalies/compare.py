"""Compare detectors of behaviour changes on changes injected into Ta-Feng.

Every detector reads the same injected histories. Settings are chosen on the baskets before the last ones (`back=1`);
the last ones are for the report.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.metrics import average_precision_score, roc_auc_score

from models.behaviour.funnel_baskets import Array, Flags
from pipeline.benchmarks.anomalies.injections import KINDS, Injected, inject, tafeng_histories
from pipeline.benchmarks.anomalies.methods import detector
from pipeline.benchmarks.report.report import rows_file, spread

CUSTOMERS = "customers.parquet"
FIRST = 50
METRICS = {"auc": "ROC-AUC", "ap": "average precision", "p50": f"precision at {FIRST}"}
_DIGITS = 4


def compare(
    file: Path,
    names: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    kinds: Sequence[str] = KINDS,
    back: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Score these kinds of change by every detector; metrics by detector, kind and seed. Writes customers.parquet.

    Raises: ValueError: for an unknown detector or kind; FileNotFoundError: where Ta-Feng has not been fetched.
    """
    detectors = {name: detector(name) for name in names}
    histories, customers = tafeng_histories(file, back)
    last_day = int(histories.day.max())
    found: dict[str, Any] = {name: {kind: {} for kind in kinds} for name in names}
    out.mkdir(parents=True, exist_ok=True)
    with rows_file(out / CUSTOMERS) as add:
        for kind in kinds:
            for seed in seeds:
                injected = inject(histories, kind, seed, last_day)
                for name, score in detectors.items():
                    scores = score(injected.histories, seed)
                    metrics = metrics_of(scores[injected.eligible], injected.changed[injected.eligible])
                    found[name][kind][str(seed)] = metrics
                    add(_rows((name, kind, seed), customers, scores, injected))
            say(f"{kind}: " + ", ".join(f"{name} {_mean(found[name][kind], 'auc'):.3f}" for name in names))
    return {"customers": len(customers), "baskets": len(histories.funnel), "detectors": found}


def metrics_of(scores: Array, changed: Flags) -> dict[str, float]:
    """ROC-AUC, average precision and precision among the first 50; ties in the order of funnels."""
    first = np.argsort(-scores, kind="stable")[:FIRST]
    return {
        "auc": float(roc_auc_score(changed, scores)),
        "ap": float(average_precision_score(changed, scores)),
        "p50": float(changed[first].mean()),
    }


def summary(found: dict[str, Any], seeds: Sequence[int], back: int) -> dict[str, Any]:
    """Figures of each detector and kind over the seeds."""
    return {
        "customers": found["customers"],
        "baskets": found["baskets"],
        "compared": "the last basket" if not back else f"the basket {back} before the last, later ones left out",
        "seeds": list(seeds),
        "detectors": {
            name: {kind: _summary(by_seed) for kind, by_seed in kinds.items()}
            for name, kinds in found["detectors"].items()
        },
    }


def table(scores: dict[str, Any]) -> str:
    """ROC-AUC / average precision / precision at 50 by detector and kind, means over seeds, as Markdown."""
    shown = list(next(iter(scores["detectors"].values())))
    lines = ["| detector | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for name, kinds in scores["detectors"].items():
        cells = [
            " / ".join(f"{figures[metric]['mean']:.3f}".lstrip("0") for metric in METRICS) for figures in kinds.values()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _summary(by_seed: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Mean, standard deviation over seeds and each seed's figure, by metric."""
    summary: dict[str, Any] = {}
    for metric in METRICS:
        values = [figures[metric] for figures in by_seed.values()]
        summary[metric] = spread(values, _DIGITS) | {"seeds": [round(value, _DIGITS) for value in values]}
    return summary


def _mean(by_seed: dict[str, dict[str, float]], metric: str) -> float:
    return float(np.mean([figures[metric] for figures in by_seed.values()]))


def _rows(trial: tuple[str, str, int], customers: np.ndarray, scores: Array, injected: Injected) -> pa.Table:
    """One row per eligible customer; the trial is detector, kind and seed."""
    name, kind, seed = trial
    count = int(injected.eligible.sum())
    return pa.table(
        {
            "detector": pa.array(np.repeat(name, count)).dictionary_encode(),
            "kind": pa.array(np.repeat(kind, count)).dictionary_encode(),
            "seed": pa.array(np.full(count, seed, np.int32)),
            "customer": pa.array(customers[injected.eligible], pa.string()),
            "score": pa.array(scores[injected.eligible]),
            "is_changed": pa.array(injected.changed[injected.eligible]),
        }
    )
