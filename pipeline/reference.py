"""The reference pages of tables, settings and sources in `docs`, made from the contracts and models themselves."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pipeline.action_rules import ActionRules
from pipeline.offer_rules import OfferRules
from pipeline.settings import REPOSITORY, Settings
from pipeline.sources.layout import Layout
from pipeline.sources.proposal import toml_value
from pipeline.sources.source import Source
from pipeline.tables.catalog import TABLES
from pipeline.tables.contract import Column, Table

HEADER = "<!-- Made by `make docs` from the code; edit the contract or the setting, not this page. -->\n"


def tables_page() -> str:
    """Markdown: one section per table of the lake, in the order the night makes them."""
    sections = [_table_section(table) for table in TABLES.values()]
    return f"{HEADER}\n# Tables\n\n" + "\n".join(sections)


def settings_page() -> str:
    """Markdown: every setting with its environment variable, default and meaning."""
    lines = [
        HEADER,
        "# Settings",
        "",
        "Read, strongest first: environment variables, a `.env` file, a file per secret in `LARDER_SECRETS_DIR`,",
        "then the TOML file that `LARDER_CONFIG` names (default `larder.toml`, optional; secrets are refused there).",
        "`larder settings` prints them resolved, secrets masked.",
        "",
        "| environment variable | default | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in _settings(Settings, "LARDER_")]
    return "\n".join(lines) + "\n"


def sources_page() -> str:
    """Markdown: every key of a source's description, section by section, with its values, default and an example."""
    lines = [
        HEADER.replace("the contract or the setting", "the field of the description"),
        "# Sources",
        "",
        "A retailer's files are described in one TOML file. `larder source init FILE...` proposes it, `larder source",
        "check my.toml` tries it on all files and says which key would mend what, `make nightly SOURCE=my.toml`",
        "runs a night. Paths are relative to the TOML file. `{date}` in a file name stands for a day,",
        "`{date:%Y%m%d}` for one that is not written like 2026-01-31. Hidden files, locks and half copies are",
        "skipped and named.",
        "",
        "The keys of the first section stand at the top for the sales files, and again in each section for its files.",
        "Why deliveries add and what they replace: [redelivery](decisions/2026-11-28__redelivery.md). What becomes of",
        "lines without a customer: [sales without a customer](decisions/2026-11-28__sales_without_customer.md).",
    ]
    layout = {name: field for name, field in Layout.model_fields.items() if name != "constants"}
    lines += _keys("How files are written", Layout.model_fields)
    own = {name: field for name, field in Source.model_fields.items() if name not in Layout.model_fields}
    lines += _keys("The source", {name: field for name, field in own.items() if _section(field) is None})
    for name, field in own.items():
        if (section := _section(field)) is not None:
            lines += _keys(f"[{name}]", {key: each for key, each in section.model_fields.items() if key not in layout})
            for key, each in section.model_fields.items():
                if (part := _section(each)) is not None:
                    title = f"[{name}.{key}]" if key == "columns" else f"[[{name}.{key}]]: {each.description}"
                    lines += _keys(title, part.model_fields)
    return "\n".join(lines) + "\n"


def _keys(title: str, fields: dict[str, FieldInfo]) -> list[str]:
    cells = [
        [f"`{name}`", field.description or "", _values(field), _toml_default(field), _example(name, field)]
        for name, field in ((field.alias or name, field) for name, field in fields.items())
        if _section(field) is None
    ]
    rows = [f"| {' | '.join(row)} |" for row in cells]
    return ["", f"## {title}", "", "| key | meaning | values | default | example |", "|---|---|---|---|---|", *rows]


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a key that is a section of its own."""
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _values(field: FieldInfo) -> str:
    """What a key takes: its choices, or its type with its bounds."""
    kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if kind is not type(None)]
    choices = next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), None)
    if choices is None and all(isinstance(kind, str) for kind in get_args(field.annotation)):
        choices = get_args(field.annotation)
    if choices:
        return ", ".join(f"`{toml_value(choice)}`" for choice in choices)
    low = next((bound.ge for bound in field.metadata if hasattr(bound, "ge")), None)
    high = next((bound.le for bound in field.metadata if hasattr(bound, "le")), None)
    words = {
        str: "text",
        date: "day",
        int: "whole number",
        float: "number",
        bool: "true or false",
        tuple: "list",
        dict: "table",
    }
    origins = [get_origin(kind) for kind in kinds]
    kind = next((words[each] for each in [*origins, *kinds] if each in words), "text")
    return f"{kind}, {low} to {high}" if high is not None and low is not None else kind


def _toml_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "unset" if field.default is None else _code(toml_value(field.default))


def _example(name: str, field: FieldInfo) -> str:
    return _code(f"{name} = {toml_value(field.examples[0])}") if field.examples else ""


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def write_reference(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables.md").write_text(tables_page())
    (folder / "settings.md").write_text(settings_page())
    (folder / "sources.md").write_text(sources_page())


def _table_section(table: Table) -> str:
    key = ", ".join(table.key)
    partition = f" Partitioned by {', '.join(table.partition)}." if table.partition else ""
    kept = f" Versions of the last {table.keep_days} days are kept." if table.keep_days else ""
    rows = "\n".join(
        f"| `{column.name}` | `{column.kind}` | {column.unit} | {column.meaning}{_limits(column)} |"
        for column in table.columns
    )
    return (
        f"## {table.name}\n\nOne row: {table.grain}. Key: {key}.{partition}{kept}\n\n"
        f"| column | type | unit | meaning |\n|---|---|---|---|\n{rows}\n"
    )


def _limits(column: Column) -> str:
    limits = "; may be null" if column.nullable else ""
    if column.values:
        limits += "; one of " + ", ".join(f"`{value}`" for value in column.values)
    return limits


def _settings(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        section = field.annotation
        if section in (OfferRules, ActionRules):
            continue  # the source's description says it
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _settings(section, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", _default(field), field.description or ""


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, Path) and value.is_relative_to(REPOSITORY):
        return f"`{value.relative_to(REPOSITORY)}` in the checkout"
    if value is None or isinstance(value, SecretStr):
        return "unset"
    return f"`{value}`"


if __name__ == "__main__":
    write_reference(REPOSITORY / "docs")
