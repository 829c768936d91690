"""How delivered files are written, kind by kind: the keys of a description below its own level.

Every key says in its field what it means; `docs/sources.md` is made of that.
"""

import codecs
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.sources.time_format import checked_format

ATTRIBUTE = "attribute_"
DATE_FIELD = re.compile(r"\{date(?::([^{}]+))?\}")
# Columns that any run of blanks and tabs divides.
WHITESPACE = "whitespace"
# What databases, pandas and spreadsheets write where nothing is.
NULL_VALUES = ("NULL", "None", "NaN", "NA", "N/A", "#N/A", "<NA>", "(null)", "[NULL]", "<null>", "NaT", "\\N")


class Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(Described):
    def delivered(self) -> dict[str, str]:
        """Our name -> the retailer's name, of the columns that are described."""
        return {ours: theirs for ours, theirs in self.model_dump().items() if theirs is not None}


class Layout(Described):
    """How one kind of file is written."""

    format: Literal["csv", "parquet"] = Field(
        "csv", description="CSV may also come as `.gz` or `.zip`", examples=["parquet"]
    )
    delimiter: str = Field(
        ",",
        description="between columns: one character, or `whitespace` for any run of blanks and tabs",
        examples=[";"],
    )
    quote: str = Field(
        '"', max_length=1, description="around texts; empty: quotes are ordinary characters", examples=["'"]
    )
    escape: str = Field(
        "",
        max_length=1,
        description="makes the next character an ordinary one, as `\\` in a database's export",
        examples=["\\"],
    )
    comment: str = Field("", max_length=4, description="lines that begin so are passed over", examples=["#"])
    skip_lines: int = Field(0, ge=0, le=1000, description="lines before the header line", examples=[2])
    encoding: str = Field(
        "utf-8", description="as Python names it: utf-8, cp1252, iso-8859-1, utf-16", examples=["cp1252"]
    )
    column_names: tuple[str, ...] | None = Field(
        None,
        description="names in order, for files without a header line",
        examples=[["day", "card", "sku", "qty", "total"]],
    )
    decimal: Literal[".", ","] = Field(".", description="before the digits behind the point", examples=[","])
    thousands: Literal["", ".", ",", " ", "'"] = Field(
        "", description="between groups of three digits; a blank stands for no-break ones, too", examples=["."]
    )
    null_values: tuple[str, ...] = Field(
        NULL_VALUES,
        description="marks that stand for nothing, in small or capital letters; numbers and times have none",
        examples=[["NULL", "?"]],
    )
    constants: dict[str, str] = Field(
        {},
        description="our name = a value that holds for every line, for columns that the files do not have",
        examples=[{"store": "s7"}],
    )
    parquet_times: Literal["local", "utc"] | None = Field(
        None, description="what Parquet times without a zone are; unset: local, and INT96 is refused", examples=["utc"]
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if len(delimiter) != 1 and delimiter != WHITESPACE:
            raise ValueError(f"{delimiter!r} is not one character, nor {WHITESPACE!r}")
        return delimiter

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            return codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"unknown encoding {name!r}; examples: utf-8, cp1252, iso-8859-1") from None


class TableFiles(Layout):
    """Files of one kind beside the sales: how they are written, and what their columns are called."""

    columns: Columns

    @property
    def read_columns(self) -> dict[str, str]:
        """Our name -> the retailer's name, or the key that makes it constant."""
        return self.columns.delivered() | {ours: f"constants.{ours}" for ours in self.constants}


class SalesColumns(Columns):
    """Header names of the sales files. Exactly one of `amount` (line total) and `unit_price`."""

    sold_at: str = Field(description="time of sale, or its day", examples=["date"])
    product: str | None = Field(None, description="product number, bar code", examples=["article"])
    customer: str | None = Field(
        None, description="card or account number; lines without one count for stores and products", examples=["client"]
    )
    quantity: str | None = Field(None, description="units; below 0 what came back, by `returns`", examples=["qty"])
    amount: str | None = Field(None, description="the line's total", examples=["total"])
    unit_price: str | None = Field(None, description="the price of one unit, instead of `amount`", examples=["price"])
    store: str | None = Field(None, description="without it, every line belongs to store `all`", examples=["branch"])
    basket: str | None = Field(None, description="the till's receipt number", examples=["receipt"])
    category: str | None = Field(None, description="product group", examples=["group"])
    return_flag: str | None = Field(
        None, description='says what is a return, for `returns = "flag"`', examples=["kind"]
    )
    delivery: str | None = Field(
        None, description='number of the delivery, for `redelivery = "delivery_id"`', examples=["batch"]
    )

    @model_validator(mode="after")
    def _one_price(self) -> "SalesColumns":
        if self.amount is not None and self.unit_price is not None:
            raise ValueError("give exactly one of amount (line total) and unit_price")
        return self


class StockColumns(Columns):
    """Header names of the stock files."""

    store: str | None = Field(
        None, description="store, as in the sales; without it all are store `all`", examples=["store"]
    )
    product: str = Field(description="product, as in the sales", examples=["article"])
    on_hand: str = Field(description="units at opening; below 0 counts as an empty shelf", examples=["on_hand"])


class ResupplyColumns(Columns):
    """Header names of the resupply file."""

    store: str | None = Field(
        None, description="store, as in the sales; without it all are store `all`", examples=["store"]
    )
    product: str = Field(description="product, as in the sales", examples=["article"])
    arrives_on: str = Field(description="day of arrival, by `date_format`", examples=["day"])
    units: str = Field(description="units that arrive", examples=["units"])


class CatalogueColumns(Columns):
    """Header names of the catalogue."""

    product: str = Field(description="product, as in the sales", examples=["article"])
    name: str | None = Field(None, description="what the product is called", examples=["name"])
    category: str | None = Field(None, description="product group; else that of its sales lines", examples=["group"])
    brand: str | None = Field(None, description="brand", examples=["brand"])
    price: str | None = Field(None, description="price of one unit; else the mean paid", examples=["price"])
    image: str | None = Field(
        None, description="file of the picture, relative to the source's folder; table `articles`", examples=["picture"]
    )
    available_from: str | None = Field(
        None, description="first day in store; table `articles`", examples=["available_from"]
    )
    available_until: str | None = Field(
        None,
        description="first day no longer in store; nothing is expected from then on",
        examples=["available_until"],
    )
    unit: str | None = Field(None, description="unit of measure", examples=["unit"])
    replaced_by: str | None = Field(
        None, description="product that takes its place; their histories join", examples=["successor"]
    )


class StockFiles(TableFiles):
    """Stock on hand at opening, one file or several per day."""

    files: str = Field(
        description="with {date}, the day at whose opening the stock was counted; * where a day has several files",
        examples=["stock_{date}.csv"],
    )
    columns: StockColumns
    missing: Literal["fail", "derive"] = Field(
        "fail", description="when no file is there for the business date", examples=["derive"]
    )

    @field_validator("files")
    @classmethod
    def _dated(cls, files: str) -> str:
        if not DATE_FIELD.search(files):
            raise ValueError(f"{files!r} has no {{date}}; stock is of one day, and the file name must say which")
        return files


class ResupplyFiles(TableFiles):
    """Planned deliveries to the stores."""

    files: str = Field(description="one path or a pattern with *", examples=["resupplies.csv"])
    columns: ResupplyColumns
    date_format: str = Field("%Y-%m-%d", description="of arrives_on, as strptime reads it", examples=["%d.%m.%Y"])

    _check_format = field_validator("date_format")(checked_format)


class CatalogueFiles(TableFiles):
    """What the products are called."""

    files: str = Field(description="one path or a pattern with *", examples=["catalogue.csv"])
    columns: CatalogueColumns
    tags: tuple[str, ...] = Field(
        (),
        description="columns that say what an article is like, one word each; table `articles`",
        examples=[["brand", "colour"]],
    )
    tag_separator: str = Field(
        "", max_length=1, description="divides several tags of one column; empty: one tag each", examples=["|"]
    )
    words: tuple[str, ...] = Field(
        (), description="columns whose single words are tags; table `articles`", examples=[["description"]]
    )
    numbers: tuple[str, ...] = Field(
        (), description="columns with a measure of an article; table `articles`", examples=[["cotton", "wool"]]
    )
    date_format: str = Field("%Y-%m-%d", description="of available_from and available_until", examples=["%d.%m.%Y"])

    _check_format = field_validator("date_format")(checked_format)

    @property
    def article_columns(self) -> dict[str, str]:
        """Our name -> the retailer's name, of what is read for the table `articles`."""
        used = ("product", "price", "image", "available_from", "available_until")
        read = {ours: theirs for ours, theirs in self.read_columns.items() if ours in used}
        for kind, columns in (("tag", self.tags), ("word", self.words), ("number", self.numbers)):
            read |= {f"{kind}_{row}": theirs for row, theirs in enumerate(columns)}
        return read


class CustomerRules(Layout):
    """What is kept of customers, and the file that says what they are like, where the sales files do not."""

    files: str | None = Field(
        None, description="customers files; of two lines of one customer the last counts", examples=["customers.csv"]
    )
    customer: str | None = Field(
        None, description="their column with the customer's id, as the sales files write it", examples=["client"]
    )

    pseudonymise: bool = Field(
        False, description="store keyed hashes of the ids; see pipeline/sources/pseudonyms.py", examples=[True]
    )
    attributes: dict[str, str] = Field(
        {},
        description="our name = the column that says it of a customer, in `files` or else in the sales files",
        examples=[{"age_group": "AGE_GROUP"}],
    )
    no_customer: tuple[str, ...] = Field(
        ("0", "-1"),
        description="further marks of a sale without a customer, beside null_values",
        examples=[["0", "guest"]],
    )
    anonymous_share: float = Field(
        0.05,
        gt=0,
        le=1,
        description="an id with this share of all lines is no customer but a till's mark for guests",
        examples=[0.02],
    )

    @model_validator(mode="after")
    def _file_has_ids(self) -> "CustomerRules":
        if (self.files is None) != (self.customer is None):
            raise ValueError("files and customer (their column with the customer's id) go together")
        return self

    @property
    def read_columns(self) -> dict[str, str]:
        """Our name -> the column of the customers files."""
        ids = {"customer": self.customer} if self.customer else {}
        return ids | {attribute_column(name): theirs for name, theirs in self.attributes.items()}

    @field_validator("attributes")
    @classmethod
    def _plain_names(cls, attributes: dict[str, str]) -> dict[str, str]:
        wrong = [name for name in attributes if not re.fullmatch("[a-z][a-z0-9_]*", name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name; write small letters, digits and _, such as age_group")
        return attributes


def attribute_column(name: str) -> str:
    """What we call the column of a customer's attribute while lines are read."""
    return ATTRIBUTE + name
