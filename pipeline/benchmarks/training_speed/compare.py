"""Training speed of lens1000 beside the same model in torch: the same batches and processors, in turns.

    python -m pipeline.benchmarks.training_speed.compare BATCHES.npz OUT.json --products V --passes 4  (one turn)

Every step computes a full softmax over all products. A turn is a process of its own that trains on the batches several
times; its first pass, which traces graphs and allocates memory, is not counted. Larder's turn is the nightly loop.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from models.basket_sequences import BasketSequences
from models.special_ids import END, FIRST_PRODUCT
from pipeline.benchmarks.subprocesses import run_module, run_program
from pipeline.dataset.batch import Batch
from pipeline.settings import TrainingSettings

ARCHITECTURE = "lens1000"
OURS, TORCH = "larder", "torch"
TORCH_PROGRAM = Path(__file__).with_name("torch_lens.py")


def compare(
    dataset: list[str], torch_python: Path, *, batches: int, passes: int, turns: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Baskets a second of each, median over turns of the median pass; and how many times torch's speed ours is.

    Raises: RuntimeError: where a turn fails, with the end of its error output.
    """
    from pipeline.benchmarks.data.catalog import open_dataset
    from pipeline.benchmarks.next_basket.lens import LensMethod

    fold = open_dataset(dataset).fold(0)
    method = LensMethod(ARCHITECTURE, seed=0)
    data = method.data(fold.train, fold.validation, fold.histories)
    size = TrainingSettings().batch_size
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "batches.npz"
        made = {number: data.batch(number, size) for number in range(batches)}
        stored: dict[str, Any] = {
            f"{number}/{name}": array for number, batch in made.items() for name, array in batch.items()
        }
        np.savez(file, **stored)
        rates: dict[str, list[float]] = {OURS: [], TORCH: []}
        for turn in range(turns):
            for name, seconds_of in ((TORCH, _torch_by(torch_python)), (OURS, _ours)):
                seconds = seconds_of(file, fold.train.n_products, passes)
                rates[name].append(batches * size / median(seconds[1:]))
                say(f"turn {turn + 1}, {name}: {rates[name][-1]:.0f} baskets a second")
    return {
        "architecture": ARCHITECTURE,
        "products": fold.train.n_products,
        "baskets_per_second": {name: [round(rate, 1) for rate in each] for name, each in rates.items()},
        "times_torch": round(median(ours / theirs for ours, theirs in zip(rates[OURS], rates[TORCH], strict=True)), 2),
    }


def table(scores: dict[str, Any]) -> str:
    """Baskets a second by turn, as Markdown."""
    rates = scores["baskets_per_second"]
    turns = range(1, len(rates[OURS]) + 1)
    lines = [
        "| baskets a second | " + " | ".join(f"turn {turn}" for turn in turns) + " | median |",
        "|---" * (len(turns) + 2) + "|",
    ]
    for name, each in rates.items():
        lines.append(f"| {name} | " + " | ".join(f"{rate:.0f}" for rate in [*each, median(each)]) + " |")
    said = f"{scores['architecture']}, {scores['products']:,} products: {scores['times_torch']} times torch's speed"
    return "\n".join([*lines, "", f"{said}, in the median turn."]) + "\n"


def _ours(file: Path, n_products: int, passes: int) -> list[float]:
    out = file.with_name("ours.json")
    arguments = [str(file), str(out), "--products", str(n_products), "--passes", str(passes)]
    run_module("pipeline.benchmarks.training_speed.compare", arguments, OURS)
    seconds: list[float] = json.loads(out.read_text())
    return seconds


def _torch_by(python: Path) -> Callable[[Path, int, int], list[float]]:
    def run(file: Path, n_products: int, passes: int) -> list[float]:
        arguments = ["--products", str(n_products), "--passes", str(passes), "--threads", str(os.cpu_count())]
        said = run_program([str(python), str(TORCH_PROGRAM), str(file), *arguments], TORCH)
        seconds: list[float] = json.loads(said)["seconds"]
        return seconds

    return run


class StoredBatches:
    """The batches of a file as training data, nothing to validate."""

    def __init__(self, file: Path, n_products: int) -> None:
        self._batches: dict[int, Batch] = {}
        with np.load(file) as stored:
            for key in stored:
                number, _, name = key.partition("/")
                self._batches.setdefault(int(number), {})[name] = stored[key]
        self.product_keys = np.arange(n_products, dtype=np.int64) * (np.arange(n_products) >= FIRST_PRODUCT)
        self.customer_keys = np.zeros(1, np.int64)
        self.product_counts = np.ones(n_products)
        self.product_counts[END] = n_products

    def known(self) -> BasketSequences:
        """Nobody."""
        return BasketSequences.of_nobody(len(self.product_keys))

    def steps_per_epoch(self, batch_size: int) -> int:
        """All of them once."""
        return len(self._batches)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """In their order, again and again."""
        return self._batches[step % len(self._batches)]

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """None."""
        yield from ()


def main() -> None:
    """One turn of Larder: seconds of each pass, from the history of the training."""
    from pipeline.tasks.next_basket import NextBasket
    from pipeline.training.history import read_history
    from pipeline.training.spec import TrainingFolder
    from pipeline.training.train import train_alone

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batches", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--products", type=int, required=True)
    parser.add_argument("--passes", type=int, required=True)
    asked = parser.parse_args()
    settings = TrainingSettings(
        architecture=ARCHITECTURE, workers=1, epochs=asked.passes, max_steps=10**9, patience=asked.passes
    ).model_copy(update={"checkpoint_steps": 10**9})
    with tempfile.TemporaryDirectory() as folder:
        spec = TrainingFolder(folder=Path(folder), settings=settings)
        train_alone(NextBasket(), spec, StoredBatches(asked.batches, asked.products))
        asked.out.write_text(json.dumps([epoch["seconds"] for epoch in read_history(spec.history_path)]))


if __name__ == "__main__":
    main()
