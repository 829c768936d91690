"""`larder benchmark ...`: compare methods on public data sets and on one's own."""

import shlex
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from models.names import unknown_name
from pipeline.lake.lake import LakeError
from pipeline.sources.source import SourceError
from pipeline.terminal import errors_in_one_line

app = typer.Typer(help="Benchmarks: every method on the same customers, by the same metrics.", no_args_is_help=True)

EXPECTED = (FileNotFoundError, LakeError, SourceError, ValueError, RuntimeError)


@app.command("next-basket")
def next_basket(
    *,
    dataset: Annotated[str, typer.Option(help="reality-check (then name its folder), tafeng, or a source")],
    models: Annotated[str, typer.Option(help="names, separated by commas")],
    out: Annotated[Path, typer.Option(help="folder for scores.json, rankings.parquet, table.md and the trials")],
    path: Annotated[str | None, typer.Argument(help="folder of the data set, where it has one")] = None,
    seeds: Annotated[str, typer.Option(help="a range as 0..4, or numbers separated by commas")] = "0",
    measured_on: Annotated[str | None, typer.Option(help="day to write beside the scores; default today")] = None,
) -> None:
    """Rank the next basket's products for test customers by every method, and compare.

    A method and seed that is finished under --out is not done again.
    """
    from pipeline.benchmarks.next_basket.compare import compare, write

    words = [dataset] if path is None else [dataset, path]
    with errors_in_one_line(*EXPECTED):
        trials = compare(words, [name.strip() for name in models.split(",")], seeds_of(seeds), out, typer.echo)
        # A folder's place on this machine is nobody else's.
        shown = ["larder", "benchmark", "next-basket", "--dataset", dataset, *(["PATH"] if path else [])]
        shown += ["--seeds", seeds, "--models", models, "--out", out.name]
        typer.echo(write(trials, out, shlex.join(shown), measured_on or str(date.today())))


@app.command("training-speed")
def training_speed(
    *,
    dataset: Annotated[str, typer.Option(help="reality-check (then name its folder), tafeng, or a source")],
    torch_python: Annotated[Path, typer.Option(help="a Python that has torch and NumPy; Larder brings no torch")],
    out: Annotated[Path, typer.Option(help="folder for scores.json and table.md")],
    path: Annotated[str | None, typer.Argument(help="folder of the data set, where it has one")] = None,
    batches: Annotated[int, typer.Option(min=1, help="batches of a pass")] = 40,
    passes: Annotated[int, typer.Option(min=2, help="passes of a turn, the first of which does not count")] = 4,
    turns: Annotated[int, typer.Option(min=1, help="turns of each")] = 3,
    measured_on: Annotated[str | None, typer.Option(help="day to write beside the scores; default today")] = None,
) -> None:
    """Baskets a second that lens1000 learns from, beside the same model in torch."""
    from pipeline.benchmarks.training_speed.compare import compare, write

    words = [dataset] if path is None else [dataset, path]
    with errors_in_one_line(*EXPECTED):
        found = compare(words, torch_python, batches=batches, passes=passes, turns=turns, say=typer.echo)
        shown = ["larder", "benchmark", "training-speed", "--dataset", dataset, *(["PATH"] if path else [])]
        shown += ["--torch-python", "PYTHON", "--batches", str(batches), "--passes", str(passes)]
        shown += ["--turns", str(turns), "--out", out.name]
        typer.echo(write(found, out, shlex.join(shown), measured_on or str(date.today())))


@app.command("stockouts")
def stockouts(
    *,
    dataset: Annotated[str, typer.Option(help="tafeng")],
    out: Annotated[Path, typer.Option(help="folder for scores.json, forecasts.parquet, table.md and the trials")],
    models: Annotated[str | None, typer.Option(help="names, separated by commas; default: all")] = None,
    plans: Annotated[Path | None, typer.Option(help="supply plans (CSV); default: made from sales, seeded")] = None,
    measured_on: Annotated[str | None, typer.Option(help="day to write beside the scores; default today")] = None,
) -> None:
    """Back-test demand forecasts and stock-out alerts over the last four weeks, ours beside others'.

    A method and window that is finished under --out is not done again.
    """
    from pipeline.benchmarks.data.daily_sales import read_tafeng
    from pipeline.benchmarks.stockouts.compare import PAIR, TEST_WINDOWS, Comparison, compare, what_customers_add, write
    from pipeline.benchmarks.stockouts.methods import METHODS
    from pipeline.benchmarks.stockouts.supply_plans import make_plans, read_plans
    from pipeline.settings import Settings
    from pipeline.sources.tafeng import MEMBER
    from pipeline.workspace import Workspace

    with errors_in_one_line(*EXPECTED):
        if dataset != "tafeng":
            raise ValueError(unknown_name("data set for stock-outs", dataset, ["tafeng"]))
        settings = Settings()
        file = Workspace.of(settings, "tafeng").raw / Path(MEMBER).name
        sales = read_tafeng(file)
        supply = read_plans(plans, sales) if plans else {day: make_plans(sales, day) for day in TEST_WINDOWS}
        comparison = Comparison(sales, file, supply, settings.demand.min_probability)
        chosen = [name.strip() for name in models.split(",")] if models else list(METHODS)
        scores = compare(comparison, chosen, out, typer.echo)
        shown = ["larder", "benchmark", "stockouts", "--dataset", dataset, *(["--plans", "FILE"] if plans else [])]
        shown += [*(["--models", models] if models else []), "--out", out.name]
        described = {
            "dataset": dataset,
            "command": shlex.join(shown),
            "measured_on": measured_on or str(date.today()),
            "windows": [day.isoformat() for day in comparison.windows],
            "min_probability": comparison.min_probability,
            "customers": what_customers_add(comparison, out) if set(PAIR) <= set(chosen) else [],
        }
        typer.echo(write(scores, out, described))


@app.command("anomalies")
def anomalies(
    *,
    dataset: Annotated[str, typer.Option(help="tafeng: the one with injected changes")],
    out: Annotated[Path, typer.Option(help="folder for scores.json, customers.parquet and table.md")],
    detectors: Annotated[str | None, typer.Option(help="names, separated by commas; default all")] = None,
    seeds: Annotated[str, typer.Option(help="a range as 0..2, or numbers separated by commas")] = "0..2",
    kinds: Annotated[str | None, typer.Option(help="of change, separated by commas; default all")] = None,
    back: Annotated[int, typer.Option(help="judge the basket so many before the last: to choose, not to report")] = 0,
    measured_on: Annotated[str | None, typer.Option(help="day to write beside the scores; default today")] = None,
) -> None:
    """Find changes injected into the last baskets of Ta-Feng's customers, by every detector, and compare."""
    from pipeline.benchmarks.anomalies.compare import compare, write
    from pipeline.benchmarks.anomalies.injections import KINDS
    from pipeline.benchmarks.anomalies.methods import DETECTORS
    from pipeline.benchmarks.data.tafeng import fetched_file

    with errors_in_one_line(*EXPECTED):
        if dataset != "tafeng":
            raise ValueError(unknown_name("data set for injected changes", dataset, ["tafeng"]))
        names = list(DETECTORS) if detectors is None else [name.strip() for name in detectors.split(",")]
        changes = list(KINDS) if kinds is None else [kind.strip() for kind in kinds.split(",")]
        found = compare(fetched_file(), names, seeds_of(seeds), out, kinds=changes, back=back, say=typer.echo)
        shown = ["larder", "benchmark", "anomalies", "--dataset", dataset, "--seeds", seeds, "--out", out.name]
        shown += (["--detectors", detectors] if detectors else []) + (["--kinds", kinds] if kinds else [])
        shown += ["--back", str(back)] if back else []
        day = measured_on or str(date.today())
        typer.echo(write(found, seeds_of(seeds), out, back=back, command=shlex.join(shown), measured_on=day))


@app.command("time-to-next")
def time_to_next(
    *,
    dataset: Annotated[str, typer.Option(help="tafeng")],
    out: Annotated[Path, typer.Option(help="folder for scores.json, predicted.parquet and table.md")],
    models: Annotated[str | None, typer.Option(help="names, separated by commas; default: all but LENS")] = None,
    seeds: Annotated[str, typer.Option(help="a range as 0..4, or numbers separated by commas")] = "0",
    measured_on: Annotated[str | None, typer.Option(help="day to write beside the scores; default today")] = None,
) -> None:
    """Predict days until the next basket, gaps that have not ended included, by every method."""
    from pipeline.benchmarks.data.tafeng import fetched_file
    from pipeline.benchmarks.time_to_next.compare import compare, write
    from pipeline.benchmarks.time_to_next.methods import METHODS

    with errors_in_one_line(*EXPECTED):
        if dataset != "tafeng":
            raise ValueError(unknown_name("data set for days until the next basket", dataset, ["tafeng"]))
        chosen = [name.strip() for name in models.split(",")] if models else list(METHODS)
        scores = compare(fetched_file(), chosen, seeds_of(seeds), out, typer.echo)
        shown = ["larder", "benchmark", "time-to-next", "--dataset", dataset, "--seeds", seeds]
        shown += [*(["--models", models] if models else []), "--out", out.name]
        described = {"dataset": dataset, "command": shlex.join(shown), "measured_on": measured_on or str(date.today())}
        typer.echo(write(scores, out, described))


def seeds_of(text: str) -> list[int]:
    """Seeds as written: `0..4` with both ends, or `0,2,5`. Raises ValueError for anything else."""
    try:
        if ".." in text:
            first, last = (int(end) for end in text.split(".."))
            return list(range(first, last + 1))
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"--seeds {text!r}: write a range as 0..4, or numbers separated by commas") from None
