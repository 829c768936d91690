"""The reference pages `docs/tables.md` and `docs/settings.md`, made from the contracts and settings themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pipeline.settings import REPOSITORY, Settings
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


def write_reference(folder: Path) -> None:
    """Write both pages."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables.md").write_text(tables_page())
    (folder / "settings.md").write_text(settings_page())


def _table_section(table: Table) -> str:
    key = ", ".join(table.key)
    partition = f" Partitioned by {', '.join(table.partition)}." if table.partition else ""
    rows = "\n".join(
        f"| `{column.name}` | `{column.kind}` | {column.unit} | {column.meaning}{_limits(column)} |"
        for column in table.columns
    )
    return (
        f"## {table.name}\n\nOne row: {table.grain}. Key: {key}.{partition}\n\n"
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
