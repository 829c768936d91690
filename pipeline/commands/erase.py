"""`larder erase`: a customer who wants to be forgotten."""

from typing import Annotated

import typer

from pipeline.lake.lake import LakeError
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace


def erase(
    customer: Annotated[str, typer.Option(help="the customer's id as delivered, or its pseudonym")],
    source: Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")] = None,
) -> None:
    """Remove a customer from every table, prediction and alert, and mark the models that were trained on it."""
    from pipeline.alerts.store import AlertStoreError
    from pipeline.erasure.erase import delivered_files_with, erase
    from pipeline.nightly.running import NightFailed
    from pipeline.sources.pseudonyms import customer_key

    with errors_in_one_line(SourceError, LakeError, AlertStoreError, NightFailed, OSError):
        settings = Settings()
        described = load_source(settings.source if source is None else source)
        key = None
        if described.customers.pseudonymise and settings.customer_key is None:
            typer.echo("LARDER_CUSTOMER_KEY is not set, so the id is taken for the pseudonym itself", err=True)
        else:
            key = customer_key(settings, described)
        done = erase(settings, described, customer, key)
        rows: list[list[object]] = [
            [table, ", ".join(versions), sum(versions.values())] for table, versions in done.lake.items()
        ]
        rows += [[table, "alert store", count] for table, count in done.alerts.items() if count]
        rows += [["records and logs", "all runs", done.records]] if done.records else []
        rows += [["models", ", ".join(done.models), "to be retrained"]] if done.models else []
        if done.is_empty:
            typer.echo(f"nothing of customer {customer} is kept for source {described.name}")
        else:
            columns = {"removed from": "left", "versions": "fold", "rows": "right"}
            print_table(f"customer {customer} of source {described.name}", columns, rows)
        try:
            files = delivered_files_with(described, Workspace.of(settings, described.name), customer)
        except SourceError:
            files = []  # there are none any more
    if files:
        shown = ", ".join(str(path) for path in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        typer.echo(f"the delivered files are yours to correct: {shown} still name the customer")
