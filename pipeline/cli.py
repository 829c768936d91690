"""`larder`: what operators and merchandisers type. Each room offers its own commands; here they are only mounted."""

import typer

from pipeline.alerts.commands import app as alerts
from pipeline.benchmarks.commands import app as benchmark
from pipeline.erasure.commands import erase
from pipeline.evaluation.commands import app as model
from pipeline.lake import commands as lake
from pipeline.nightly import commands as nightly
from pipeline.page.commands import page
from pipeline.simulator.commands import app as simulate
from pipeline.sources.commands import app as source
from pipeline.training.commands import train

app = typer.Typer(help="Larder: raw sales in, stock-out and behaviour alerts out.", no_args_is_help=True)

app.command()(nightly.nightly)
app.command()(nightly.up)
app.command()(page)
app.command()(train)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})(
    nightly.airflow
)
app.add_typer(simulate, name="simulate")
app.add_typer(source, name="source")
app.add_typer(alerts, name="alerts")
app.add_typer(model, name="model")
app.add_typer(benchmark, name="benchmark")
for command in (lake.table, lake.versions, lake.rollback, lake.accept, erase):
    app.command()(command)


@app.command()
def settings() -> None:
    """Every setting as resolved from environment, files and defaults; secrets masked."""
    from pipeline.settings import Settings

    typer.echo(Settings().model_dump_json(indent=1))


if __name__ == "__main__":
    app()
