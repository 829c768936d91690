"""Every delivered line is either an accepted sale or refused for a reason; there is no third case.

Checks run in the order of `pipeline.tables.rejected_transactions.REASONS` as far as they apply to a line; the first
one that fails names the reason, the delivered column and what stood there.

Times are local to the stores. A time that clocks skip in spring is read as the hour after; one that occurs twice in
autumn as the first. `sold_on` is the day as written, so neither moves a sale to another day.
"""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.sources.source import SalesColumns, Source
from pipeline.sources.time_format import has_offset, java_pattern
from pipeline.tables.transactions import TRANSACTIONS
from spark_jobs.delivered import MONEY, UNITS, is_number, number, text

_BOUNDS = {column.name: column for column in TRANSACTIONS.columns}
FAULT = "struct<reason:string,column_name:string,value:string>"
SHOWN_CHARACTERS = 200


def check_lines(raw: DataFrame, source: Source, last_day: date) -> DataFrame:
    """The columns of `transactions` and `fault`, which is null exactly where a line is accepted.

    Args: raw: records as `read_delivered` gives them; last_day: later lines are refused as `future_date`.
    """
    parsed = _parse(raw, source)
    sales = _sales(parsed, source).withColumn("fault", F.coalesce(*_faults(source, last_day)))
    if source.duplicates == "reject":
        sales = _refuse_repeated(sales)
    return sales.select("fault", *TRANSACTIONS.column_names)


def days_of(raw: DataFrame, source: Source) -> DataFrame:
    """source_file and sold_on of every line, good or bad; sold_on is null where it is unreadable."""
    return _parse(raw, source).select("source_file", "sold_on")


def accepted(checked: DataFrame) -> DataFrame:
    """The lines that become `transactions`."""
    return checked.where(F.col("fault").isNull()).drop("fault")


def rejected(checked: DataFrame) -> DataFrame:
    """The lines that become `rejected_transactions`."""
    return checked.where(F.col("fault").isNotNull()).select("source_file", "source_line", "fault.*")


def _parse(raw: DataFrame, source: Source) -> DataFrame:
    """Texts as times and numbers, null where they are none."""
    given = source.columns.delivered()
    texts = {
        f"{name}_text": text(name) if name in given else F.lit(None).cast("string")
        for name in SalesColumns.model_fields
    }
    frame = raw.select("source_file", "source_line", "problem", "line_text", "line_hash", *_named(texts))
    read_at = F.try_to_timestamp(F.col("sold_at_text"), F.lit(java_pattern(source.time_format)))
    # The session is in UTC, so a time without an offset is held as if it were UTC until its zone is applied.
    local = F.from_utc_timestamp(read_at, source.timezone) if has_offset(source.time_format) else read_at
    price = "unit_price_text" if source.columns.unit_price else "amount_text"
    return frame.withColumns(
        {
            "sold_at_utc": read_at if has_offset(source.time_format) else F.to_utc_timestamp(local, source.timezone),
            "sold_on": F.to_date(local),
            "units": number(F.col("quantity_text"), source, UNITS),
            "money": number(F.col(price), source, MONEY),
        }
    )


def _sales(parsed: DataFrame, source: Source) -> DataFrame:
    """The columns of `transactions`, of lines good and bad."""
    cents = F.col("money") * (100 if source.money == "currency" else 1)
    if source.columns.unit_price:
        cents = cents * F.abs(F.col("units"))
    return parsed.withColumns(
        {
            "is_return": F.coalesce(_is_return(source), F.lit(False)),
            "signed_cents": F.round(cents, 0),
            "quantity": F.abs(F.col("units")).cast("double"),
            "amount_cents": F.abs(F.round(cents, 0)).try_cast("bigint"),
            "store_id": F.col("store_text") if source.columns.store else F.lit("all"),
            "customer_id": F.col("customer_text"),
            "basket_id": F.col("basket_text"),
            "product_id": F.col("product_text"),
            "category": F.col("category_text"),
        }
    )


def _is_return(source: Source) -> Column:
    match source.returns:
        case "negative_quantity":
            return F.col("units") < 0
        case "flag":
            return F.lower("return_flag_text").isin([value.lower() for value in source.return_flag_values])
        case "basket_prefix":
            return F.col("basket_text").startswith(source.return_basket_prefix)
        case _:
            return F.lit(False)


def _faults(source: Source, last_day: date) -> list[Column]:
    """One column per check, each null where the check passes."""
    price = "unit_price" if source.columns.unit_price else "amount"
    keys = ["sold_at", "product", "customer"]
    keys += ["store"] if source.columns.store else []
    keys += ["basket"] if source.session == "basket_id" else []
    problem = F.col("problem")
    sold_on = F.col("sold_on")
    too_many = F.col("units").isNull() | (F.abs("units") > F.lit(_BOUNDS["quantity"].maximum))
    too_much = F.col("signed_cents").isNull() | (F.abs("signed_cents") > F.lit(_BOUNDS["amount_cents"].maximum))
    below_zero = ~F.col("is_return")
    return [
        F.when(problem.isNotNull(), _fault(problem, F.lit(None), F.col("line_text"))),
        *(_at(source, key, F.col(f"{key}_text").isNull(), "missing_key") for key in keys),
        _at(source, "sold_at", sold_on.isNull(), "unparseable_date"),
        *_number_faults(source, "quantity", too_many),
        *_number_faults(source, price, too_much),
        _at(source, "quantity", below_zero & (F.col("units") < 0), "overflow"),
        _at(source, price, below_zero & (F.col("signed_cents") < 0), "overflow"),
        _at(source, "sold_at", sold_on < F.lit(_BOUNDS["sold_on"].minimum), "overflow"),
        _at(source, "sold_at", sold_on > F.least(F.lit(last_day), F.lit(_BOUNDS["sold_on"].maximum)), "future_date"),
    ]


def _number_faults(source: Source, name: str, overflows: Column) -> list[Column]:
    value = F.col(f"{name}_text")
    return [
        _at(source, name, value.rlike(r"(?i)^[+-]?nan$"), "not_a_number"),
        _at(source, name, value.rlike(r"(?i)^[+-]?inf(inity)?$"), "infinite"),
        _at(source, name, value.isNull() | ~is_number(value, source), "unparseable_number"),
        _at(source, name, overflows, "overflow"),
    ]


def _at(source: Source, name: str, failed: Column, reason: str) -> Column:
    return F.when(failed, _fault(F.lit(reason), F.lit(source.columns.delivered()[name]), F.col(f"{name}_text")))


def _fault(reason: Column, column: Column, value: Column) -> Column:
    shown = F.substring(value, 1, SHOWN_CHARACTERS)
    return F.struct(reason.alias("reason"), column.alias("column_name"), shown.alias("value")).cast(FAULT)


def _refuse_repeated(sales: DataFrame) -> DataFrame:
    """Of lines equal in every column, however many files they are in, the first in order of file and line is kept."""
    first = F.struct("source_file", "source_line")
    repeated = (
        sales.where(F.col("fault").isNull())
        .groupBy("line_hash")
        .agg(F.min(first).alias("kept"), F.count("*").alias("lines"))
        .where("lines > 1")
        .select("line_hash", "kept")
    )
    again = F.col("fault").isNull() & F.col("kept").isNotNull() & (first != F.col("kept"))
    where = F.concat_ws(" line ", "kept.source_file", F.col("kept.source_line").cast("string"))
    fault = F.when(again, _fault(F.lit("duplicate_line"), F.lit(None), F.concat(F.lit("equal to "), where)))
    return sales.join(repeated, "line_hash", "left").withColumn("fault", F.coalesce("fault", fault))


def _named(columns: dict[str, Column]) -> list[Column]:
    return [column.alias(name) for name, column in columns.items()]
