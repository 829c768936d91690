"""`larder`: what operators and merchandisers type."""

import typer

app = typer.Typer(help="Larder: raw sales in, stock-out and behaviour alerts out.", no_args_is_help=True)

if __name__ == "__main__":
    app()
