"""A source is described, not coded: one TOML file says where a retailer's files are and how they are read.

The shortest useful description has a name, files, a time zone and five columns (see README). Relative paths are
relative to the TOML file; those of shipped sources are relative to `<data_dir>/<name>/raw`. `{date}` in a file name
stands for a day (`{date:%Y%m%d}` for another spelling than 2026-01-31).
"""

import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from models.names import unknown_name
from pipeline.action_rules import ActionRules
from pipeline.capabilities import CAPABILITIES
from pipeline.offer_rules import OfferRules
from pipeline.sources.calendar import Calendar
from pipeline.sources.case_layout import CASE_ATTRIBUTE, CASE_NUMBER, ActionFiles, CaseFiles
from pipeline.sources.layout import (
    ATTRIBUTE,
    DATE_FIELD,
    CatalogueFiles,
    CustomerRules,
    Layout,
    ResupplyFiles,
    SalesColumns,
    StockFiles,
    attribute_column,
)
from pipeline.sources.leftovers import is_leftover
from pipeline.sources.session_layout import SessionFiles
from pipeline.sources.time_format import checked_format
from pipeline.workspace import Workspace

SHIPPED = Path(__file__).parent
SOURCE_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,60}")  # names folders


class SourceError(Exception):
    """A source is described wrongly or its files cannot be read; the message names file and key or column."""


class Source(Layout):
    """One retailer's delivered files."""

    name: str = Field(
        pattern=f"^{SOURCE_NAME.pattern}$", description="names the folder under data_dir", examples=["corner-shop"]
    )
    files: str = Field(
        "",
        description="sales files: one path, a pattern with *, or a name with {date}; empty: there are no sales",
        examples=["sales/sales_{date}.csv"],
    )
    timezone: str = Field(description="of the stores, such as Europe/Berlin", examples=["Europe/Vienna"])
    time_format: str = Field(
        "%Y-%m-%d %H:%M:%S", description="of sold_at, as Python's strptime reads it", examples=["%d.%m.%Y %H:%M"]
    )
    money: Literal["currency", "cents"] = Field("currency", description="unit of amount and prices", examples=["cents"])
    session: Literal["basket_id", "customer_day", "gap_minutes"] = Field(
        "customer_day",
        description=(
            "what is one basket in a store: `basket_id`, a receipt; `customer_day`, a customer's day; `gap_minutes`, a "
            "customer's lines without a longer pause"
        ),
        examples=["basket_id"],
    )
    session_gap_minutes: int = Field(30, ge=1, le=1440, description="a longer pause begins a new basket", examples=[60])
    returns: Literal["negative_quantity", "flag", "basket_prefix", "none"] = Field(
        "negative_quantity",
        description=(
            "what shows that goods came back: `negative_quantity`; `flag`, a value of columns.return_flag; "
            "`basket_prefix`, how the receipt number begins; `none`, nothing comes back"
        ),
        examples=["flag"],
    )
    return_flag_values: tuple[str, ...] = Field(
        ("1", "true", "yes"),
        description="values of columns.return_flag that say so, in small or capital letters",
        examples=[["R"]],
    )
    return_basket_prefix: str = Field(
        "C", description="what the receipt numbers of returns begin with", examples=["R-"]
    )
    return_days: int = Field(
        30, ge=1, le=365, description="days after a sale within which goods may come back", examples=[14]
    )
    duplicates: Literal["reject", "keep"] = Field(
        "reject", description="what becomes of a line equal to another in every column", examples=["keep"]
    )
    redelivery: Literal["file", "rolling_file", "store_day", "day", "delivery_id"] = Field(
        "file",
        description=(
            "what a later delivery replaces (the rest is added): `file`, what the file of the same name said; "
            "`rolling_file`, that from its new first day on; `store_day` and `day`, what was said of the same "
            "days (and stores); `delivery_id`, what had the same number in columns.delivery"
        ),
        examples=["store_day"],
    )
    min_usable_share: float = Field(
        0.95,
        ge=0,
        le=1,
        description="the night stops when less of a file's or a day's lines can be used",
        examples=[0.9],
    )
    max_shrink_share: float = Field(
        0.1, ge=0, le=1, description="the night stops when a store's past day loses more of its lines", examples=[0.05]
    )
    negative_amounts: Literal["refuse", "discount"] = Field(
        "refuse",
        description="lines bought for less than nothing; discount: a coupon, taken off its basket",
        examples=["discount"],
    )
    not_products: tuple[str, ...] = Field(
        (),
        description="product ids that are none, such as postage; `*` stands for any characters",
        examples=[["POST", "BAG*"]],
    )
    unreadable_files: Literal["stop", "quarantine"] = Field(
        "stop",
        description="quarantine: a file that cannot be read is set aside with its reason, the others are taken",
        examples=["quarantine"],
    )
    files_elsewhere: bool = Field(
        False, description="whether files, or links to them, may lie outside the folder", examples=[True]
    )
    prepared_by: str = Field(
        "", description="command that makes the files, named when there are none", examples=["make export"]
    )
    capabilities: tuple[str, ...] = Field(
        ("segments",), description="what follows a night: names of capabilities", examples=[["segments"]]
    )
    columns: SalesColumns | None = None
    customers: CustomerRules = CustomerRules()
    stock: StockFiles | None = None
    resupplies: ResupplyFiles | None = None
    catalogue: CatalogueFiles | None = None
    sessions: SessionFiles | None = None
    offers: OfferRules = OfferRules()
    actions: ActionFiles | None = None
    cases: CaseFiles | None = None
    calendar: Calendar = Field(Calendar(), description="when the stores are shut")

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
    def _has_files(self) -> "Source":
        if self.actions is None:
            if not self.files:
                raise ValueError("key `files` is missing; name the sales files, or describe [actions]")
            if self.cases is not None:
                raise ValueError("[cases] says what cases are like, and needs [actions], which says what was done")
            if wanting := [name for name in self.capabilities if CAPABILITIES[name].intake is not None]:
                raise ValueError(f"capability {wanting[0]!r} needs [actions]")
        if bool(self.files) != (self.columns is not None):
            there, missing = ("files", "columns") if self.files else ("columns", "files")
            raise ValueError(f"key `{missing}` is missing; sales have both, and `{there}` is given")
        return self

    @model_validator(mode="after")
    def _rules_have_columns(self) -> "Source":
        if self.columns is None:
            return self
        delivered = self.columns.delivered()
        unknown = sorted(set(self.constants) - set(SalesColumns.model_fields))
        if unknown:
            raise ValueError(f"constants: {unknown[0]!r} is no column of sales; there are {', '.join(delivered)}")
        if twice := sorted(set(self.constants) & set(delivered)):
            raise ValueError(f"constants.{twice[0]} and columns.{twice[0]} exclude each other")
        given = delivered.keys() | self.constants.keys()
        for wanted in ("product", "customer", "quantity"):
            if wanted not in given:
                nobody = ' (where nobody has a number, constants.customer = "0")' if wanted == "customer" else ""
                raise ValueError(f"key `columns.{wanted}` is missing; give it, or constants.{wanted}{nobody}")
        if not given & {"amount", "unit_price"} or {"amount", "unit_price"} <= given:
            raise ValueError("give exactly one of amount (line total) and unit_price")
        needed = {
            "basket": self.session == "basket_id" or self.returns == "basket_prefix",
            "return_flag": self.returns == "flag",
            "delivery": self.redelivery == "delivery_id",
        }
        for column, used in needed.items():
            if used and column not in given:
                raise ValueError(f"the session, returns or redelivery rule needs columns.{column}")
        if self.session == "gap_minutes" and not re.search("%[HI]", self.time_format):
            raise ValueError(f"session by gap_minutes needs a time of day, and time_format is {self.time_format!r}")
        return self

    @property
    def sales_columns(self) -> dict[str, str]:
        """Our name -> the retailer's name, of all that is read from the sales files."""
        if self.columns is None:
            raise SourceError(self._no_sales())
        said = {} if self.customers.files else self.customers.attributes
        attributes = {attribute_column(name): theirs for name, theirs in said.items()}
        fixed = {ours: f"constants.{ours}" for ours in self.constants}
        return self.columns.delivered() | fixed | attributes

    @property
    def zone(self) -> ZoneInfo:
        """The stores' time zone."""
        return ZoneInfo(self.timezone)

    @property
    def action_rules(self) -> ActionRules:
        """How cases teach."""
        return ActionRules() if self.actions is None else self.actions.rules

    @property
    def says_outcomes(self) -> bool:
        """Whether a column says how cases end."""
        said = [each.columns.outcome for each in (self.actions, self.cases) if each is not None]
        return any(column is not None for column in said)

    def folder(self, workspace: Workspace) -> Path:
        """What the description's relative paths are relative to."""
        return self._folder or workspace.raw

    def delivered_files(self, workspace: Workspace) -> list[Path]:
        """All sales files, sorted.

        Raises: SourceError: when there are none.
        """
        if not self.files:
            raise SourceError(self._no_sales())
        found = self.matching(self.files, workspace)
        if not found:
            how = f"; `{self.prepared_by}` makes them" if self.prepared_by else "; correct the key `files`"
            raise SourceError(f"source {self.name}: no file matches {self.folder(workspace) / self.files}{how}")
        return found

    def files_of(self, section: str, pattern: str, workspace: Workspace) -> list[Path]:
        """All files that a section's `files` names, sorted.

        Raises: SourceError: when there are none.
        """
        found = self.matching(pattern, workspace)
        if not found:
            how = f"; `{self.prepared_by}` makes them" if self.prepared_by else ""
            raise SourceError(
                f"source {self.name}: no file matches {self.folder(workspace) / pattern} ({section}){how}"
            )
        return found

    def _no_sales(self) -> str:
        runs = " or ".join(f"`larder run {name}`" for name, each in CAPABILITIES.items() if each.intake)
        return f"source {self.name} describes no sales files (key `files`); {runs} is for what it has"

    def matching(self, pattern: str, workspace: Workspace, *, leftovers: bool = False) -> list[Path]:
        """Files that a `files` key names, sorted; hidden ones, locks and the like only as `leftovers`.

        Raises: SourceError: one lies, or a link leads, outside the source's folder and `files_elsewhere` is not set: a
            description or a delivery must not bring in what its sender could not read.
        """
        folder = self.folder(workspace)
        relative = DATE_FIELD.sub("*", pattern)
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
        return [path for path in found if is_leftover(path.name) == leftovers]

    def stock_files(self, workspace: Workspace, day: date) -> list[Path]:
        """The stock files of a day, such as one per store; none where none was delivered."""
        return [] if self.stock is None else self.matching(self.stock.files.format(date=day), workspace)


def described_as(ours: str) -> str:
    """The key that describes one of our columns."""
    for prefix, key in ((CASE_ATTRIBUTE, "cases.attributes"), (CASE_NUMBER, "cases.numbers")):
        if ours.startswith(prefix):
            return f"{key}.{ours.removeprefix(prefix)}"
    is_attribute = ours.startswith(ATTRIBUTE)
    return f"customers.attributes.{ours.removeprefix(ATTRIBUTE)}" if is_attribute else f"columns.{ours}"


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
    field = DATE_FIELD.search(Path(pattern).name)
    if field is None:
        return None
    pieces = DATE_FIELD.split(Path(pattern).name)[::2]
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
