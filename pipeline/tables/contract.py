"""What a table promises: columns, types, units, key, bounds. Jobs, gates, exports and docs all read this one page."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Column:
    """One column; `kind` is a Spark SQL type (`bigint`, `array<struct<product_id:string,quantity:double>>`)."""

    name: str
    kind: str
    meaning: str
    unit: str = ""
    nullable: bool = False
    minimum: float | date | None = None
    maximum: float | date | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of the lake: every row is one `grain`, identified by `key`."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: tuple[str, ...] = ()
    # Every version holds all days delivered so far, so that the latest written is always the one to read.
    cumulative: bool = False
    min_rows: int = 1
    # A version with fewer than this share of the previous version's rows, or more than the inverse, is refused.
    min_row_ratio: float = 0.5
    owner: str = "data engineering"
    # Versions of business dates up to so many days before the latest one stay, beside the newest `keep_versions`.
    keep_days: int = 0
    notes: str = field(default="", compare=False)

    @property
    def ddl(self) -> str:
        """Spark DDL of the schema, in column order."""
        return ", ".join(f"{column.name} {column.kind}" for column in self.columns)

    @property
    def column_names(self) -> list[str]:
        """Names in order."""
        return [column.name for column in self.columns]
