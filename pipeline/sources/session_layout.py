"""How a shop's sessions are written: which articles its customers looked at, and when."""

from pydantic import Field, field_validator, model_validator

from pipeline.sources.layout import Columns, TableFiles
from pipeline.sources.time_format import checked_format


class SessionColumns(Columns):
    """Header names of the session files."""

    customer: str = Field(
        description="customer, as in the sales; lines of visitors without one are left out", examples=["client"]
    )
    product: str = Field(
        description="article that was looked at, or that a search led to, as in the sales", examples=["article"]
    )
    viewed_at: str = Field(description="time of it, by `time_format`", examples=["time"])
    kind: str | None = Field(None, description="what was done; see `kinds`", examples=["event"])


class SessionFiles(TableFiles):
    """What customers looked at. All files are read every time."""

    files: str = Field(description="one path or a pattern with *", examples=["views/*.csv.gz"])
    columns: SessionColumns
    time_format: str = Field(
        "%Y-%m-%d %H:%M:%S", description="of viewed_at, as strptime reads it", examples=["%d.%m.%Y %H:%M"]
    )
    kinds: tuple[str, ...] = Field(
        (),
        description="values of columns.kind that show interest, in small or capital letters; empty: every line does",
        examples=[["view", "wishlist"]],
    )

    _check_format = field_validator("time_format")(checked_format)

    @field_validator("kinds")
    @classmethod
    def _no_blank_kind(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.strip() for each in kinds):
            raise ValueError("a kind is empty; write the values that the column has, or leave `kinds` out")
        return kinds

    @model_validator(mode="after")
    def _kinds_have_a_column(self) -> "SessionFiles":
        if self.kinds and "kind" not in self.read_columns:
            raise ValueError("kinds needs columns.kind, the column that says what was done")
        return self
