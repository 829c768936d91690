"""Count what is wrong with a table in one pass: one row of numbers for Great Expectations.

Spark does the counting through SQL text, so this room needs nothing of Spark's library: frames come in as arguments.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.expectations.checks import Check, contract_checks
from pipeline.expectations.deliveries import delivery_failures
from pipeline.expectations.rules import ALSO_UNIQUE, CONSTANT, table_rules
from pipeline.lake.lake import Manifest
from pipeline.tables.catalog import table as contract

ROWS = "rows"


class Frame(Protocol):
    """What the audit needs of a Spark DataFrame."""

    @property
    def sparkSession(self) -> Any: ...

    def selectExpr(self, *expressions: str) -> "Frame": ...

    def where(self, condition: str) -> "Frame": ...

    def groupBy(self, *columns: str) -> Any: ...

    def limit(self, rows: int) -> "Frame": ...

    def collect(self) -> list[Any]: ...


@dataclass
class Profile:
    """Rows, for every check the rows that break it, and what the manifest states of its delivery."""

    rows: int
    violations: dict[str, int]
    checks: dict[str, Check] = field(repr=False)
    stated: dict[str, list[str]] = field(repr=False, default_factory=dict)


def profile(frame: Frame, manifest: Manifest) -> Profile:
    """Count the rows of `frame` and the violations of its contract and rules."""
    table = contract(manifest.table)
    checks = contract_checks(table) + table_rules(manifest)
    constant = CONSTANT.get(table.name, ())
    (counts,) = frame.selectExpr(
        "count(*)",
        *(f"count_if({check.violation})" for check in checks),
        *(f"count(DISTINCT {column}) - 1" for column in constant),
    ).collect()
    violations = {check.metric: int(count) for check, count in zip(checks, counts[1:], strict=False)}
    by_metric = {check.metric: check for check in checks}
    for column, surplus in zip(constant, counts[1 + len(checks) :], strict=True):
        violations[f"{column} is the same in every row"] = max(0, int(surplus))
    for columns in (table.key, *((column,) for column in ALSO_UNIQUE.get(table.name, ()))):
        violations[f"{', '.join(columns)} is unique"] = _duplicates(frame, columns)
    stated = delivery_failures(manifest)
    violations |= {rule: len(found) for rule, found in stated.items()}
    return Profile(int(counts[0]), violations, by_metric, stated)


def examples(frame: Frame, manifest: Manifest, check: Check, limit: int = 3) -> list[str]:
    """The keys of a few rows that break `check`."""
    rows = frame.where(check.violation).selectExpr(*contract(manifest.table).key).limit(limit).collect()
    return [", ".join(f"{name}={value}" for name, value in row.asDict().items()) for row in rows]


def _duplicates(frame: Frame, columns: tuple[str, ...]) -> int:
    """Rows beyond the first of each key."""
    ((surplus,),) = frame.groupBy(*columns).count().selectExpr("coalesce(sum(count - 1), 0)").collect()
    return int(surplus)
