"""Every delivered line is either an accepted sale or refused for a reason; there is no third case.

Checks run in the order of `pipeline.tables.rejected_transactions.REASONS` as far as they apply to a line; the first
one that fails names the reason, the delivered column and what stood there.

Times are local to the stores. A time that clocks skip in spring is read as the hour after; one that occurs twice in
autumn as the first. `sold_on` is the day as written, so neither moves a sale to another day.
"""

import re
from collections.abc import Iterable
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.sources.layout import SalesColumns, attribute_column
from pipeline.sources.pseudonyms import pseudonym
from pipeline.sources.source import Source
from pipeline.sources.time_format import has_offset
from pipeline.tables.transactions import TRANSACTIONS
from spark_jobs.delivered import MONEY, UNITS, UNREADABLE, is_number, number, read_time, text

_BOUNDS = {column.name: column for column in TRANSACTIONS.columns}
FAULT = "struct<reason:string,column_name:string,value:string>"
SHOWN_CHARACTERS = 200


def check_lines(raw: DataFrame, source: Source, key: bytes | None = None) -> DataFrame:
    """What each line says of itself: the columns of `transactions`, and `fault` where it is refused for itself alone.

    Args: raw: records as `read_delivered` gives them. Keep the result: parsing is most of the work.
          key: of a source that pseudonymises its customers; their ids are hashed before anything else is done.
    """
    if source.customers.pseudonymise != (key is not None):
        raise ValueError(f"source {source.name}: a key is wanted exactly where customers are pseudonymised")
    parsed = _parse(raw, source)
    if key is not None:
        parsed = parsed.withColumn("customer_text", pseudonyms(F.col("customer_text"), key))
    sales = _sales(parsed, source).withColumn("fault", F.coalesce(*_faults(source)))
    # A day that is refused is no day: not one that the source has got to, nor one that Python could hold.
    plausible = F.col("sold_on").between(F.lit(_BOUNDS["sold_on"].minimum), F.lit(_BOUNDS["sold_on"].maximum))
    sales = sales.withColumn("day_read", F.when(plausible, F.col("sold_on")))
    sales = sales.withColumn("sold_on", F.when(F.col("fault").isNull(), F.col("sold_on")))
    return sales.select("fault", "sold_at_text", "day_read", *TRANSACTIONS.column_names)


def refuse_future(checked: DataFrame, source: Source, last_day: date) -> DataFrame:
    """Add what the delivery's other lines tell: dates after `last_day`."""
    late = _at(source, "sold_at", F.col("sold_on") > F.lit(last_day), F.lit("future_date"))
    return checked.withColumn("fault", F.coalesce("fault", late))


def refuse_repeated(checked: DataFrame, source: Source, stored: DataFrame | None = None) -> DataFrame:
    """Add what other lines tell: of lines equal in every column, however many files they are in, one is accepted.

    A stored line comes before a new one; of new ones the first in order of file and line is kept.

    Args: stored: accepted lines of earlier deliveries that stay, in the columns of `transactions`.
    """
    if source.duplicates == "keep":
        return checked
    place = F.struct("source_file", "source_line")
    good = checked.where(F.col("fault").isNull()).select(
        "sold_on", "line_hash", F.lit(1).alias("turn"), place.alias("place")
    )
    if stored is not None:
        known = stored.where(F.col("line_hash").isNotNull())
        good = good.unionByName(known.select("sold_on", "line_hash", F.lit(0).alias("turn"), place.alias("place")))
    repeated = (
        good.groupBy("sold_on", "line_hash")
        .agg(F.min(F.struct("turn", "place"))["place"].alias("kept"), F.count("*").alias("lines"))
        .where("lines > 1")
        .select("sold_on", "line_hash", "kept")
    )
    again = F.col("fault").isNull() & F.col("kept").isNotNull() & (place != F.col("kept"))
    where = F.concat_ws(" line ", "kept.source_file", F.col("kept.source_line").cast("string"))
    fault = F.when(again, fault_of(F.lit("duplicate_line"), F.lit(None), F.concat(F.lit("equal to "), where)))
    judged = checked.join(repeated, ["sold_on", "line_hash"], "left").withColumn("fault", F.coalesce("fault", fault))
    return judged.drop("kept")


def accepted(checked: DataFrame) -> DataFrame:
    """The lines that become `transactions`."""
    return checked.where(F.col("fault").isNull()).select(*TRANSACTIONS.column_names)


def rejected(checked: DataFrame) -> DataFrame:
    """The lines that become `rejected_transactions`."""
    refused = checked.where(F.col("fault").isNotNull())
    refused = refused.select("source_file", "source_line", "fault.*", F.col("day_read").alias("sold_on"))
    return refused.withColumn("value", F.substring("value", 1, SHOWN_CHARACTERS))


def pseudonyms(customer: Column, key: bytes) -> Column:
    """The key goes to the workers in the closure; as an expression's literal, plans and logs would show it."""

    def hashed(customer_id: str | None) -> str | None:
        return None if customer_id is None else pseudonym(key, customer_id)

    return F.udf(hashed, "string", useArrow=True)(customer)


def _parse(raw: DataFrame, source: Source) -> DataFrame:
    """Texts as times and numbers, null where they are none."""
    given = source.sales_columns
    texts = {
        f"{name}_text": text(name) if name in given else F.lit(None).cast("string")
        for name in SalesColumns.model_fields
    }
    names = () if source.customers.files else source.customers.attributes
    own = ("source_file", "source_line", "problem", "line_text", "line_hash")
    frame = raw.select(*own, *_named(texts), attributes_said(names).alias("customer_attributes"))
    read_at = read_time(F.col("sold_at_text"), source.time_format)
    # The session is in UTC, so a time without an offset is held as if it were UTC until its zone is applied.
    local = F.from_utc_timestamp(read_at, source.timezone) if has_offset(source.time_format) else read_at
    price = f"{_price(source)}_text"
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
    if _price(source) == "unit_price":
        cents = cents * F.abs(F.col("units"))
    signed = F.round(cents, 0)
    # A coupon takes off money and no goods.
    is_discount = F.lit(source.negative_amounts == "discount") & (signed < 0) & ~F.col("is_return")
    return parsed.withColumn("is_return", F.coalesce(_is_return(source), F.lit(False))).withColumns(
        {
            "signed_cents": signed,
            "quantity": F.when(is_discount, 0.0).otherwise(F.abs(F.col("units")).cast("double")),
            "amount_cents": F.when(is_discount, signed).otherwise(F.abs(signed)).try_cast("bigint"),
            "store_id": F.col("store_text") if "store" in source.sales_columns else F.lit("all"),
            "customer_id": F.col("customer_text"),
            "basket_id": F.col("basket_text"),
            "product_id": F.col("product_text"),
            "category": F.col("category_text"),
            "delivery_id": F.col("delivery_text"),
        }
    )


def attributes_said(names: Iterable[str]) -> Column:
    """What a line says of its customer, as `name=value`; null where it says nothing."""
    said = [F.concat(F.lit(f"{name}="), text(attribute_column(name))) for name in names]
    given = F.array_compact(F.array(*said)) if said else F.array().cast("array<string>")
    return F.when(F.size(given) > 0, given)


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


def _faults(source: Source) -> list[Column]:
    """One column per check, each null where the check passes."""
    price = _price(source)
    keys = ["sold_at", "product"]
    keys += ["store"] if "store" in source.sales_columns else []
    keys += ["basket"] if source.session == "basket_id" else []
    keys += ["delivery"] if source.redelivery == "delivery_id" else []
    problem = F.col("problem")
    sold_on = F.col("sold_on")
    units, money, cents = F.col("units"), F.col("money"), F.col("signed_cents")
    overflow = F.lit("overflow")
    too_many = F.abs(units) > F.lit(_BOUNDS["quantity"].maximum)
    too_much = F.abs(cents) > F.lit(_BOUNDS["amount_cents"].maximum)
    bought = ~F.col("is_return")
    refused_below = F.lit(source.negative_amounts == "refuse")
    line = F.col("line_text")
    if source.customers.pseudonymise:
        # Somewhere in a whole line stands the customer.
        line = F.when(problem == UNREADABLE, line)
    return [
        F.when(problem.isNotNull(), fault_of(problem, F.lit(None), line)),
        *(_at(source, key, F.col(f"{key}_text").isNull(), F.lit("missing_key")) for key in keys),
        *_no_products(source),
        _at(source, "sold_at", sold_on.isNull(), F.lit("unparseable_date")),
        *_number_faults(source, "quantity", units, too_many),
        *_number_faults(source, price, money, too_much),
        _at(source, "quantity", bought & (units < 0), overflow),
        _at(source, price, refused_below & bought & (cents < 0), F.lit("negative_amount")),
        _at(source, "sold_at", sold_on < F.lit(_BOUNDS["sold_on"].minimum), overflow),
        _at(source, "sold_at", sold_on > F.lit(_BOUNDS["sold_on"].maximum), F.lit("future_date")),
    ]


def _no_products(source: Source) -> list[Column]:
    """Lines of postage, bags and the like, by the product ids that the description names."""
    if not source.not_products:
        return []
    names = "|".join(".*".join(re.escape(piece) for piece in name.split("*")) for name in source.not_products)
    return [_at(source, "product", F.col("product_text").rlike(rf"(?i)^(?:{names})$"), F.lit("not_a_product"))]


def _price(source: Source) -> str:
    return "unit_price" if "unit_price" in source.sales_columns else "amount"


def _number_faults(source: Source, name: str, number: Column, too_large: Column) -> list[Column]:
    value = F.col(f"{name}_text")
    reason = (
        F.when(value.rlike(r"(?i)^[+-]?nan$"), F.lit("not_a_number"))
        .when(value.rlike(r"(?i)^[+-]?inf(inity)?$"), F.lit("infinite"))
        .when(is_number(value, source), F.lit("overflow"))
        .otherwise(F.lit("unparseable_number"))
    )
    return [_at(source, name, number.isNull(), reason), _at(source, name, too_large, F.lit("overflow"))]


def _at(source: Source, name: str, failed: Column, reason: Column) -> Column:
    return F.when(failed, fault_of(reason, F.lit(source.sales_columns[name]), F.col(f"{name}_text")))


def fault_of(reason: Column, column: Column, value: Column) -> Column:
    return F.struct(reason.alias("reason"), column.alias("column_name"), value.alias("value")).cast(FAULT)


def _named(columns: dict[str, Column]) -> list[Column]:
    return [column.alias(name) for name, column in columns.items()]
