"""`larder`: what operators and merchandisers type. Each room offers its own commands; here they are only mounted."""

import typer

from models.refusal import Refusal
from pipeline.commands import nightly, styles, tables
from pipeline.commands.actions import app as actions
from pipeline.commands.alerts import app as alerts
from pipeline.commands.benchmark import app as benchmark
from pipeline.commands.customers import app as customers
from pipeline.commands.erase import erase
from pipeline.commands.model import app as model
from pipeline.commands.offers import app as offers
from pipeline.commands.page import page
from pipeline.commands.returns import app as returns
from pipeline.commands.simulate import app as simulate
from pipeline.commands.source import app as source
from pipeline.commands.train import train
from pipeline.settings import Settings
from pipeline.terminal import errors_in_one_line
from pipeline.text import without_passwords

app = typer.Typer(help="Larder: raw sales in, stock-out and behaviour alerts out.", no_args_is_help=True)


@app.callback()
def check_settings() -> None:
    """A wrong setting ends every command before it begins, in one line."""
    with errors_in_one_line(Refusal):
        Settings()


app.command()(nightly.nightly)
app.command()(nightly.run)
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
app.add_typer(offers, name="offers")
app.add_typer(actions, name="actions")
app.add_typer(customers, name="customers")
app.add_typer(returns, name="returns")
app.add_typer(styles.app, name="styles")
app.add_typer(styles.items, name="items")
app.add_typer(benchmark, name="benchmark")
for command in (tables.table, tables.versions, tables.rollback, tables.accept, erase):
    app.command()(command)


@app.command()
def settings() -> None:
    """Every setting as resolved from environment, files and defaults; secrets masked, also those inside addresses."""
    typer.echo("\n".join(map(without_passwords, Settings().model_dump_json(indent=1).splitlines())))


def main(arguments: list[str]) -> None:
    """Run `larder` with these arguments; raises SystemExit with its status, as a process of its own would end."""
    app(arguments, prog_name="larder")


if __name__ == "__main__":
    app()
