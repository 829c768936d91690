"""Sessionizing measured: Spark's baskets and sequences against DuckDB and Polars doing the same work.

    make benchmark-sessionize                 10 million lines, about a quarter of an hour on 2 cores
    make benchmark-sessionize LINES=100000    a first look

Each engine runs in a process of its own, twice; the second run is reported (warm JVM, warm page cache). CPU-seconds and
peak memory are those of the whole process tree, memory sampled ten times a second and summed over processes as their
proportional set size: by resident size a process would count twice at the moment it forks. The contents of the three
tables are compared afterwards.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import psutil

from pipeline.settings import SequenceSettings
from spark_jobs.benchmarks.content import content_hashes
from spark_jobs.benchmarks.lines import BUSINESS_DATE, write_lines

ENGINES = ("spark", "duckdb", "polars")
RUNS = 2
GIGABYTE = 1e9


class Engine(Protocol):
    """What an engine offers: the whole work from lines to three tables."""

    def run(self, lines: Path, out: Path, business_date: date, settings: SequenceSettings) -> None:
        """Write `baskets`, `vocabulary` and `sequences` under `out`."""


def engine_called(name: str) -> Engine:
    """The engine, imported only here, so that each process loads its own alone."""
    if name == "spark":
        from spark_jobs.benchmarks.spark_engine import SparkEngine

        return SparkEngine()
    if name == "duckdb":
        from spark_jobs.benchmarks.duckdb_engine import DuckdbEngine

        return DuckdbEngine()
    from spark_jobs.benchmarks.polars_engine import PolarsEngine

    return PolarsEngine()


def measure(name: str, lines: Path, out: Path) -> dict[str, float]:
    """Seconds, CPU-seconds and peak memory of the last run of this process's engine."""
    engine = engine_called(name)
    figures: dict[str, float] = {}
    for number in range(RUNS):
        shutil.rmtree(out, ignore_errors=True)
        with _PeakMemory() as memory:
            cpu, started = _cpu_seconds(), time.monotonic()
            engine.run(lines, out, BUSINESS_DATE, SequenceSettings())
            figures = {
                "first_seconds": figures.get("seconds", 0.0),
                "seconds": round(time.monotonic() - started, 2),
                "cpu_seconds": round(_cpu_seconds() - cpu, 2),
            }
        figures["peak_gb"] = round(memory.peak / GIGABYTE, 2)
        print(f"{name} run {number + 1}: {figures}", file=sys.stderr, flush=True)
    return figures


def report(results: dict[str, Any], lines: int, measured_on: str) -> str:
    """The figures as a Markdown page."""
    rows = []
    for name, result in results.items():
        wall = result["seconds"] / results["duckdb"]["seconds"]
        rows.append(
            f"| {name} | {result['seconds']} | {wall:.1f} | {result['cpu_seconds']} | {result['peak_gb']} "
            f"| {result['first_seconds']} |"
        )
    hashes = "\n".join(f"| {name} | {digest} |" for name, digest in results["spark"]["hashes"].items())
    equal = all(result["hashes"] == results["spark"]["hashes"] for result in results.values())
    return (
        f"# Sessionizing {lines:,} lines\n\n"
        f"`make benchmark-sessionize LINES={lines}`, measured on {measured_on}, {psutil.cpu_count()} cores, "
        f"load {psutil.getloadavg()[0]:.1f} at the end.\n"
        "Lines (Parquet) to baskets, vocabulary and sequences (Parquet); the second run of each engine.\n\n"
        "| engine | seconds | times DuckDB | CPU-seconds | peak GB | first run, seconds |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Contents of the three tables {'are equal' if equal else 'DIFFER'} in all engines; Spark's:\n\n"
        f"| table | content |\n|---|---|\n{hashes}\n"
    )


def main(argv: list[str] | None = None) -> None:
    """Generate the lines, measure every engine in its own process, compare, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, required=True, help="folder for lines, tables and the report")
    parser.add_argument("--measured-on", default="an unnamed day", help="day to print in the report")
    parser.add_argument("--engine", choices=ENGINES, help="measure this one only and print its figures as JSON")
    arguments = parser.parse_args(argv)
    lines = arguments.out / f"lines_{arguments.lines}"
    if arguments.engine:
        print(json.dumps(measure(arguments.engine, lines, arguments.out / arguments.engine)))
        return
    if not (lines / "_written").is_file():
        shutil.rmtree(lines, ignore_errors=True)
        write_lines(lines, arguments.lines)
        (lines / "_written").touch()
    results: dict[str, Any] = {}
    for name in ENGINES:
        command = [sys.executable, "-m", "spark_jobs.benchmarks.sessionize", "--engine", name]
        command += ["--lines", str(arguments.lines), "--out", str(arguments.out)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
        results[name]["hashes"] = content_hashes(arguments.out / name)
    page = report(results, arguments.lines, arguments.measured_on)
    (arguments.out / "sessionize.json").write_text(json.dumps(results, indent=1))
    (arguments.out / "sessionize.md").write_text(page)
    print(page)


class _PeakMemory:
    """Largest memory of this process and its children, sampled in a thread; pages they share count once."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "_PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, sum(_of_tree(lambda process: process.memory_full_info().pss)))


def _cpu_seconds() -> float:
    def of(process: psutil.Process) -> float:
        spent = process.cpu_times()
        return spent.user + spent.system + spent.children_user + spent.children_system

    return sum(_of_tree(of))


def _of_tree(figure: Any) -> list[float]:
    own = psutil.Process()
    figures = []
    for process in (own, *own.children(recursive=True)):
        try:
            figures.append(figure(process))
        except psutil.NoSuchProcess:
            continue
    return figures


if __name__ == "__main__":
    main()
