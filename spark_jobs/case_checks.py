"""Every delivered line of a sales team's files is an action, a case's description, or refused for a reason.

The reasons are those of sales lines (`pipeline/tables/rejected_transactions.py`), and are tried in their order. Times
are local to the source. Each function returns the line's place, its values, and `fault` where it is refused.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.sources.case_layout import CASE_ATTRIBUTE, CASE_NUMBER, ActionFiles, CaseFiles
from pipeline.sources.layout import Layout
from pipeline.sources.time_format import has_offset
from pipeline.tables.actions import FIRST, LAST
from spark_jobs.delivered import is_number, number, read_time, text
from spark_jobs.line_checks import SHOWN_CHARACTERS, fault_of

NUMBERS = "array<struct<name:string,value:double>>"
_NUMBER = "decimal(20,6)"
_SECONDS_PER_HOUR = 3600.0
_PLACE = ("source_file", "source_line")


def check_actions(raw: DataFrame, files: ActionFiles, timezone: str) -> DataFrame:
    """What each line of the action files says: the columns of `actions` without positions, `outcome_said`, `fault`."""
    given = files.read_columns
    read_at = read_time(text("acted_at"), files.time_format)
    local = F.from_utc_timestamp(read_at, timezone) if has_offset(files.time_format) else read_at
    values = {
        "case_id": text("case"),
        "acted_at_utc": read_at if has_offset(files.time_format) else F.to_utc_timestamp(read_at, timezone),
        "local_hour": (F.unix_timestamp(local) - F.unix_timestamp(F.to_date(local))) / _SECONDS_PER_HOUR,
        "acted_on": F.to_date(local),
        "action": text("action"),
        "agent": _optional("agent", given),
        "outcome_said": _optional("outcome", given),
    }
    acted_on = F.to_date(local)
    faults = [
        *_unusable(given, ("case", "acted_at", "action")),
        _at(given, "acted_at", read_at.isNull(), "unparseable_date"),
        _at(given, "acted_at", acted_on < F.lit(FIRST), "overflow"),
        _at(given, "acted_at", acted_on > F.lit(LAST), "future_date"),
    ]
    named = [value.alias(name) for name, value in values.items()]
    shown = text("acted_at").alias("acted_at_text")
    checked = raw.select(*_PLACE, *named, shown, F.coalesce(*faults).alias("fault"))
    return checked if files.duplicates == "keep" else _refuse_repeated(checked)


def check_cases(raw: DataFrame, files: CaseFiles) -> DataFrame:
    """What each line of the case files says: case_id, outcome_said, attributes, numbers, `fault`."""
    given = files.read_columns
    attributes = [F.concat(F.lit(f"{name}="), text(f"{CASE_ATTRIBUTE}{name}")) for name in sorted(files.attributes)]
    numbers = {name: text(f"{CASE_NUMBER}{name}") for name in files.numbers}
    read = [
        F.struct(F.lit(name).alias("name"), number(value, files, _NUMBER).cast("double").alias("value"))
        for name, value in numbers.items()
    ]
    faults = [
        *_unusable(given, ("case",)),
        *(_no_number(given, f"{CASE_NUMBER}{name}", value, files) for name, value in numbers.items()),
    ]
    said = F.array_compact(F.array(*attributes)) if attributes else F.array().cast("array<string>")
    return raw.select(
        *_PLACE,
        text("case").alias("case_id"),
        _optional("outcome", given).alias("outcome_said"),
        F.when(F.size(said) > 0, said).alias("attributes"),
        (F.array(*read) if read else F.lit(None)).cast(NUMBERS).alias("numbers"),
        F.coalesce(*faults).alias("fault"),
    )


def refuse_future(checked: DataFrame, files: ActionFiles, last_day: object) -> DataFrame:
    """Add what the other lines tell: dates after the last day that looks like one of business."""
    late = F.when(
        F.col("acted_on") > F.lit(last_day),
        fault_of(F.lit("future_date"), F.lit(files.read_columns["acted_at"]), F.col("acted_at_text")),
    )
    return checked.withColumn("fault", F.coalesce("fault", late))


def refused(checked: DataFrame, kind: str) -> DataFrame:
    """The lines that become `rejected_actions`."""
    day = F.col("acted_on") if "acted_on" in checked.columns else F.lit(None).cast("date")
    plausible = day.between(F.lit(FIRST), F.lit(LAST))
    return checked.where(F.col("fault").isNotNull()).select(
        F.lit(kind).alias("kind"),
        *_PLACE,
        F.col("fault.reason").alias("reason"),
        F.col("fault.column_name").alias("column_name"),
        F.substring("fault.value", 1, SHOWN_CHARACTERS).alias("value"),
        F.when(plausible, day).alias("acted_on"),
    )


def _refuse_repeated(checked: DataFrame) -> DataFrame:
    """Of lines that say the same, the first in order of file and line stays."""
    same = Window.partitionBy("case_id", "acted_at_utc", "action", "agent", F.col("fault").isNull()).orderBy(*_PLACE)
    first = F.first(F.struct(*_PLACE)).over(same)
    where = F.concat(F.lit("equal to "), F.concat_ws(" line ", "first.source_file", F.col("first.source_line")))
    again = F.col("fault").isNull() & (F.col("turn") > 1)
    repeated = F.when(again, fault_of(F.lit("duplicate_line"), F.lit(None), where))
    judged = checked.withColumns({"turn": F.row_number().over(same), "first": first})
    return judged.withColumn("fault", F.coalesce("fault", repeated)).drop("turn", "first")


def _unusable(given: dict[str, str], keys: tuple[str, ...]) -> list[Column]:
    problem = F.col("problem")
    missing = (_at(given, key, text(key).isNull(), "missing_key") for key in keys)
    return [F.when(problem.isNotNull(), fault_of(problem, F.lit(None), F.col("line_text"))), *missing]


def _no_number(given: dict[str, str], name: str, value: Column, layout: Layout) -> Column:
    reason = F.when(is_number(value, layout), F.lit("overflow")).otherwise(F.lit("unparseable_number"))
    wrong = value.isNotNull() & number(value, layout, _NUMBER).isNull()
    return F.when(wrong, fault_of(reason, F.lit(given[name]), value))


def _at(given: dict[str, str], name: str, failed: Column, reason: str) -> Column:
    return F.when(failed, fault_of(F.lit(reason), F.lit(given[name]), F.col(name)))


def _optional(name: str, given: dict[str, str]) -> Column:
    return text(name) if name in given else F.lit(None).cast("string")
