"""What a row of a table must satisfy, read off the table's contract.

Each check is one SQL predicate that is true for a bad row, so that all checks of a table are counted in one pass over
the data. Great Expectations then checks the counts: on a million rows its own row-level expectations take 5 to 25 s
each run, it lets NaN pass `between`, and it passes everything on an empty table.
"""

from dataclasses import dataclass
from datetime import date

from pipeline.tables.contract import Column, Table

FLOATING = ("double", "float")


@dataclass(frozen=True)
class Check:
    """`violation` is true for a row that breaks `rule`; null counts as not broken (nulls have a check of their own)."""

    column: str
    rule: str
    violation: str

    @property
    def metric(self) -> str:
        """The name of its count in the profile, in Data Docs and in messages."""
        return f"{self.column} {self.rule}"


def contract_checks(table: Table) -> list[Check]:
    """Nullability, finiteness, bounds, value sets and non-empty keys of every column, in contract order."""
    return [check for column in table.columns for check in _column_checks(column, is_key=column.name in table.key)]


def _column_checks(column: Column, *, is_key: bool) -> list[Check]:
    name = column.name
    checks = []
    if not column.nullable:
        checks.append(Check(name, "is not null", f"{name} IS NULL"))
    if column.kind in FLOATING:
        checks.append(Check(name, "is a finite number", f"isnan({name}) OR abs({name}) = double('infinity')"))
    if column.kind.startswith("array<"):
        checks.append(Check(name, "has no null element", f"exists({name}, element -> element IS NULL)"))
    if is_key and column.kind == "string":
        checks.append(Check(name, "is not blank", f"trim({name}) = ''"))
    if column.minimum is not None:
        checks.append(Check(name, f"is at least {column.minimum}", f"{name} < {_literal(column.minimum)}"))
    if column.maximum is not None:
        checks.append(Check(name, f"is at most {column.maximum}", f"{name} > {_literal(column.maximum)}"))
    if column.values:
        allowed = ", ".join(f"'{value}'" for value in column.values)
        literals = ", ".join(_literal(value) for value in column.values)
        checks.append(Check(name, f"is one of {allowed}", f"{name} NOT IN ({literals})"))
    return checks


def _literal(value: float | date | str) -> str:
    """The value in Spark SQL; a text may hold quotes and backslashes."""
    if isinstance(value, date):
        return f"date'{value.isoformat()}'"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return repr(value)
