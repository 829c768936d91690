"""A source is described, not coded: one TOML file says where a retailer's files are and how they are read.

The shortest useful description has a name, files, a time zone and five columns (see README). Relative paths are
relative to the TOML file; those of shipped sources are relative to `<data_dir>/<name>/raw`. `{date}` in a file name
stands for a day (`{date:%Y%m%d}` for another spelling than 2026-01-31).
"""

import codecs
import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from models.names import unknown_name
from pipeline.capabilities import CAPABILITIES
from pipeline.sources.time_format import checked_format
from pipeline.workspace import Workspace

SHIPPED = Path(__file__).parent
SOURCE_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,60}")  # names folders
_ATTRIBUTE = "attribute_"
_DATE_FIELD = re.compile(r"\{date(?::([^{}]+))?\}")


class SourceError(Exception):
    """A source is described wrongly or its files cannot be read; the message names file and key or column."""


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Columns(_Described):
    def delivered(self) -> dict[str, str]:
        """Our name -> the retailer's name, of the columns that are described."""
        return {ours: theirs for ours, theirs in self.model_dump().items() if theirs is not None}


class Layout(_Described):
    """How one kind of file is written."""

    format: Literal["csv", "parquet"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', max_length=1, description="empty: quotes are ordinary characters")
    encoding: str = "utf-8"
    column_names: tuple[str, ...] | None = Field(None, description="names in order, for files without a header line")
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = Field("", description="between groups of three digits")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            return codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"unknown encoding {name!r}; examples: utf-8, cp1252, iso-8859-1") from None


class SalesColumns(_Columns):
    """Header names of the sales files. Exactly one of `amount` (line total) and `unit_price`."""

    sold_at: str
    product: str
    customer: str
    quantity: str
    amount: str | None = None
    unit_price: str | None = None
    store: str | None = Field(None, description="without one, every line belongs to store `all`")
    basket: str | None = None
    category: str | None = None
    return_flag: str | None = None
    delivery: str | None = Field(None, description='number of the delivery, for `redelivery = "delivery_id"`')

    @model_validator(mode="after")
    def _one_price(self) -> "SalesColumns":
        if (self.amount is None) == (self.unit_price is None):
            raise ValueError("give exactly one of amount (line total) and unit_price")
        return self


class StockColumns(_Columns):
    """Header names of the stock files."""

    store: str | None = None
    product: str
    on_hand: str


class ResupplyColumns(_Columns):
    """Header names of the resupply file."""

    store: str | None = None
    product: str
    arrives_on: str
    units: str


class CatalogueColumns(_Columns):
    """Header names of the catalogue."""

    product: str
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    price: str | None = None


class StockFiles(Layout):
    """Stock on hand at opening, one file per day."""

    files: str = Field(description="with {date}, the day at whose opening the stock was counted")
    columns: StockColumns
    missing: Literal["fail", "derive"] = Field("fail", description="when no file is there for the business date")

    @field_validator("files")
    @classmethod
    def _dated(cls, files: str) -> str:
        if not _DATE_FIELD.search(files):
            raise ValueError(f"{files!r} has no {{date}}; stock is of one day, and the file name must say which")
        return files


class ResupplyFiles(Layout):
    """Planned deliveries to the stores."""

    files: str
    columns: ResupplyColumns
    date_format: str = "%Y-%m-%d"

    _check_format = field_validator("date_format")(checked_format)


class CatalogueFiles(Layout):
    """What the products are called."""

    files: str
    columns: CatalogueColumns


class CustomerRules(_Described):
    """What is kept of customers."""

    pseudonymise: bool = Field(False, description="store keyed hashes of the ids; see pipeline/sources/pseudonyms.py")
    attributes: dict[str, str] = Field({}, description="columns of the sales files that say what a customer is like")

    @field_validator("attributes")
    @classmethod
    def _plain_names(cls, attributes: dict[str, str]) -> dict[str, str]:
        wrong = [name for name in attributes if not re.fullmatch("[a-z][a-z0-9_]*", name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name; write small letters, digits and _, such as age_group")
        return attributes


class Source(Layout):
    """One retailer's delivered files."""

    name: str = Field(pattern=f"^{SOURCE_NAME.pattern}$", description="names the folder under data_dir")
    files: str = Field(min_length=1, description="sales files: one path, a pattern with *, or a name with {date}")
    timezone: str = Field(description="of the stores, such as Europe/Berlin")
    time_format: str = Field("%Y-%m-%d %H:%M:%S", description="of sold_at, as Python's strptime reads it")
    money: Literal["currency", "cents"] = Field("currency", description="unit of amount and prices")
    session: Literal["basket_id", "customer_day", "gap_minutes"] = "customer_day"
    session_gap_minutes: int = Field(30, ge=1, le=1440, description="a longer pause begins a new basket")
    returns: Literal["negative_quantity", "flag", "basket_prefix", "none"] = "negative_quantity"
    return_flag_values: tuple[str, ...] = ("1", "true", "yes")
    return_basket_prefix: str = "C"
    duplicates: Literal["reject", "keep"] = Field("reject", description="a line equal to another in every column")
    redelivery: Literal["file", "rolling_file", "store_day", "day", "delivery_id"] = Field(
        "file", description="what a later delivery replaces; all else it says is added"
    )
    min_usable_share: float = Field(
        0.95, ge=0, le=1, description="the night stops when less of a file's or a day's lines can be used"
    )
    max_shrink_share: float = Field(
        0.1, ge=0, le=1, description="the night stops when a store's past day loses more of its lines"
    )
    files_elsewhere: bool = Field(False, description="whether files, or links to them, may lie outside the folder")
    prepared_by: str = Field("", description="command that makes the files, named when there are none")
    capabilities: tuple[str, ...] = Field(("segments",), description="what follows a night: names of capabilities")
    columns: SalesColumns
    customers: CustomerRules = CustomerRules()
    stock: StockFiles | None = None
    resupplies: ResupplyFiles | None = None
    catalogue: CatalogueFiles | None = None

    _folder: Path | None = PrivateAttr(None)
    _check_format = field_validator("time_format")(checked_format)

    @field_validator("capabilities")
    @classmethod
    def _known_capabilities(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in CAPABILITIES:
                raise ValueError(unknown_name("capability", name, CAPABILITIES))
        return tuple(dict.fromkeys(names))

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"unknown time zone {name!r}; write one such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _rules_have_columns(self) -> "Source":
        needed = {
            "basket": self.session == "basket_id" or self.returns == "basket_prefix",
            "return_flag": self.returns == "flag",
            "delivery": self.redelivery == "delivery_id",
        }
        for column, used in needed.items():
            if used and getattr(self.columns, column) is None:
                raise ValueError(f"the session, returns or redelivery rule needs columns.{column}")
        if self.session == "gap_minutes" and not re.search("%[HI]", self.time_format):
            raise ValueError(f"session by gap_minutes needs a time of day, and time_format is {self.time_format!r}")
        return self

    @property
    def sales_columns(self) -> dict[str, str]:
        """Our name -> the retailer's name, of all that is read from the sales files."""
        attributes = {attribute_column(name): theirs for name, theirs in self.customers.attributes.items()}
        return self.columns.delivered() | attributes

    @property
    def zone(self) -> ZoneInfo:
        """The stores' time zone."""
        return ZoneInfo(self.timezone)

    def folder(self, workspace: Workspace) -> Path:
        """What the description's relative paths are relative to."""
        return self._folder or workspace.raw

    def delivered_files(self, workspace: Workspace) -> list[Path]:
        """All sales files, sorted.

        Raises: SourceError: when there are none.
        """
        found = self.matching(self.files, workspace)
        if not found:
            how = f"; `{self.prepared_by}` makes them" if self.prepared_by else "; correct the key `files`"
            raise SourceError(f"source {self.name}: no file matches {self.folder(workspace) / self.files}{how}")
        return found

    def matching(self, pattern: str, workspace: Workspace) -> list[Path]:
        """Files that a `files` key names, sorted.

        Raises: SourceError: one lies, or a link leads, outside the source's folder and `files_elsewhere` is not set: a
            description or a delivery must not bring in what its sender could not read.
        """
        folder = self.folder(workspace)
        relative = _DATE_FIELD.sub("*", pattern)
        if Path(relative).is_absolute():
            folder, relative = Path("/"), relative.lstrip("/")
        found = sorted(path for path in folder.glob(relative) if path.is_file())
        own = self.folder(workspace).resolve()
        outside = [path for path in found if not path.resolve().is_relative_to(own)]
        if outside and not self.files_elsewhere:
            raise SourceError(
                f"source {self.name}: {outside[0]} lies outside {own} (it is {outside[0].resolve()}); "
                "move it there, or write files_elsewhere = true into the description"
            )
        return found

    def stock_file(self, workspace: Workspace, day: date) -> Path | None:
        """The stock file of a day, or None if it was not delivered."""
        if self.stock is None:
            return None
        found = self.matching(self.stock.files.format(date=day), workspace)
        return found[0] if found else None


def attribute_column(name: str) -> str:
    """What we call the column of a customer's attribute while lines are read."""
    return _ATTRIBUTE + name


def described_as(ours: str) -> str:
    """The key that describes one of our columns."""
    is_attribute = ours.startswith(_ATTRIBUTE)
    return f"customers.attributes.{ours.removeprefix(_ATTRIBUTE)}" if is_attribute else f"columns.{ours}"


def load_source(name_or_path: str) -> Source:
    """The description of a shipped source, or the one in a TOML file.

    Raises: SourceError: in one line, naming file and key.
    """
    path = Path(name_or_path) if name_or_path.endswith(".toml") else SHIPPED / f"{name_or_path}.toml"
    if not path.is_file():
        shipped = sorted(known.stem for known in SHIPPED.glob("*.toml"))
        raise SourceError(f"{unknown_name('source', name_or_path, shipped)}; or give the path of a .toml file")
    try:
        source = Source.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise SourceError(f"{path}: " + "; ".join(map(_in_words, error.errors()))) from None
    if path.resolve().parent != SHIPPED:
        source._folder = path.resolve().parent
    return source


def file_day(pattern: str, path: Path) -> date | None:
    """The day that `{date}` in a pattern stands for in a file's name, or None where the pattern has no `{date}`."""
    field = _DATE_FIELD.search(Path(pattern).name)
    if field is None:
        return None
    pieces = _DATE_FIELD.split(Path(pattern).name)[::2]
    expression = "(.+)".join(re.escape(piece).replace(r"\*", ".*") for piece in pieces)
    found = re.fullmatch(expression, path.name)
    try:
        return datetime.strptime(found[1], field[1] or "%Y-%m-%d").date() if found else None
    except ValueError:
        return None


def _in_words(error: object) -> str:
    details = dict(error)  # type: ignore[call-overload]
    key = ".".join(str(part) for part in details["loc"])
    if details["type"] == "extra_forbidden":
        return f"unknown key `{key}`"
    if details["type"] == "missing":
        return f"key `{key}` is missing"
    said = details["msg"].removeprefix("Value error, ")
    return f"key `{key}`: {said}" if key else said
