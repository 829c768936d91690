"""`larder benchmark ...`: compare methods on public data sets and on one's own."""

import shlex
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from models.names import unknown_name
from pipeline.lake.lake import LakeError
from pipeline.sources.source import SourceError
from pipeline.terminal import errors_in_one_line

app = typer.Typer(help="Compare methods on the same customers, by the same metrics.", no_args_is_help=True)

EXPECTED = (FileNotFoundError, LakeError, SourceError, ValueError, RuntimeError)

AnyDataset = Annotated[str, typer.Option(help="reality-check (then PATH), tafeng, or a source")]
TaFengAlone = Annotated[str, typer.Option(help="tafeng, once fetched")]
DatasetPath = Annotated[str | None, typer.Argument(metavar="PATH", help="folder of reality-check")]
Out = Annotated[Path, typer.Option(help="folder for scores.json, table.md and the rows behind them")]
Models = Annotated[str | None, typer.Option(help="names, separated by commas", show_default="all")]
Seeds = Annotated[str, typer.Option(help="a range as 0..4, or numbers: 0,2,5")]
MeasuredOn = Annotated[str | None, typer.Option(metavar="DAY", help="day kept with the scores", show_default="today")]


@app.command("next-basket")
def next_basket(
    *,
    dataset: AnyDataset,
    models: Annotated[str, typer.Option(help="names, separated by commas")],
    out: Out,
    path: DatasetPath = None,
    protocol: Annotated[
        str, typer.Option(help="last-baskets, of customers drawn, or windows: a source's last five times 14 days")
    ] = "last-baskets",
    seeds: Annotated[str, typer.Option(help="a range as 0..4, or numbers: 0,2,5; with windows their numbers")] = "0",
    measured_on: MeasuredOn = None,
) -> None:
    """Rank the products of the next basket, by every method.

    Finished trials (a method and a seed or window) under --out are not run again.
    """
    from pipeline.benchmarks.next_basket.compare import compare, summary, table
    from pipeline.benchmarks.next_basket.trial import PROTOCOLS
    from pipeline.benchmarks.next_basket.windows import WINDOWS

    with errors_in_one_line(*EXPECTED):
        if protocol not in PROTOCOLS:
            raise ValueError(unknown_name("protocol", protocol, PROTOCOLS))
        in_windows = protocol == WINDOWS
        words = [*([protocol] if in_windows else []), *_words(dataset, path)]
        trials = compare(words, _names(models, ()), seeds_of(seeds), out, typer.echo)
        chosen: dict[str, Any] = {"protocol": protocol if in_windows else None, "seeds": seeds, "models": models}
        described = _described(measured_on, "next-basket", dataset, path, **chosen, out=out.name)
        _write(out, described, summary(trials, out), table)


@app.command("training-speed")
def training_speed(
    *,
    dataset: AnyDataset,
    torch_python: Annotated[Path, typer.Option(help="a Python with torch, which Larder does not install")],
    out: Out,
    path: DatasetPath = None,
    batches: Annotated[int, typer.Option(min=1, help="batches of a pass")] = 40,
    passes: Annotated[int, typer.Option(min=2, help="passes of a turn; the first is not counted")] = 4,
    turns: Annotated[int, typer.Option(min=1, help="turns of each program")] = 3,
    measured_on: MeasuredOn = None,
) -> None:
    """Baskets a second in training lens1000, beside torch."""
    from pipeline.benchmarks.training_speed.compare import compare, table

    with errors_in_one_line(*EXPECTED):
        words = _words(dataset, path)
        found = compare(words, torch_python, batches=batches, passes=passes, turns=turns, say=typer.echo)
        sizes = {"batches": batches, "passes": passes, "turns": turns}
        described = _described(
            measured_on, "training-speed", dataset, path, torch_python="PYTHON", **sizes, out=out.name
        )
        _write(out, described, found, table)


@app.command("stockouts")
def stockouts(
    *,
    dataset: Annotated[str, typer.Option(help="tafeng, once fetched, or a source that was ingested")],
    out: Out,
    models: Models = None,
    plans: Annotated[Path | None, typer.Option(help="supply plans, CSV", show_default="made from sales")] = None,
    measured_on: MeasuredOn = None,
) -> None:
    """Back-test demand forecasts and stock-out alerts on the last four weeks (three at least).

    Finished trials (a method and a week) under --out are not run again.
    """
    from pipeline.benchmarks.data.daily_sales import last_windows
    from pipeline.benchmarks.stockouts.compare import PAIR, TEST_WINDOWS, Comparison, compare, what_customers_add
    from pipeline.benchmarks.stockouts.methods import METHODS
    from pipeline.benchmarks.stockouts.page import table
    from pipeline.benchmarks.stockouts.supply_plans import make_plans, read_plans
    from pipeline.benchmarks.stockouts.trial import read_sales
    from pipeline.settings import Settings

    with errors_in_one_line(*EXPECTED):
        sales = read_sales(dataset)
        windows = TEST_WINDOWS if dataset == "tafeng" else last_windows(sales)
        supply = read_plans(plans, sales) if plans else {day: make_plans(sales, day) for day in windows}
        comparison = Comparison(dataset, sales, supply, Settings().demand.min_probability)
        chosen = _names(models, METHODS)
        scores = compare(comparison, chosen, out, typer.echo)
        summary = {
            "windows": [day.isoformat() for day in comparison.windows],
            "min_probability": comparison.min_probability,
            "customers": what_customers_add(comparison, out) if set(PAIR) <= set(chosen) else [],
            "models": scores,
        }
        described = _described(
            measured_on, "stockouts", dataset, plans="FILE" if plans else None, models=models, out=out.name
        )
        _write(out, described, summary, table)


@app.command("demand-routes")
def demand_routes(
    *,
    dataset: Annotated[str, typer.Option(help="a source whose sequences were built")],
    out: Out,
    measured_on: MeasuredOn = None,
) -> None:
    """Back-test the store's, the model's and the paper's route to demand on the last four weeks.

    The model is trained before each of two times four weeks; sums kept under --out are not made again.
    """
    from pipeline.benchmarks.demand_routes.compare import compare
    from pipeline.benchmarks.demand_routes.page import table
    from pipeline.benchmarks.stockouts.trial import read_sales

    with errors_in_one_line(*EXPECTED):
        found = compare(dataset, read_sales(dataset), out, typer.echo)
        _write(out, _described(measured_on, "demand-routes", dataset, out=out.name), found, table)


@app.command("anomalies")
def anomalies(
    *,
    dataset: TaFengAlone,
    out: Out,
    detectors: Annotated[str | None, typer.Option(help="names, separated by commas", show_default="all")] = None,
    seeds: Seeds = "0..2",
    kinds: Annotated[str | None, typer.Option(help="kinds of change, separated by commas", show_default="all")] = None,
    back: Annotated[int, typer.Option(help="leave out so many last baskets: to choose settings")] = 0,
    measured_on: MeasuredOn = None,
) -> None:
    """Find changes injected into customers' last baskets, by every detector."""
    from pipeline.benchmarks.anomalies.compare import compare, summary, table
    from pipeline.benchmarks.anomalies.injections import KINDS
    from pipeline.benchmarks.anomalies.methods import DETECTORS

    with errors_in_one_line(*EXPECTED):
        file, names, changes = _tafeng(dataset), _names(detectors, DETECTORS), _names(kinds, KINDS)
        found = compare(file, names, seeds_of(seeds), out, kinds=changes, back=back, say=typer.echo)
        chosen: dict[str, Any] = {"detectors": detectors, "kinds": kinds, "back": back or None}
        described = _described(measured_on, "anomalies", dataset, seeds=seeds, out=out.name, **chosen)
        _write(out, described, summary(found, seeds_of(seeds), back), table)


@app.command("time-to-next")
def time_to_next(
    *,
    dataset: TaFengAlone,
    out: Out,
    models: Annotated[str | None, typer.Option(help="names, separated by commas", show_default="all but LENS")] = None,
    seeds: Seeds = "0",
    measured_on: MeasuredOn = None,
) -> None:
    """Predict the days until the next basket, censored gaps included."""
    from pipeline.benchmarks.time_to_next.compare import compare, table
    from pipeline.benchmarks.time_to_next.methods import METHODS

    with errors_in_one_line(*EXPECTED):
        scores = compare(_tafeng(dataset), _names(models, METHODS), seeds_of(seeds), out, typer.echo)
        described = _described(measured_on, "time-to-next", dataset, seeds=seeds, models=models, out=out.name)
        _write(out, described, {"models": scores}, table)


@app.command("next-offer")
def next_offer(
    *,
    dataset: TaFengAlone,
    out: Out,
    models: Models = None,
    seeds: Seeds = "0..2",
    reading: Annotated[str, typer.Option(help="repeat, or adoption: first purchases alone")] = "repeat",
    part: Annotated[str, typer.Option(help="validation, to choose settings by, or test")] = "test",
    file: Annotated[Path | None, typer.Option(help="Ta-Feng's file", show_default="as fetched")] = None,
    measured_on: MeasuredOn = None,
) -> None:
    """Predict the next offer of each customer and the days until it.

    Finished trials (a method and a seed) under --out are not run again.
    """
    from pipeline.benchmarks.next_offer.compare import compare, table
    from pipeline.benchmarks.next_offer.methods import METHODS

    with errors_in_one_line(*EXPECTED):
        names = _names(models, METHODS)
        where = file or _tafeng(dataset)
        scores = compare(where, names, seeds_of(seeds), out, reading=reading, part=part, say=typer.echo)
        chosen: dict[str, Any] = {"reading": reading, "part": part}
        described = _described(
            measured_on,
            "next-offer",
            dataset,
            seeds=seeds,
            models=models,
            file="FILE" if file else None,
            **chosen,
            out=out.name,
        )
        _write(out, described, {"models": scores}, table)


@app.command("value")
def value(
    *,
    dataset: Annotated[str, typer.Option(help="tafeng, online_retail (then PATH), or a source")],
    out: Out,
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="file of tafeng or online_retail")] = None,
    models: Models = None,
    seeds: Seeds = "0..2",
    part: Annotated[str, typer.Option(help="validation, to choose settings by, or test")] = "test",
    horizon: Annotated[int | None, typer.Option(min=1, help="days that are expected, of a source")] = None,
    measured_on: MeasuredOn = None,
) -> None:
    """Expect baskets and spend of each customer, and how many customers the band holds.

    Finished trials (a method and a seed) under --out are not run again.
    """
    from pipeline.benchmarks.value.compare import compare, method_names, table

    with errors_in_one_line(*EXPECTED):
        names = _names(models, method_names())
        scores = compare(dataset, path, names, seeds_of(seeds), out, part=part, horizon=horizon, say=typer.echo)
        chosen: dict[str, Any] = {"part": part, "horizon": horizon}
        named = None if path is None else str(path)
        described = _described(measured_on, "value", dataset, named, seeds=seeds, models=models, **chosen, out=out.name)
        _write(out, described, {"models": scores}, table)


@app.command("returns")
def returns(
    *,
    dataset: Annotated[
        str, typer.Option(help="online_retail (then PATH), or a source that `larder run returns` ran for")
    ],
    out: Out,
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="CSV in the columns of UCI Online Retail")] = None,
    models: Models = None,
    seeds: Seeds = "0..2",
    part: Annotated[str, typer.Option(help="validation, to choose settings by, test, or test-as-published")] = "test",
    measured_on: MeasuredOn = None,
) -> None:
    """Predict which order lines come back, from what is known when the order is placed.

    Finished trials (a method and a seed) under --out are not run again.
    """
    from pipeline.benchmarks.returns.compare import compare, table
    from pipeline.benchmarks.returns.methods import METHODS

    with errors_in_one_line(*EXPECTED):
        names = _names(models, METHODS)
        scores = compare(dataset, path, names, seeds_of(seeds), out, part=part, say=typer.echo)
        named = None if path is None else str(path)
        described = _described(
            measured_on, "returns", dataset, named, seeds=seeds, models=models, part=part, out=out.name
        )
        _write(out, described, {"models": scores}, table)


@app.command("actions")
def actions(
    *,
    dataset: Annotated[str, typer.Option(help="sales (simulated), or a name for the log in PATH")],
    out: Out,
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="CSV: case, action, time")] = None,
    part: Annotated[
        str, typer.Option(help="test, or validation to choose by: the same within the first two thirds")
    ] = "test",
    models: Models = None,
    seeds: Seeds = "0",
    measured_on: MeasuredOn = None,
) -> None:
    """Predict the remaining actions of cases, by networks and by counts."""
    from pipeline.benchmarks.actions.compare import compare, table
    from pipeline.benchmarks.actions.methods import method_names

    with errors_in_one_line(*EXPECTED):
        chosen = _names(models, method_names(dataset))
        scores = compare(dataset, path, chosen, seeds_of(seeds), part=part, out=out, say=typer.echo)
        named = None if path is None else str(path)
        options = {"part": part, "seeds": seeds, "models": models, "out": out.name}
        described = _described(measured_on, "actions", dataset, named, **options)
        _write(out, described, {"models": scores}, table)


@app.command("styles")
def styles(
    *,
    dataset: Annotated[str, typer.Option(help="tafeng, or uci or fashion (then PATH)")],
    out: Out,
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="the file", show_default="as fetched")] = None,
    models: Models = None,
    seeds: Seeds = "0",
    part: Annotated[str, typer.Option(help="validation, to choose settings by, or test")] = "test",
    measured_on: MeasuredOn = None,
) -> None:
    """Rank everything in store by what each customer will buy.

    Finished trials (a method, a seed and a cutoff) under --out are not run again.
    """
    from pipeline.benchmarks.styles.compare import compare, table
    from pipeline.benchmarks.styles.methods import METHODS

    with errors_in_one_line(*EXPECTED):
        scores = compare(dataset, path, _names(models, METHODS), seeds_of(seeds), out, part=part, say=typer.echo)
        named, chosen = None if path is None else str(path), {"seeds": seeds, "models": models, "part": part}
        described = _described(measured_on, "styles", dataset, named, **chosen, out=out.name)
        _write(out, described, {"models": scores}, table)


def seeds_of(text: str) -> list[int]:
    """Seeds as written: `0..4` with both ends, or `0,2,5`. Raises ValueError for anything else."""
    try:
        if ".." in text:
            first, last = (int(end) for end in text.split(".."))
            return list(range(first, last + 1))
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"--seeds {text!r}: write a range as 0..4, or numbers separated by commas") from None


def _words(dataset: str, path: str | None) -> list[str]:
    return [dataset] if path is None else [dataset, path]


def _names(written: str | None, default: Iterable[str]) -> list[str]:
    return [name.strip() for name in written.split(",")] if written else list(default)


def _tafeng(dataset: str) -> Path:
    """Ta-Feng's file, for the benchmarks that are defined on it alone."""
    from pipeline.benchmarks.data.tafeng_lines import fetched_file

    if dataset != "tafeng":
        raise ValueError(unknown_name("data set for this benchmark", dataset, ["tafeng"]))
    return fetched_file()


def _described(
    measured_on: str | None, name: str, dataset: str, path: str | None = None, **options: Any
) -> dict[str, str]:
    """Data set, command and day, which stand beside the scores; the command names no path of this machine."""
    shown = Path(dataset).stem if dataset.endswith(".toml") else dataset
    words = ["larder", "benchmark", name, "--dataset", shown, *(["PATH"] if path else [])]
    for option, value in options.items():
        words += [] if value is None else [f"--{option.replace('_', '-')}", str(value)]
    return {"dataset": shown, "command": shlex.join(words), "measured_on": measured_on or str(date.today())}


def _write(
    out: Path,
    described: dict[str, str],
    scores: dict[str, Any],
    table: Callable[[dict[str, Any]], str],
) -> None:
    """Write scores.json and table.md, and show the table."""
    from pipeline.benchmarks.report.report import write_results

    typer.echo(write_results(out, described | scores, table))
